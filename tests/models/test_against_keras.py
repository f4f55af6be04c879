"""Five training steps of small nets give what Keras gave (tests/fixtures/make_models.py)."""

from pathlib import Path

import numpy as np
import pytest

from tinynet import layers, optimizers
from tinynet.models import Sequential

from fixtures.model_cases import BATCH, CASES, STEPS

FILE = Path(__file__).parents[1] / "fixtures" / "models.npz"


def values(prefix):
    with np.load(FILE) as file:
        return [file[f"{prefix}/{i}"] for i in range(sum(key.startswith(prefix + "/") for key in file))]


@pytest.mark.parametrize("case", CASES)
def test_losses_weights_and_predictions(case):
    build, _, loss, _, (optimizer, settings) = CASES[case]
    with np.load(FILE) as file:
        x, y, losses, predictions = (file[f"{case}/{name}"] for name in ("x", "y", "losses", "predictions"))
    model = Sequential(build(layers))
    model.set_weights(values(f"{case}/before"))
    model.compile(getattr(optimizers, optimizer)(**settings), loss)
    batches = [slice(i * BATCH, (i + 1) * BATCH) for i in range(STEPS)]
    found = [model.train_on_batch(x[b], y[b]) for b in batches]
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    for parameter, expected in zip(model.weights, values(f"{case}/after"), strict=True):
        np.testing.assert_allclose(parameter.numpy(), expected, rtol=1e-4, atol=2e-5, err_msg=parameter.name)
    np.testing.assert_allclose(model.predict(x, verbose=0), predictions, rtol=1e-4, atol=1e-5)
