"""The file of a backup: what goes in comes out, bit for bit; test_backup.py damages it."""

import json
import math

import numpy as np

from tinynet.callbacks import backup_file


def test_packing_keeps_every_bit_and_type():
    arrays = {
        "w": np.array([[1.0, math.pi]], np.float32),
        "empty": np.zeros((0, 3)),
        "one": np.array(7, np.uint64),
    }
    other = [
        {"list": [1, 2.5, None, True, "text"], 3: {"nested": np.arange(6.0)[::2]}, "nan": math.nan,
         "big": 2**100},
        0.1 + 0.2, np.float32(0.1), -0.0, math.inf,
    ]  # fmt: skip
    named, text = backup_file.pack(arrays, other)
    found_arrays, found = backup_file.unpack(named, text)
    assert list(found_arrays) == list(arrays)
    assert all(found_arrays[name] is arrays[name] for name in arrays)
    assert found[0]["list"] == [1, 2.5, None, True, "text"]
    assert found[0][3]["nested"].tolist() == [0.0, 2.0, 4.0]
    assert math.isnan(found[0]["nan"])
    assert found[0]["big"] == 2**100
    assert found[1:3] == [0.1 + 0.2, float(np.float32(0.1))]
    assert math.copysign(1, found[3]) == -1
    json.loads(text)
