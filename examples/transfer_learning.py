"""Transfer learning on Fashion-MNIST: a net for eight classes lends its layers to a net that has 200 images.

    python examples/transfer_learning.py --quick       (the embedded digits, seconds)
    python examples/transfer_learning.py               (ten seeds; goes on where it was stopped)

Task A has the eight classes without sandals (5) and shirts (6), and 43,986 images. Task B asks "shirt or
sandal?" of 200 images. Does B learn better from scratch, or on the layers of a net that learned A?

One run of 200 images says little, so there are ten; and two arms: as the notebook has it (glorot_uniform,
pixels from 0 to 1), and as its own chapter advises for SELU (lecun_normal, mean 0 and deviation 1).
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from transfer_learning_pictures import classes, compare

from tinynet import layers, models, optimizers, utils

from shared.data import Split, scalars
from shared.data import load as images_of
from shared.intervals import better
from shared.nets import same, size
from shared.printed import show
from shared.rows import Notebook, Row
from shared.study import Study, parser
from shared.training import fit, joined

NAME = "transfer_learning"
NOTEBOOK, ADVISED = "as in the notebook", "as advised"
COUNTS = {"A, training": 43_986, "A, validation": 4_014, "B, training": 200, "B, validation": 986}
SEEDS = 10
SAYS_OF_A = "the text says over 90 % of A, its log shows no number"
SAYS_OF_B = "the text gives B 97.2 %, which is what B on A had; B itself had 98.25 %"
SAYS_OF_SELU = "SELU with glorot_uniform and pixels from 0 to 1, against the chapter's own advice"
SAYS_OF_ADVICE = "lecun_normal and pixels with mean 0 and deviation 1, as the chapter advises for SELU"

Data = tuple[Split, Split]  # images of bytes: to learn from, to test
Task = dict[str, Split]  # "training", "validation", "test"


def _in_both_arms(row_id: str, title: str, notebook: Notebook, params: int, remark: str) -> tuple[Row, Row]:
    remarks = f"{SAYS_OF_SELU}; {remark}", SAYS_OF_ADVICE
    first = Row(row_id, title, NOTEBOOK, notebook, params, SEEDS, keras=True, remark=remarks[0])
    return first, Row(row_id, title, ADVISED, params=params, seeds=SEEDS, keras=True, remark=remarks[1])


VERDICT = Row(
    "S4-16",
    "does A help B?",
    "the verdict",
    Notebook(values={f"B on A better, {NOTEBOOK}": 'no: "Results are not as good", from one run'}),
    seeds=0,
    remark="test accuracy of B on A minus that of B from scratch, seed by seed, and Student's interval",
)
ROWS = (
    Row("S4-10", "two tasks of one data set", notebook=Notebook(values=COUNTS), seeds=0),
    *_in_both_arms("S4-11", "model A: eight classes", Notebook(), 276_158, SAYS_OF_A),
    *_in_both_arms("S4-12", "model B from scratch", Notebook(0.9825, loss=0.1059), 275_801, SAYS_OF_B),
    Row(
        "S4-13",
        "B on A shares the layers of A",
        notebook=Notebook(values={"training B on A changes A": True}),
        seeds=0,
        remark="the notebook warns of this and changes A all the same: its clone is made later, and not used",
    ),
    Row(
        "S4-14",
        "clone_model, then set_weights",
        seeds=0,
        expected={"clone has the weights of A": False, "after set_weights": True},
        remark="clone_model copies the layers, not what they learned",
    ),
    Row(
        "S4-15",
        "B on A with frozen layers, 4 epochs",
        params=275_801,
        keras=True,
        expected={"trainable parameters": 51, "frozen weights bit for bit the same": True},
        remark="the optimizer is the string 'SGD': its learning rate is 0.01, not 0.001 as elsewhere",
    ),
    *_in_both_arms(
        "S4-16",
        "B on A: 4 epochs frozen, 16 at learning rate 1e-4",
        Notebook(0.972, loss=0.1587),
        275_801,
        "both nets are judged after 20 epochs, but at different learning rates",
    ),
    VERDICT,
)

# --- the data


def load(quick: bool) -> Data:
    return images_of("fashion_mnist", quick)


def tasks(data: Data, arm: str = NOTEBOOK) -> tuple[Task, Task]:
    """A and B: pixels from 0 to 1, or with mean 0 and deviation 1 over all pixels that A learns from.

    Validation is the first 5,000 of the 60,000 images; of the others with a class of B, 200 are kept.
    """
    (x, y), test = data
    held_out = len(x) // 12
    validation, training = (x[:held_out], y[:held_out]), (x[held_out:], y[held_out:])
    parts = {"training": training, "validation": validation, "test": test}
    a, b = {}, {}
    for name, (images, labels) in parts.items():
        a[name], b[name] = split_dataset((images / 255).astype("float32"), labels)
    b["training"] = b["training"][0][:200], b["training"][1][:200]
    if arm == ADVISED:
        mean, deviation = scalars(a["training"][0])
        a, b = ({name: ((x - mean) / deviation, y) for name, (x, y) in task.items()} for task in (a, b))
    return a, b


def split_dataset(x: np.ndarray, y: np.ndarray) -> tuple[Split, Split]:
    """A: all but the classes 5 and 6, with 7, 8, 9 moved to 5, 6, 7. B: 5 as 0 and 6 as 1."""
    in_b = (y == 5) | (y == 6)
    y_a = y[~in_b].astype("int64")
    y_a[y_a > 6] -= 2
    return (x[~in_b], y_a), (x[in_b], (y[in_b] == 6).astype("float32"))


def counts(data: Data) -> dict[str, int]:
    both = dict(zip("AB", tasks(data), strict=True))
    return {name: len(both[name[0]][name[3:]][1]) for name in COUNTS}


# --- the nets


def net(outputs: int, activation: str, arm: str) -> Any:
    """28x28 pixels, 300, 100, 50, 50, 50 units with SELU, and the output."""
    how = "lecun_normal" if arm == ADVISED else "glorot_uniform"
    hidden = [layers.Dense(n, "selu", kernel_initializer=how) for n in (300, 100, 50, 50, 50)]
    return models.Sequential(
        [layers.Input((28, 28)), layers.Flatten(), *hidden, layers.Dense(outputs, activation)]
    )


def learn(model: Any, task: Task, optimizer: Any, epochs: int) -> dict[str, Any]:
    """Compiles, trains in batches of 32, and asks the test images once at the end."""
    kind = "binary" if task["training"][1].dtype == "float32" else "sparse_categorical"
    model.compile(optimizer=optimizer, loss=f"{kind}_crossentropy", metrics=["accuracy"])
    record = fit(model, *task["training"], epochs=epochs, validation_data=task["validation"])
    loss, accuracy = model.evaluate(*task["test"], verbose=0)
    return {**record, "values": {"test loss": round(loss, 5), "test accuracy": round(accuracy, 5)}}


_weights_of_a: dict[tuple[str, int], list[np.ndarray]] = {}


def model_a(data: Data, arm: str, seed: int) -> tuple[Any, dict[str, Any]]:
    """Model A after its training, and the record of it. What it learned is kept for those who ask again; what
    they draw from then on does not depend on whether it was trained just now.
    """
    utils.set_random_seed(seed)
    model, key, record = net(8, "softmax", arm), (arm, seed), {}
    if key in _weights_of_a:
        model.set_weights(_weights_of_a[key])
    else:
        record = learn(model, tasks(data, arm)[0], optimizers.SGD(learning_rate=1e-3), 20)
        _weights_of_a[key] = model.get_weights()
    utils.set_random_seed(seed)
    return model, record


def loaded(model: Any) -> Any:
    """The model, saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model_A.tinynet"
        model.save(path)
        return models.load_model(path)


def on_top_of(model: Any) -> Any:
    """The layers of A but the last, the very same objects, and a new output for B."""
    return models.Sequential([*model.layers[:-1], layers.Dense(1, "sigmoid")])


def freeze(model: Any, frozen: bool = True) -> None:
    """All layers but the last. It counts from the next compile."""
    for layer in model.layers[:-1]:
        layer.trainable = not frozen


def weights_below(model: Any) -> list[np.ndarray]:
    """Of all layers but the last."""
    return [weight for layer in model.layers[:-1] for weight in layer.get_weights()]


# --- the rows


def sharing(data: Data) -> dict[str, Any]:
    """A step of B on A, without freezing: A is another net afterwards."""
    a = loaded(model_a(data, NOTEBOOK, 0)[0])
    before = a.get_weights()
    learn(on_top_of(a), tasks(data)[1], optimizers.SGD(learning_rate=1e-3), 1)
    moved = max(float(np.abs(x - y).max()) for x, y in zip(before, a.get_weights(), strict=True))
    return {
        "training B on A changes A": not same(before, a.get_weights()),
        "largest change of a weight of A": float(f"{moved:.2g}"),
    }


def cloning(data: Data) -> dict[str, Any]:
    a, _ = model_a(data, NOTEBOOK, 0)
    clone = models.clone_model(a)
    at_first = same(a.get_weights(), clone.get_weights())
    clone.set_weights(a.get_weights())
    return {
        "clone has the weights of A": at_first,
        "after set_weights": same(a.get_weights(), clone.get_weights()),
    }


def frozen(data: Data, arm: str, seed: int) -> tuple[Any, dict[str, Any]]:
    """B on A after 4 epochs in which only its output learned: 50 weights and a bias."""
    model = on_top_of(model_a(data, arm, seed)[0])
    freeze(model)
    before = weights_below(model)
    record = learn(model, tasks(data, arm)[1], "SGD", 4)
    record["values"] |= {
        "trainable parameters": size(model.trainable_weights),
        "frozen weights bit for bit the same": same(before, weights_below(model)),
    }
    return model, record


def train(row: Row, data: Data, seed: int) -> dict[str, Any]:
    """The record of a row: its training, or the values of a demonstration."""
    if row.id == "S4-10":
        return {"values": counts(data)}
    if row.id == "S4-11":
        _weights_of_a.pop((row.arm, seed), None)
        return model_a(data, row.arm, seed)[1]
    if row.id == "S4-12":
        model = net(1, "sigmoid", row.arm)
        return learn(model, tasks(data, row.arm)[1], optimizers.SGD(learning_rate=1e-3), 20)
    if row.id in ("S4-13", "S4-14"):
        return {"values": sharing(data) if row.id == "S4-13" else cloning(data)}
    model, first = frozen(data, row.arm or NOTEBOOK, seed)
    if row.id == "S4-15":
        return first
    freeze(model, False)
    return joined(first, learn(model, tasks(data, row.arm)[1], optimizers.SGD(learning_rate=1e-4), 16))


def verdict(runs: Callable[[Row], list[dict[str, Any]]]) -> dict[str, str]:
    """Does A help B? Of each arm, by `runs(row)`; a seed without one of the two runs has no say."""
    said = {}
    for arm in (NOTEBOOK, ADVISED):
        scratch, on_a = (
            {run["seed"]: run["values"]["test accuracy"] for run in runs(row)}
            for row_id in ("S4-12", "S4-16")
            for row in ROWS
            if (row.id, row.arm) == (row_id, arm)
        )
        if gains := [on_a[seed] - scratch[seed] for seed in sorted(on_a.keys() & scratch.keys())]:
            said[f"B on A better, {arm}"] = better(gains)
    return said


def main(argv: Sequence[str] | None = None) -> None:
    study = Study(NAME, ROWS, parser(ROWS, __doc__, NAME).parse_args(argv))
    data = load(study.quick)
    for row, seed in study.to_run(but=[VERDICT]):
        record = train(row, data, seed)
        study.keep(row, seed, record)
        show(record["values"])
    if values := verdict(study.runs):
        study.keep(VERDICT, 0, {"values": values})
        show(values)
    if any(row.id == "S4-10" for row in study.rows):
        classes(study, tasks(data))
    compare(study)
    study.write()


if __name__ == "__main__":
    main()
