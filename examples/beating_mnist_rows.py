"""The rows of "Beating MNIST" (2017, Keras 1 on a Tesla K80) with what the notebook printed."""

from typing import Any

from beating_mnist_models import PARAMS

from shared.rows import Notebook, Row

TRAP = "the notebook's `optimizer.lr = x` changed nothing once Keras 1 had compiled its training step"
# What the arms "improved" change, in as many epochs, and why.
IMPROVED = "the rate falls to 0 by a half cosine, so that the last epochs do not jump about; he_normal"
IMPROVED_NORM = f"{IMPROVED}; batch norm's averages follow faster (momentum 0.9)"
IMPROVED_AUGMENTED = f"{IMPROVED_NORM}; the rate begins at 0.003, not 0.001"
NO_LOG = "the heading's {} % is in no log"
DIGITS = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
# {number of a model: rows}, for --model.
MODELS = {
    1: ("S1-03", "S1-04"), 2: ("S1-05", "S1-06"), 3: ("S1-07",), 4: ("S1-08",), 5: ("S1-09",),
    6: ("S1-10", "S1-11"), 7: ("S1-12",), 8: ("S1-13",), 9: ("S1-14", "S1-15"), 10: ("S1-16", "S1-17"),
    11: ("S1-18", "S1-19"), 12: ("S1-20",), 13: ("S1-21",),
}  # fmt: skip


def _demo(number: str, title: str, remark: str = "", values: Any = None, expected: Any = None) -> Row:
    return Row(number, title, notebook=Notebook(values=values or {}), remark=remark, expected=expected or {})


def _net(
    number: str, model: int, title: str, printed: Notebook, arms: dict[str, str], keras: bool = True
) -> list[Row]:
    """A row for each arm: {arm: remark}. What was intended has no numbers in the notebook: it was not run."""
    title = f"Model {model}: {title}"
    params = PARAMS[min(model, 9)]
    not_run = Notebook(params=printed.params)
    return [
        Row(number, title, arm, not_run if arm == "as intended" else printed, params, 3, keras, remark)
        for arm, remark in arms.items()
    ]


def _printed(last: float, best: float, loss: float, seconds: float, params: int | None = None) -> Notebook:
    return Notebook(last, best, loss, params, seconds)


_OLD_BN = "the notebook prints 98,564: Keras 1 counted no parameters that are not trained (210)"
ROWS: list[Row] = [
    _demo("S1-00", "the machine", "a K80 for a dollar an hour; the notebook's times are its own"),
    _demo(
        "S1-01", "load MNIST",
        values={"y_train": [60000], "y_test": [10000], "x_train": [60000, 28, 28],
                "x_train[10][4]": [0] * 11 + [42, 118, 219, 166, 118, 118, 6] + [0] * 10},
    ),
    _demo(
        "S1-02", "one-hot labels by hand and by to_categorical", "np.float is gone since NumPy 1.24",
        values={"first labels": DIGITS, "one-hot of the first": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]},
        expected={"both equal": True},
    ),
    *_net(
        "S1-03", 1, "softmax regression on raw pixels", _printed(0.6244, 0.6293, 6.0442, 3, 7850),
        {"": "probabilities are clipped at 1e-7, so that a sure miss costs 16.118 and has no gradient: "
             "the loss is 16.118 times the share of misses. How far it comes is a matter of the first "
             "weights: 62 % is one draw, see the range of ours. The notebook calls it linear regression; "
             + NO_LOG.format(66.37)},
    ),
    *_net(
        "S1-04", 1, "trained on at a rate of 1e-8", _printed(0.6263, 0.6336, 6.0110, 3),
        {"as intended": "10 epochs at 1e-3, 5 at 1e-8: the net stands still",
         "as executed": f"15 at 1e-3: {TRAP}"},
    ),
    _demo("S1-05", "mean and standard deviation of all pixels", values={"mean": 33.31842, "std": 78.56749}),
    *_net(
        "S1-06", 2, "normalised pixels", _printed(0.9195, 0.9195, 0.2921, 3, 7850),
        {"": NO_LOG.format(92.44), "improved": IMPROVED.partition(";")[0]},
    ),
    *_net(
        "S1-07", 3, "a hidden layer of 100 sigmoids", _printed(0.9748, 0.9759, 0.0846, 4, 79510),
        {"": "the notebook's log starts at a loss of 0.0583: its cell ran twice; " + NO_LOG.format("97.03"),
         "as executed": "10 epochs, of which the notebook shows the last 5",
         "improved": "10 epochs too; the rate begins at 0.002, as sigmoids learn slowly, and falls to 0"},
    ),
    *_net(
        "S1-08", 4, "three hidden layers of 200", _printed(0.9688, 0.9720, 0.1241, 8, 239410),
        {"": "the notebook is \"almost certain that the model will overfit badly\": its val_loss ends at "
             "0.1241, after 0.0928; how far ours ends above its lowest is the title of the picture; "
             + NO_LOG.format(97.75),
         "improved": IMPROVED},
    ),
    *_net(
        "S1-09", 5, "three convolutions", _printed(0.9822, 0.9835, 0.0629, 22.5, 55856),
        {"": NO_LOG.format(98.49), "improved": IMPROVED},
    ),
    _demo("S1-10", "the largest of four numbers, as max pooling takes it",
          values={"largest of [[1, 2], [1, 3]]": 3}),
    *_net(
        "S1-11", 6, "pooling after the convolutions", _printed(0.9838, 0.9864, 0.0499, 15, 14136),
        {"": "pooling saves parameters and time", "improved": IMPROVED},
    ),
    *_net(
        "S1-12", 7, "VGG blocks", _printed(0.9782, 0.9835, 0.0731, 40, 98354), {"": NO_LOG.format(96.94)},
    ),
    *_net(
        "S1-13", 8, "with batch norm", _printed(0.9712, 0.9893, 0.0970, 52, 98564),
        {"": f"{_OLD_BN}; the heading's 98.93 % is the best epoch, the fourth, not the last"},
    ),
    _demo(
        "S1-14", "dropout by hand",
        "an exact count is dropped, and what remains is not scaled up, unlike Dropout",
        values={"zeros of dropout(arange(10), 0.4)": 5},
        expected={"zeros of dropout(arange(10), 0.4)": "5, or 4 if the 0 is among the dropped",
                  "the rest is": "as it was"},
    ),
    *_net(
        "S1-15", 9, "and with dropout", _printed(0.9898, 0.9898, 0.0378, 57, 98564),
        {"": _OLD_BN, "improved": IMPROVED_NORM},
    ),
    _demo(
        "S1-16", "digits turned, zoomed and sheared",
        "shear_range=0.1 was radians in Keras 1 (5.73 degrees); degrees since 2.1.3, so 0.1 does nothing",
        values={"batch_gen.N": 60000},
    ),
    *_net(
        "S1-17", 10, "Model 9 on augmented digits", _printed(0.9927, 0.9927, 0.0279, 34.5),
        {"": "sheared by up to 5.73 degrees, as 2017; fit_generator(batch_gen, 60000) meant images an "
             "epoch in Keras 1, and would mean steps since Keras 2",
         "improved": IMPROVED_AUGMENTED},
    ),
    *_net(
        "S1-18", 11, "a rate that falls in steps", _printed(0.9912, 0.9913, 0.0289, 34, 98564),
        {"as intended": "1 epoch at 1e-4, 7 at 1e-2, 5 at 1e-3, 5 at 1e-4, 5 at 1e-5",
         "as executed": f"23 epochs at 1e-4: {TRAP}",
         "improved": f"{IMPROVED_AUGMENTED}; all 23 epochs see augmented images, not the last 19 alone"},
    ),
    *_net(
        "S1-19", 11, "five epochs more", _printed(0.9937, 0.9939, 0.0230, 34),
        {"as intended": "at 1e-7, after Model 11; this is `best_model`",
         "as executed": "at 1e-3, after Model 10, as the losses show: cells ran out of order"}, keras=False,
    ),
    Row("S1-20", "Model 12: five nets averaged", "", Notebook(0.995), 5 * 98774, 3,
        remark="no code or log in the notebook; here Model 11 improved, five times. Its \"approx. 15 % "
               'improvements" can only be of the error'),
    *(
        Row("S1-21", "Model 13: pseudo-labels", arm, Notebook(None if arm else 0.9958), 3 * 98774, 3,
            remark=remark)
        for arm, remark in {
            "": "no code or log in the notebook; here three nets label the last 10,000 training images, "
                "whose labels nobody reads; three more learn from both, a quarter of each batch "
                'pseudo-labelled. The notebook took the test images; its "10-15 % to the accuracy" can only '
                "be of the error",
            "50,000 labels": "the same three nets without the 10,000 images, in as many steps",
            "60,000 labels": "the same three nets with the true labels of all",
        }.items()
    ),
    _demo("S1-22", "predict the 10,000 test images in one batch", "the probabilities of S1-19, as intended"),
    _demo("S1-23", "ten digits that were read correctly"),
    _demo("S1-24", "ten digits that were read wrongly"),
    _demo("S1-25", "of each digit the ten most confident right ones"),
    _demo(
        "S1-26", "of each digit the errors, by confidence",
        "the notebook sorts by P(true class), the least wrong first; its comment says the opposite: both. "
        "Its xrange is Python 2",
    ),
]  # fmt: skip
