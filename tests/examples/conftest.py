"""A quick run of the study that a module of tests calls `study`."""

import json

import pytest


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory):
    """Of one quick run."""
    made = tmp_path_factory.mktemp("quick")
    request.module.study.main(["--quick", "--epochs", "1", "--out", str(made)])
    return made


@pytest.fixture(scope="module")
def rows(folder):
    return json.loads((folder / "results.json").read_text())["rows"]
