"""Build file of tinynet: `kernels/` at the top of the tree is installed as the subpackage `tinynet.kernels`.

A global package called `kernels` would collide with others of that name. `tinynet/kernels` is a link to the
folder, so that editors and type checkers find it too, and an editable install is a path, which they read.
Where links are not to be had (a checkout on Windows makes a text file of it) the folder is mapped below
`tinynet` here: all works, but editors do not see it.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
LINKED = (ROOT / "tinynet" / "kernels" / "__init__.py").is_file()
VERSION = re.search(
    r'__version__ = "(.+)"', (ROOT / "tinynet" / "__init__.py").read_text(encoding="utf-8")
).group(1)

setup(
    name="tinynet",
    version=VERSION,
    description="A readable neural-network engine on NumPy, Numba and CuPy, with Keras's API",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8")
    if (ROOT / "README.md").exists()
    else "",
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    package_dir={"": "."} if LINKED else {"tinynet.kernels": "kernels"},
    packages=[
        *find_packages(include=["tinynet", "tinynet.*"]),
        *([] if LINKED else ["tinynet.kernels"]),
        *([] if LINKED else (f"tinynet.{package}" for package in find_packages(include=["kernels.*"]))),
    ],
    package_data={
        "tinynet": ["py.typed", "datasets/*.npz", "datasets/*.md"],
        "tinynet.explorer": ["web/*"],  # what runs in its pages
        "": ["*.cu"],
    },
    install_requires=[
        "numpy>=2.0",
        "numba>=0.68",
        "matplotlib>=3.8",
        "tqdm>=4.66",
        "pooch>=1.8",
        "safetensors>=0.4.3",
        "threadpoolctl>=3.5",
    ],
    extras_require={
        # [ctk]: with NVRTC, which compiles the kernels, and cuBLAS, from NVIDIA's own packages
        "cuda12": ["cupy-cuda12x[ctk]>=14"],
        "cuda13": ["cupy-cuda13x[ctk]>=14"],
        "keras": ["h5py>=3.11"],  # writes Keras's .weights.h5 and .keras files; reading them needs nothing
        "onnx": ["onnx>=1.17"],
        # writes the event files; the program that shows them is `tensorboard`
        "tensorboard": ["tensorboardX>=2.6.2"],
        "test": [
            *("pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100"),
            *("ruff>=0.17", "mypy>=2.0", "setuptools>=77"),
            *("tensorboardX>=2.6.2", "tensorboard>=2.16"),
            *("h5py>=3.11", "onnx>=1.17", "onnxruntime>=1.20"),
            *("nbclient>=0.10", "ipykernel>=6.29"),  # what notebooks show
            # open the explorer's pages, if the machine has Chromium, and look for barriers in them
            *("playwright>=1.49", "axe-playwright-python>=0.1.4"),
            "pyright[nodejs]>=1.1.414",  # what editors see; it comes with all it needs, Node.js included
        ],
    },
)
