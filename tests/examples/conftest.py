"""A quick run of the study that a module of tests calls `study`."""

import json

import pytest

from shared import training


@pytest.fixture(autouse=True)
def no_limit_of_epochs_is_left():
    """A quick run sets one, for the whole process."""
    yield
    training.at_most(None)


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory):
    """Of one quick run."""
    made = tmp_path_factory.mktemp("quick")
    request.module.study.main(["--quick", "--epochs", "1", "--out", str(made)])
    return made


@pytest.fixture(scope="module")
def rows(folder):
    return json.loads((folder / "results.json").read_text())["rows"]
