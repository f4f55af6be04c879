"""CIFAR-10: 60,000 colour images of 32x32 in 10 classes (Krizhevsky, "Learning Multiple Layers of Features
from Tiny Images", 2009), read from the *binary* version; the pickled one could run code on loading.

A batch file is 10,000 records of one label byte and 3,072 pixel bytes (C, H, W). The six batches are read
from the folder `cifar-10-batches-bin` if it is there, and otherwise straight out of the archive, which is
never unpacked.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from tinynet import missing_names
from tinynet.backend import config
from tinynet.datasets import fetch
from tinynet.datasets.idx import Split

missing_names.namespace(__name__)

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
BATCHES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
BATCH_IMAGES = 10_000
PIXELS = 3 * 32 * 32

SOURCE = fetch.Source(
    name="cifar10",
    files={ARCHIVE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
    mirrors=(
        "https://www.cs.toronto.edu/~kriz",
        "https://cave.cs.toronto.edu/kriz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
    ),
)


def load_data() -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (50000, 32, 32, 3) and (10000, 32, 32, 3),
    labels (N, 1).

    With `image_data_format` "channels_first" the images are (N, 3, 32, 32), as in Keras.
    """
    records = np.empty((len(BATCHES), BATCH_IMAGES, 1 + PIXELS), np.uint8)
    unpacked = _unpacked_folder()
    if unpacked is not None:
        batches = ((name, unpacked / name, _read(unpacked / name)) for name in BATCHES)
    else:
        archive = fetch.fetch(SOURCE, ARCHIVE)
        batches = ((name, archive, content) for name, content in _members(archive))
    for name, path, content in batches:
        records[BATCHES.index(name)] = _records(name, path, content)
    train, test = records[:-1].reshape(-1, 1 + PIXELS), records[-1]
    return _split(train), _split(test)


def available() -> bool:
    """Whether the batches or the archive are on this machine."""
    return _unpacked_folder() is not None or fetch.locate(SOURCE, ARCHIVE) is not None


def _unpacked_folder() -> Path | None:
    """The first folder that holds one of the batch files."""
    candidates = (place for folder in fetch.folders(SOURCE.name) for place in (folder / FOLDER, folder))
    return next((place for place in candidates if any((place / name).is_file() for name in BATCHES)), None)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise fetch.corrupted(path.parent, f"{path.name} is missing beside the other batches")
    return path.read_bytes()


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """(file name, content) of the six batches in the archive;
    any member that points outside of it is refused.
    """
    missing = set(BATCHES)
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
                    raise fetch.corrupted(
                        archive, f"its member {member.name!r} is a link or leaves the archive"
                    )
                content = members.extractfile(member) if path.name in missing else None
                if content is not None:
                    missing.remove(path.name)
                    # at most one byte too many
                    yield path.name, content.read(BATCH_IMAGES * (1 + PIXELS) + 1)
    except fetch.DatasetCorrupted:
        raise
    except (
        tarfile.TarError,
        zlib.error,
        EOFError,
        gzip.BadGzipFile,
        ValueError,
        LookupError,
        ArithmeticError,
    ) as error:
        raise fetch.corrupted(archive, f"it is not a whole tar.gz archive ({error})") from error
    if missing:
        raise fetch.corrupted(archive, f"it lacks {', '.join(sorted(missing))}")


def _records(name: str, path: Path, content: bytes) -> np.ndarray:
    """The (10000, 3073) bytes of one batch, checked for size and label range."""
    expected = BATCH_IMAGES * (1 + PIXELS)
    if len(content) != expected:
        relation = "more than" if len(content) > expected else f"{len(content):,} of"
        raise fetch.corrupted(path, f"{name} holds {relation} the expected {expected:,} bytes")
    records = np.frombuffer(content, np.uint8).reshape(BATCH_IMAGES, 1 + PIXELS)
    if records[:, 0].max() >= len(CLASSES):
        raise fetch.corrupted(path, f"{name} holds the label {records[:, 0].max()}, expected 0 to 9")
    return records


def _split(records: np.ndarray) -> Split:
    """Images and labels of records (N, 3073)."""
    images = records[:, 1:].reshape(-1, 3, 32, 32)  # N C H W
    if config.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)  # N H W C
    return np.ascontiguousarray(images), records[:, :1].copy()
