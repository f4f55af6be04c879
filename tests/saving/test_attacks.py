"""Files made by hand to do harm: each ends in a FileError that says what is wrong, and does none."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.saving import FileError, UnknownObjectError, load_model
from tinynet.saving.keras import hdf5

from hostile_files import (
    KERAS,
    archive,
    attempt,
    functional,
    members_of,
    put_together,
    saved,
    sequential,
    signed,
    taken_apart,
)


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    load_model(KERAS / "sgd.keras")  # whatever is imported at the first call
    return saved(sequential, tmp_path_factory.mktemp("valid") / "net.tinynet")


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return saved(functional, tmp_path_factory.mktemp("valid") / "net.tinynet")


def refused(path, data, match):
    outcome = attempt(path, data)
    assert isinstance(outcome, FileError), outcome
    assert match in str(outcome), str(outcome)


def with_layer(data, entry, index=1):
    """A file whose layer `index` is described otherwise."""
    header, description, arrays = taken_apart(data)
    description["model"]["config"]["layers"][index] = entry
    return put_together(header, description, arrays)


class Evil:
    def __reduce__(self):
        return os.system, ("echo evil > evil",)


@pytest.mark.parametrize("data", [
    b"", b"\0" * 8, b"{}", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", pickle.dumps(Evil()),
    b"#!/bin/sh\nrm -rf /\n", b"\xff" * 500,
    (2**63).to_bytes(8, "little") + b"{" * 300,
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["tinynet", "keras"])
def test_other_kinds_of_files(data, suffix, tmp_path):
    refused(tmp_path / f"net.{suffix}", data, "it is not")


# Names of code


@pytest.mark.parametrize("name", [
    "os.system", "builtins>eval", "builtins.eval", "subprocess.Popen", "__import__", "tinynet.layers.Dense",
    "Layer.__init__",
    "../Dense", "Dense\0", "numpy", "type", "object", "",
])  # fmt: skip
def test_names_are_never_imported(name, valid, tmp_path):
    refused(
        tmp_path / "a.tinynet", with_layer(valid, {"class_name": name, "config": {}}), "there is no class"
    )
    members = members_of(KERAS / "sgd.keras")
    config = json.loads(members["config.json"])
    for module in ("os", "builtins", "keras.layers", None):
        config["config"]["layers"][1] = {
            "module": module,
            "class_name": name,
            "config": {},
            "registered_name": name,
        }
        refused(
            tmp_path / "a.keras", archive({**members, "config.json": json.dumps(config)}), "there is no class"
        )


@pytest.mark.parametrize("function", [
    {"function": "os>system"}, {"class_name": "__lambda__",
                                "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}},
    {"class_name": "function", "config": "eval", "module": "builtins", "registered_name": "eval"},
    {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}, "eval",
    "os.system",
    {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"},
])  # fmt: skip
def test_functions_are_never_found_by_module(function, tmp_path):
    members = members_of(KERAS / "sgd.keras")
    config = json.loads(members["config.json"])
    entry = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "f", "function": function}}
    config["config"]["layers"].insert(1, {**entry, "registered_name": None})
    outcome = attempt(tmp_path / "net.keras", archive({**members, "config.json": json.dumps(config)}))
    assert isinstance(outcome, FileError), outcome


def test_python_lambdas_are_not_saved(tmp_path):
    path = tmp_path / "net.tinynet"
    model = tinynet.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x + 1)])
    path.write_bytes(b"an older file")
    for suffix in ("tinynet", "keras"):
        with pytest.raises(ValueError, match=r"lambda is code.*register_keras_serializable"):
            model.save(path.with_suffix(f".{suffix}"))
    assert [one.name for one in tmp_path.iterdir()] == ["net.tinynet"]
    assert path.read_bytes() == b"an older file"
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", lambda y, p: (y - p) ** 2)
    with pytest.raises(ValueError, match="lambda"):
        model.save(path)


def test_a_class_that_is_not_registered(tmp_path):
    class Own(layers.Layer):
        def call(self, x):
            return 2 * x

    model = tinynet.Sequential([layers.Input((3,)), Own()])
    for path in (tmp_path / "net.tinynet", tmp_path / "net.keras"):
        model.save(path)
        with pytest.raises(
            UnknownObjectError, match=r"register_keras_serializable\(\), or pass custom_objects=\{'Own'"
        ):
            load_model(path)
        assert type(load_model(path, custom_objects={"Own": Own}).layers[0]) is Own


# Sizes


@pytest.mark.parametrize("entry", [
    {"class_name": "Dense", "config": {"units": 10**12}}, {"class_name": "Dense", "config": {"units": 2**28}},
    {"class_name": "Conv2D", "config": {"filters": 2**27, "kernel_size": 3}},
    {"class_name": "Embedding", "config": {"input_dim": 2**28, "output_dim": 2**28}},
    {"class_name": "InputLayer", "config": {"batch_shape": [None, 2**24, 2**24, 1]}},
    {"class_name": "ZeroPadding2D", "config": {"padding": 2**27}},
    {"class_name": "UpSampling2D", "config": {"size": 2**20}},
    {"class_name": "Conv2DTranspose", "config": {"filters": 1, "kernel_size": 1, "strides": 2**20}},
    {"class_name": "Reshape", "config": {"target_shape": [2**28]}},
    {"class_name": "RepeatVector", "config": {"n": 2**28}},
    {"class_name": "BatchNormalization", "config": {"center": False, "scale": False, "axis": 2**20}},
    {"class_name": "Rescaling", "config": {"scale": [[0.0] * 300] * 300}},
    {"class_name": "Lambda", "config": {"function": "one_hot", "arguments": {"num_classes": 2**25}}},
    {"class_name": "Lambda", "config": {"function": "broadcast_to",
                                        "arguments": {"shape": [2**12, 2, 5, 5, 2**12]}}},
    {"class_name": "Lambda", "config": {"function": "matmul", "arguments": {"x2": [[1.0] * 100_000]}}},
])  # fmt: skip
def test_nothing_large_is_allocated(entry, valid, tmp_path):
    data = with_layer(valid, entry, 0 if entry["class_name"] == "InputLayer" else 1)
    attempt(tmp_path / "net.tinynet", data)  # what is used for the first time allocates, too
    tracemalloc.start()
    try:
        outcome = attempt(tmp_path / "net.tinynet", data)
        assert isinstance(outcome, FileError), outcome
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("entries", [
    [[2**13, 2**13, 1], {"class_name": "Normalization", "config": {"axis": [1, 2], "mean": 0.0,
                                                                   "variance": 1.0}}],
    [[2**13, 2**14, 1], {"class_name": "Lambda", "config": {"function": "square"}}],
    [[2**14, 1], {"class_name": "Operation", "config": {"operator": "add", "constant": [0.0] * 2**15}}],
    [[2**13, 2**13], {"class_name": "Operation", "config": {"operator": "matmul",
                                                            "constant": [[0.0]] * 2**13}}] * 2,
])  # fmt: skip
def test_shapes_are_found_without_large_arrays(entries, valid, tmp_path):
    header, description, arrays = taken_apart(valid)
    first = {"class_name": "InputLayer", "config": {"batch_shape": [None, *entries[0]]}}
    description["model"]["config"].update(layers=[first, *entries[1:]], build_input_shape=None)
    data = put_together(header, description, arrays)
    tracemalloc.start()
    try:
        assert isinstance(attempt(tmp_path / "net.tinynet", data), FileError)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_operations_that_enlarge_need_a_shape_when_saved(tmp_path):
    tiled = layers.Lambda(tinynet.ops.tile, arguments={"repeats": [1, 3]})
    with pytest.raises(FileError, match="output_shape"):
        tinynet.Sequential([layers.Input((2,)), tiled]).save(tmp_path / "net.tinynet")
    tiled = layers.Lambda(tinynet.ops.tile, output_shape=(6,), arguments={"repeats": [1, 3]})
    tinynet.Sequential([layers.Input((2,)), tiled]).save(tmp_path / "net.tinynet")
    assert load_model(tmp_path / "net.tinynet").output_shape == (None, 6)


@pytest.mark.parametrize("metric", [
    {"class_name": "MeanIoU", "config": {"num_classes": 15_000}},
    {"class_name": "AUC", "config": {"num_thresholds": 15_000, "multi_label": True, "num_labels": 15_000}},
])  # fmt: skip
def test_metrics_are_not_larger_than_models(metric, valid, tmp_path):
    header, description, arrays = taken_apart(valid)
    description["compile"]["metrics"] = [metric]
    refused(
        tmp_path / "net.tinynet", put_together(header, description, arrays), "larger than what the file holds"
    )
    description["compile"]["metrics"] = ["accuracy", *[{"class_name": "Mean", "config": {}}] * 2000]
    refused(tmp_path / "net.tinynet", put_together(header, description, arrays), "2,00")


@pytest.mark.parametrize("metric", [
    {"class_name": "AUC", "config": {"num_thresholds": 10**9}},
    {"class_name": "MeanIoU", "config": {"num_classes": 10**9}},
])  # fmt: skip
def test_metrics_have_limits(metric, valid, tmp_path):
    header, description, arrays = taken_apart(valid)
    description["compile"]["metrics"] = [metric]
    refused(tmp_path / "net.tinynet", put_together(header, description, arrays), "too large")


def test_deep_and_wide_descriptions(valid, tmp_path):
    header, description, arrays = taken_apart(valid)
    deep = description["model"]
    for _ in range(60):
        deep = {"class_name": "Sequential", "config": {"name": "s", "layers": [deep]}}
    refused(tmp_path / "a.tinynet", put_together(header, {**description, "model": deep}, arrays), "nested")
    wide = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Flatten", "config": {}}] * 3000},
    }
    refused(
        tmp_path / "b.tinynet",
        put_together(header, {**description, "model": wide}, arrays),
        "more than 2,000",
    )
    lists = b'{"a": [' + b",".join([b"[]"] * 1_500_000) + b"]}"
    refused(
        tmp_path / "e.keras",
        archive({"config.json": lists, "model.weights.h5": b""}),
        "more than 400,000 values",
    )
    twice = b"{" + b",".join(b'"%d":0' % i for i in range(300_000)) + b',"299999":0}'
    refused(
        tmp_path / "f.keras",
        archive({"config.json": twice, "model.weights.h5": b""}),
        "'299999' stands twice",
    )
    text = b"[" * 200_000
    refused(
        tmp_path / "c.keras", archive({"config.json": text, "model.weights.h5": b""}), "nested too deeply"
    )
    refused(tmp_path / "d.keras", archive({"config.json": b"1" * 6000, "model.weights.h5": b""}), "not JSON")


# The container


def header_of(data):
    size = int.from_bytes(data[:8], "little")
    return data[8 : 8 + size], data[8 + size :]


def with_header(text, arrays):
    return signed(len(text).to_bytes(8, "little") + text + arrays)


def test_tensors_twice_overlapping_apart_or_beyond(valid, tmp_path):
    text, arrays = header_of(valid)
    header = json.loads(text)
    name = "weights/dense/bias"
    one = json.dumps({name: header[name]}, separators=(",", ":"))[1:-1].encode()
    refused(tmp_path / "a.tinynet", with_header(text.replace(one, one + b"," + one), arrays), "twice")
    begin, end = header[name]["data_offsets"]
    moves = (
        [begin - 4, end - 4],
        [begin + 4, end + 4],
        [begin, end + 4],
        [begin, 2**62],
        [-8, 0],
        [end, begin],
        [begin],
    )
    for offsets in moves:
        moved = {**header, name: {**header[name], "data_offsets": offsets}}
        forged = json.dumps(moved, separators=(",", ":")).encode()
        assert isinstance(attempt(tmp_path / "b.tinynet", with_header(forged, arrays)), FileError)
    for shape in ([2**61, 2**61], [-1, -2], [2.0], ["2"], [[2]], 2, None, [2] * 40, [0, 2**61], [True, 2]):
        forged = json.dumps(
            {**header, name: {**header[name], "shape": shape}}, separators=(",", ":")
        ).encode()
        assert isinstance(attempt(tmp_path / "c.tinynet", with_header(forged, arrays)), FileError)
    refused(tmp_path / "d.tinynet", with_header(text, arrays + b"more"), "bytes")
    refused(tmp_path / "e.tinynet", with_header(text, arrays[:-4]), "bytes")


def test_a_header_that_lies_about_its_length(valid, tmp_path):
    for size in (0, 7, 2**20, 2**63, 2**64 - 1):
        forged = signed(struct.pack("<Q", size) + valid[8:])
        assert isinstance(attempt(tmp_path / "net.tinynet", forged), FileError)


def test_circles_and_missing_ends(graph, tmp_path):
    header, description, arrays = taken_apart(graph)

    def taking(config, name):
        config["layers"][1]["inbound_nodes"][0]["args"][0]["config"].update(keras_history=[name, 0, 0])

    for change, match in [
        (lambda c: taking(c, "concatenate"), "circle"),
        (lambda c: taking(c, "nobody"), "there is not"),
        (lambda c: c.update(output_layers=[["add", 7, 0]]), "there is not"),
        (lambda c: c.update(output_layers=[]), "no output_layers"),
        (lambda c: c["layers"].append(c["layers"][1]), "name of its own"),
        (lambda c: c["layers"][1]["inbound_nodes"].clear(), ""),
    ]:
        forged = json.loads(json.dumps(description))
        change(forged["model"]["config"])
        refused(tmp_path / "net.tinynet", put_together(header, forged, arrays), match)


def test_layers_are_not_called_on_numbers(graph, tmp_path):
    header, description, arrays = taken_apart(graph)
    call = {"args": [[[[[1.0]]]]], "kwargs": {}}  # as it stands it would be run while the model is made
    entry = {
        "class_name": "UpSampling2D",
        "config": {"name": "large", "size": [2**13, 2**13]},
        "name": "large",
    }
    description["model"]["config"]["layers"].append({**entry, "inbound_nodes": [call]})
    refused(tmp_path / "net.tinynet", put_together(header, description, arrays), "no output of another layer")


def test_models_in_models_that_are_called_twice_each(graph, tmp_path):
    header, description, arrays = taken_apart(graph)

    def tensor(name):
        config = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, 0, 0]}
        return {"args": [{"class_name": "__keras_tensor__", "config": config}], "kwargs": {}}

    model = {"class_name": "Identity", "config": {"name": "x"}}
    for _ in range(20):
        first = {"class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "i"}, "name": "i"}
        chain = [
            {**first, "inbound_nodes": []},
            {**model, "name": "x", "inbound_nodes": [tensor("i"), tensor("x")]},
        ]
        ends = {"input_layers": ["i", 0, 0], "output_layers": ["x", 1, 0]}
        model = {"class_name": "Functional", "config": {"name": "m", "layers": chain, **ends}}
    refused(
        tmp_path / "net.tinynet",
        put_together(header, {**description, "model": model}, arrays),
        "more than 30,000",
    )


def test_thousands_of_calls_listed_backwards(graph, tmp_path):
    header, description, arrays = taken_apart(graph)

    def called(name, source):
        history = {"shape": [None, 4], "dtype": "float32", "keras_history": [source, 0, 0]}
        tensor = {"class_name": "__keras_tensor__", "config": history}
        entry = {"class_name": "Activation", "config": {"activation": "relu", "name": name}, "name": name}
        return {**entry, "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}

    first = description["model"]["config"]["layers"][0]
    chain = [called(f"a{i}", f"a{i - 1}" if i else first["name"]) for i in range(1998)]
    config = {"name": "m", "input_layers": [first["name"], 0, 0], "output_layers": ["a1997", 0, 0]}
    model = {"class_name": "Functional", "config": {**config, "layers": [*reversed(chain), first]}}
    attempt(tmp_path / "net.tinynet", put_together(header, {**description, "model": model}, arrays))


# Places in the file system


def test_links_folders_pipes_and_devices(valid, tmp_path):
    (tmp_path / "net.tinynet").write_bytes(valid)
    (tmp_path / "link.tinynet").symlink_to(tmp_path / "net.tinynet")
    assert load_model(tmp_path / "link.tinynet").built
    (tmp_path / "broken.tinynet").symlink_to(tmp_path / "absent")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "broken.tinynet")
    (tmp_path / "folder.tinynet").mkdir()
    with pytest.raises(FileNotFoundError, match="folder"):
        load_model(tmp_path / "folder.tinynet")
    (tmp_path / "zero.tinynet").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.tinynet")
    for name in ("zero", "pipe"):
        with pytest.raises(FileError, match="not a file"):
            load_model(tmp_path / f"{name}.tinynet")


def test_saving_onto_a_link_leaves_its_target_alone(tmp_path):
    (tmp_path / "target.tinynet").write_bytes(b"keep me")
    (tmp_path / "net.tinynet").symlink_to(tmp_path / "target.tinynet")
    sequential()[0].save(tmp_path / "net.tinynet")
    assert (tmp_path / "target.tinynet").read_bytes() == b"keep me"
    assert load_model(tmp_path / "net.tinynet").built


# Zip archives


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "C:\\evil", "..\\evil", "assets/../../evil"]
)
def test_members_that_lead_out_of_the_archive(name, tmp_path):
    members = members_of(KERAS / "sgd.keras")
    refused(tmp_path / "net.keras", archive({**members, name: b"evil"}), "leads out")


def test_zip_bombs(tmp_path):
    members = members_of(KERAS / "sgd.keras")
    for name in ("config.json", "model.weights.h5"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for other, data in members.items():
                if other != name:
                    file.writestr(other, data)
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(90):
                    member.write(b" " * 1_000_000)
        tracemalloc.start()
        try:
            refused(tmp_path / "net.keras", buffer.getvalue(), "is said to have")
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


def test_zip_bombs_that_lie_about_their_size(tmp_path):
    members = members_of(KERAS / "sgd.keras")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.weights.h5", members["model.weights.h5"])
        file.writestr("config.json", b" " * 90_000_000)
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 24] = (2**31).to_bytes(4, "little")  # the compressed size, in the table at the end
    refused(tmp_path / "net.keras", bytes(data), "is said to have")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_kinds_of_compression(method, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in members_of(KERAS / "sgd.keras").items():
            file.writestr(name, data)
    refused(tmp_path / "net.keras", buffer.getvalue(), "compressed in a way")


def test_members_twice_missing_or_encrypted(tmp_path):
    members = members_of(KERAS / "sgd.keras")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("config.json", members["config.json"])
    refused(tmp_path / "a.keras", buffer.getvalue(), "of one name")
    refused(tmp_path / "b.keras", archive({"config.json": members["config.json"]}), "has no model.weights.h5")
    refused(
        tmp_path / "c.keras", archive({"model.weights.h5": members["model.weights.h5"]}), "has no config.json"
    )
    data = bytearray(archive(members))
    for at in range(len(data) - 12):
        if data[at : at + 4] in (b"PK\x03\x04", b"PK\x01\x02"):
            data[at + (6 if data[at + 2] == 3 else 8)] |= 1  # the flag of encryption
    refused(tmp_path / "d.keras", bytes(data), "not a whole .keras archive")


# HDF5


def hdf5_bytes(make):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        make(h5py, file)
    return buffer.getvalue()


@pytest.mark.parametrize(("make", "match"), [
    (lambda h5py, file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/x")), (
        "links to other "
        "files"
    )),
    (lambda h5py, file: file.__setitem__("a", h5py.SoftLink("/b")), "link"),
    (lambda h5py, file: file.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)]),
     "in other files"),
    (lambda h5py, file: file.create_dataset("a", data=np.ones(100), chunks=(10,)), "one piece"),
    (lambda h5py, file: file.create_dataset("a", data=np.ones(100), chunks=(10,), compression="gzip"),
     "compressed"),
    (lambda h5py, file: file.create_dataset("a", (2**40,), "f4"), "does not fit"),
    (lambda h5py, file: file.create_dataset("a", data=np.array([b"text"])), "integers or floats"),
    (lambda h5py, file: file.create_group("a/b").__setitem__("c", file["a"]), "circles"),
])  # fmt: skip
def test_hdf5_that_keras_does_not_write(make, match):
    with pytest.raises(FileError, match=match):
        hdf5.read(hdf5_bytes(make))


def test_long_paths_are_not_kept_for_every_dataset():
    def deep(h5py, file):
        group = file
        for _ in range(60):
            group = group.create_group("x" * 900)
        for i in range(300):
            group[str(i)] = np.ones(1, np.int8)

    with pytest.raises(FileError, match="not a whole"):
        hdf5.read(hdf5_bytes(deep))
    for length in range(8, 100):
        with pytest.raises(FileError):
            hdf5.read(hdf5.SIGNATURE + bytes(length - 8))


def test_virtual_datasets(tmp_path):
    def virtual(h5py, file):
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
        file.create_virtual_dataset("a", layout)

    with pytest.raises(FileError):
        hdf5.read(hdf5_bytes(virtual))


def test_the_newer_form_of_hdf5_is_named(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as file:
        file["a"] = np.ones(3)
    with pytest.raises(FileError, match="save it again"):
        hdf5.read((tmp_path / "new.h5").read_bytes())
