"""The same script gives what it gave in real Keras (keras_fixtures/README.md):
histories, weights and predictions.

One pytest case for each script. Numbers may differ by 0.2 %: they are float32, summed in other orders, and
errors grow over a dozen steps; 1e-5 is the same allowance for numbers near zero beside others of order one.
"""

import numpy as np
import pytest
from keras_fixtures.harness import CASES, TOPICS, distance, execute, load_cases, stored

import tinynet

RTOL, ATOL = 2e-3, 1e-5
load_cases()
EXPECTED = {name: arrays for topic in TOPICS for name, arrays in stored(topic).items()}


@pytest.mark.parametrize("name", CASES)
def test_as_in_keras(name, tmp_path):
    found = execute(CASES[name], tinynet, tmp_path)
    expected = EXPECTED[name]
    assert list(found) == list(expected), "what there is, by name and order"
    for part, wanted in expected.items():
        assert found[part].shape == wanted.shape, part
        np.testing.assert_allclose(found[part], wanted, rtol=RTOL, atol=ATOL, err_msg=part)


def test_every_result_has_its_case():
    assert list(CASES) == list(EXPECTED)
    assert len(CASES) >= 150


def test_the_options_of_a_table_show():
    """No two cases of a family agree to within ten tolerances,
    so a library that ignored an option would fail.
    """
    by_family = {}
    for name, one in CASES.items():
        for other, arrays in by_family.setdefault(one.family, {}).items():
            assert distance(EXPECTED[name], arrays, 10 * RTOL, 10 * ATOL) > 1, (name, other)
        by_family[one.family][name] = EXPECTED[name]
