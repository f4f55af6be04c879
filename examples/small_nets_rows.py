"""What notebook 003 printed of its nets: the rows of examples/small_nets.py."""

import itertools
from typing import Any

from shared.rows import Notebook, Row

# S3-08. The notebook's prose makes claims about four things: each may be on or off, in all combinations.
FACTORS = ("49K parameters", "batch norm", "dropout", "schedule")
GRID = {
    f"{'49K' if on[0] else '10K'}, {' + '.join(itertools.compress(FACTORS[1:], on[1:])) or 'plain'}": on
    for on in itertools.product((False, True), repeat=4)
}
GRID_EPOCHS = 8
GRID_PARAMS = {  # by the first two of FACTORS
    (False, False): 10_524, (False, True): 10_844, (True, False): 49_220, (True, True): 49_988,
}  # fmt: skip
# What the prose claims; the grid cannot answer all of it (small_nets_grid.py).
ALIKE = "plain nets of more and of less than 20K parameters perform alike"
OVERFITS = "plain nets always over-fit"
NEEDED = "99.4 % needs batch norm, dropout and schedule together"
OVERKILL = "more than 32 filters are of no use"

# Where the notebook shows neither compile nor fit, we take Keras's Adam and S3-03's batches.
UNKNOWN = "compile and fit are not shown: we take Adam(0.001), batches of 128"
RATES = [0.003, 0.0022744503, 0.0018315018, 0.0015329586, 0.0013181019, 0.0011560694, 0.0010295127]
RATES += [0.0009279307, 0.0008445946, 0.0007749935, 0.0007159905, 0.000665336, 0.0006213753, 0.0005828638]
RATES += [0.0005488474, 0.0005185825, 0.000491481, 0.0004670715, 0.0004449718, 0.000424869]


def sizes(params: int | None, non_trainable: int, maps: str, **more: Any) -> dict[str, Any]:
    """What the notebook prints of a net: parameters, and sizes of the maps before the last convolution."""
    counts = {"trainable": params - non_trainable, "non-trainable": non_trainable} if params else {}
    return {"params": params, "values": {**counts, "maps": maps, **more}}


PLAIN_MAPS = "26 24 24 12 10 8 6 4"
ROWS = [
    Row(
        "S3-00",
        "the images as the nets take them",
        notebook=Notebook(values={"map after (16, 3, 3)": 26}),
        seeds=0,
        keras=True,
        expected={
            "images": "60000x28x28x1",
            "classes": 10,
            "map after (16, 3, 3)": 9,
            "map after (16, 3)": 26,
        },
        remark="Convolution2D(16, 3, 3) and Convolution2D(10, 4) stand in one net: the first is Keras 1 for "
        "a 3x3 kernel; as Keras 3 reads it, Conv2D(16, 3, 3) has stride 3",
    ),
    Row(
        "S3-01",
        "Vanilla, a large net",
        notebook=Notebook(**sizes(10_524, 0, PLAIN_MAPS)),
        params=49_220,
        keras=True,
        remark="the notebook pasted S3-02's summary and log below it: of this net nothing is known",
    ),
    Row(
        "S3-02",
        "under 15K parameters",
        notebook=Notebook(0.9776, 0.9823, 0.0725, epoch_seconds=11, **sizes(10_524, 0, PLAIN_MAPS)),
        params=10_524,
        seeds=3,
        keras=True,
        remark="fit is not shown: batches of 64 as in S3-01",
    ),
    Row(
        "S3-03",
        "Go crazy: batch norm, dropout, schedule",
        notebook=Notebook(
            0.9919, 0.9945, 0.0250, epoch_seconds=10, **sizes(13_880, 192, PLAIN_MAPS, rates=RATES)
        ),
        params=13_880,
        seeds=3,
        keras=True,
        remark="99.4 % was reached in epochs 12, 14 and 15 of 20",
    ),
    Row(
        "S3-04",
        "Other 1",
        notebook=Notebook(
            0.9943, 0.9943, 0.0213, epoch_seconds=22, **sizes(20_010, 268, "26 24 22 22 11 9 7 7 5")
        ),
        params=20_010,
        seeds=3,
        keras=True,
        remark=UNKNOWN,
    ),
    Row(
        "S3-05",
        "Other 2",
        notebook=Notebook(**sizes(12_664, 228, "26 24 24 22 11 9 7 7 5 3")),
        params=12_664,
        keras=True,
        remark=f'"Not worth it", without a number; {UNKNOWN}',
    ),
    Row(
        "S3-06",
        "Other 3: 64 filters first",
        notebook=Notebook(
            0.9939, 0.9940, 0.0221, epoch_seconds=23, **sizes(15_958, 308, "26 22 24 22 11 9 7 7 5")
        ),
        params=15_958,
        keras=True,
        remark=f"the notebook's comment gives the 1x1 convolution a map of 22, it has 26; {UNKNOWN}",
    ),
    Row(
        "S3-07",
        "Other 4: S3-02 with batch norm and dropout",
        notebook=Notebook(best=0.9942, **sizes(None, 0, PLAIN_MAPS)),
        params=10_844,
        keras=True,
        expected={"trainable": 10_684, "non-trainable": 160},
        remark='"achieve 99.42 but after overfitting, but result was not overfitted" contradicts itself, '
        "and there is no log; batches of 64 as in S3-01",
    ),
    *(
        Row(
            "S3-08",
            "grid",
            arm,
            params=GRID_PARAMS[on[:2]],
            seeds=2,
            keras=True,
            remark=f"{GRID_EPOCHS} epochs of Adam(0.003)",
        )
        for arm, on in GRID.items()
    ),
    CLAIMS := Row(
        "S3-08",
        "grid: what each thing does",
        "claims",
        Notebook(values=dict.fromkeys((ALIKE, OVERFITS, NEEDED, OVERKILL), "yes")),
        seeds=0,
        remark="answered by the trainings of the grid, where they can: they have 8 epochs, the notebook's "
        "net reached 99.4 % in its 12th, and no two nets differ in filters beyond 32 alone. The notebook's "
        "column is what its prose claims",
    ),
    Row(
        "S3-best",
        "S3-03's net, trained better",
        params=13_880,
        seeds=3,
        remark="not in the notebook: augmented images, one cycle of the rate, no dropout, momentum 0.9",
    ),
]
