"""The rows of the batch norm study; of the notebooks, only 002 printed numbers."""

from typing import Any

from batchnorm_rules import CRITERION

from shared.rows import Notebook, Row

NET = "two blocks of two convolutions (8, 16), dense 128 and 64"
OURS = (
    "the notebook leaves the net to the reader; whether its error falls below 0.5 % is asked here of a small "
    "one. nb_epoch=20 is Keras 1: Keras 2 warns, Keras 3 refuses it"
)
DICTIONARY = "fit returns a History, not a dictionary as the notebook says; the dictionary is its .history"
RATES = (0.01, 0.003, 0.001, 0.0003)  # S0-04; at 0.01 it is S0-03 itself
TRAP = "`optimizer.lr = x` after the first fit changed nothing in Keras 1: its step was already compiled"
TABLE = {  # S2-05: loss, accuracy, val_loss, val_accuracy
    "S2-01": ("lr=0.001 -> 0.0001", (0.0133, 0.9957, 0.0205, 0.9936)),
    "S2-03": ("BN, lr=0.001 -> 0.0001", (0.0158, 0.9948, 0.0369, 0.9889)),
    "S2-02": ("lr=0.01 -> 0.001", (0.2219, 0.9352, 0.1436, 0.9582)),
    "S2-04": ("BN, lr=0.01 -> 0.001", (0.0507, 0.9886, 0.0567, 0.9877)),
}
FIRST = [5, 0, 4, 1, 9]
COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
INTENDED, EXECUTED = "as intended", "as executed"
PLAIN_PARAMS, NORMED_PARAMS = 113_538, 114_498  # of the net of notebook 000


def rate_name(rate: float) -> str:
    return f"learning rate {rate:g}"


def _s0(
    number: str, title: str, arm: str = "", params: int = PLAIN_PARAMS, seeds: int = 1, remark: str = ""
) -> Row:
    return Row(number, f"{NET}; {title}", arm, params=params, seeds=seeds, keras=True, remark=remark)


def _answer(number: str, title: str, arm: str = "", remark: str = "", **printed: Any) -> Row:
    """A row that is computed from the runs of others."""
    return Row(number, title, arm, Notebook(values=printed), seeds=0, remark=remark)


def _s2(number: str, arm: str) -> Row:
    normed, rate = number in ("S2-03", "S2-04"), 0.01 if number in ("S2-02", "S2-04") else 0.001
    title = f"two convolutions (32, 64), dense 512, {'' if normed else 'no '}batch norm; {rate_name(rate)}"
    _, _, val_loss, accuracy = TABLE[number][1]
    remark = f"{rate / 10:g} from the second epoch" if arm == INTENDED else f"{rate:g} throughout: {TRAP}"
    params = 1_632_522 if normed else 1_630_090
    printed = Notebook(accuracy, loss=val_loss) if arm == EXECUTED else Notebook()
    return Row(number, title, arm, printed, params, 3, True, remark)


ROWS = [
    Row(
        "S2-00",
        "the data",
        notebook=Notebook(
            values={
                "shapes": "(60000, 28, 28) (60000,) (10000, 28, 28) (10000,)",
                "first labels": FIRST,
                "their type": "uint8",
                "their one-hot rows": [[int(label == i) for i in range(10)] for label in FIRST],
            }
        ),
    ),
    _s0("S0-01", "batch norm before the activation", params=NORMED_PARAMS, seeds=5, remark=OURS),
    _s0("S0-02", "batch norm after the activation", params=NORMED_PARAMS, seeds=5, remark=OURS),
    _s0("S0-03", "Adam at 0.01, neither batch norm nor dropout", remark=DICTIONARY),
    *(_s0("S0-04", "neither batch norm nor dropout", rate_name(rate)) for rate in RATES[1:]),
    *(_s0("S0-05", "dropout", rate_name(rate)) for rate in RATES),
    *(_s0("S0-06", "batch norm before the activation", rate_name(rate), NORMED_PARAMS) for rate in RATES[:3]),
    *(_s2(number, arm) for number in sorted(TABLE) for arm in (INTENDED, EXECUTED)),
    _answer("S0-02", "batch norm after the activation: as good or better?", "the claim"),
    _answer("S0-03", "does it over-fit?", "the diagnosis", CRITERION, verdict="over-fits, quite terribly"),
    _answer("S0-04", "the highest rate that does not over-fit", "the answer", CRITERION),
    _answer(
        "S0-05", "does dropout take longer, is it better?", "the answer",
        "seconds are those of a machine that may have had other work meanwhile",
    ),
    _answer("S0-06", "the highest rate that does not over-fit", "the answer", CRITERION),
    _answer(
        "S0-10", "what History holds, and what it says",
        remark=f"{DICTIONARY}; its keys acc and val_acc are accuracy and val_accuracy in Keras 3",
    ),
    *(
        _answer("S2-05", "the four runs: loss, accuracy, val_loss, val_accuracy", arm,
                **{name: list(values) for name, values in TABLE.values() if arm == EXECUTED})
        for arm in (INTENDED, EXECUTED)
    ),
    _answer(
        "S2-06", "why the training loss is above the validation loss",
        remark="the logged loss is a mean over the epoch, while the net learns and dropout is on",
    ),
]  # fmt: skip


def is_answer(row: Row) -> bool:
    return row.seeds == 0
