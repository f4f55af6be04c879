"""The example of batch normalisation: every form gives the numbers that its derivation works out by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tinynet.kernels import batch_norm

SCRIPT = Path(__file__).parents[2] / "examples" / "batch_norm_in_every_form.py"
specification = importlib.util.spec_from_file_location("batch_norm_in_every_form", SCRIPT)
example = importlib.util.module_from_spec(specification)
specification.loader.exec_module(example)

BY_HAND = ([-2, 0, 2, 4], [1 / 2, -1 / 3, -1 / 6, 0], [-1], [1])  # y, dx, dgamma, dbeta


@pytest.mark.parametrize("form", example.FORMS)
def test_a_form_gives_the_numbers_worked_out_by_hand(form):
    tolerance = 1e-9 if form == "finite differences" else 1e-14
    for found, expected in zip(map(example.flat, example.FORMS[form]()), BY_HAND, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_the_derivation_has_those_numbers():
    worked_out = ("xhat = -1, -1/3, 1/3, 1", "y = -2, 0, 2, 4", "dgamma = -1", "= 1/2, -1/3, -1/6, 0")
    for words in worked_out:
        assert words in batch_norm.__doc__


def test_it_prints_what_each_form_has_in_hand(capsys):
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(example.FORMS)
    for name, values in zip(("y", "dx", "dgamma", "dbeta"), BY_HAND, strict=True):
        printed = [line.split()[1:] for line in lines if line.split()[0] == name]
        assert len(printed) == len(example.FORMS)
        for numbers in printed:
            np.testing.assert_allclose([float(number) for number in numbers], values, atol=1e-6)
    # The tables of the tiles: sums about the mean 4 and constants, by hand from the numbers above.
    assert "  moments_tile        shift 4, sum of x - shift 0, of its squares 20" in lines
    assert "  normalise_tile      mean 4, scale 1, beta 1" in lines
    assert "  gradient_sums_tile  sum of g 1, of g (x - mean) -3" in lines
    assert "  combine_tile        mean 4, mean of g 0.25, a 1, -k 0.083333" in lines
