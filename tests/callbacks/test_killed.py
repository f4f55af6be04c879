"""kill -9 at random moments of a checkpointed run, in training, in validation and while a backup is written:
it is started again until it ends, and ends with the bits of a run that was left alone.

The moments come from a seed and are printed;
KILLED_SEED=5 pytest -s tests/callbacks/test_killed.py tries others.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_training.py")
SEED = os.environ.get("KILLED_SEED", "0")
KILLS = 7  # of each kind of run, three kinds
# seconds after what is waited for; a validation and the writing of a backup take about that long
LATEST = 0.004
BATCHES, EPOCHS = 13, 10
NEXT = {"saving": "saved", "validating": "validated"}  # what is printed at the end of them


def start(folder, *arguments):
    command = [sys.executable, str(SCRIPT), str(folder), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begin\n", process.communicate()[1]
    return process


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def kill(process, moments, most):
    """Kills a run a moment after it has said one of the words of `most` up to so many times;
    where, or None if it ended.
    """
    word = moments.choice(list(most))
    count, wait = moments.randint(1, most[word]), moments.uniform(0, LATEST)
    for _ in range(count):
        while (line := process.stdout.readline()) not in (f"{word}\n", ""):
            pass
    time.sleep(wait)
    process.kill()
    rest, errors = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), errors
    if process.returncode == 0 or not line:
        return None
    said = [line, *rest.splitlines()][-1].strip()
    where = said if said in NEXT else "training"
    print(f"killed {1e3 * wait:.2f} ms after {word!r} for the {count}. time, in {where}")
    return where


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of a run that is not killed."""
    results = finish(start(tmp_path_factory.mktemp("undisturbed"), "epoch", False))
    assert results["epochs"] == EPOCHS
    assert results["rates"] > 2  # ReduceLROnPlateau did something
    return results


def killed_again_and_again(folder, save_freq, double_checkpoint, moments):
    """Kills runs in `folder` until enough of them were; where,
    and the results of the last run, which may end.
    """
    saves = 1 if save_freq == "epoch" else BATCHES // save_freq  # an epoch
    most = {"batch": 2 * BATCHES, "saving": 2 * saves, "validating": 2}
    hits, runs = Counter(), 0
    while hits.total() < KILLS:
        here = folder / str(runs)
        here.mkdir(parents=True)
        runs += 1
        while hits.total() < KILLS and (
            where := kill(start(here, save_freq, double_checkpoint), moments, most)
        ):
            hits[where] += 1
    results = finish(start(here, save_freq, double_checkpoint))
    assert not (here / "backup").exists()
    return hits, results


def test_killed_runs_go_on_to_the_same_bits(undisturbed, tmp_path):
    moments, hits = random.Random(SEED), Counter()
    for save_freq, double_checkpoint in (("epoch", False), (3, True), (1, False)):
        folder = tmp_path / f"save_freq {save_freq}"
        found, results = killed_again_and_again(folder, save_freq, double_checkpoint, moments)
        hits += found
        assert results == undisturbed
    assert hits.total() == 3 * KILLS >= 20
    assert set(hits) == {"training", "saving", "validating"}, hits
