"""What the README says is what happens: its commands are what CI runs, its code runs, its files exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)


def test_ci_runs_the_two_commands_of_the_readme():
    commands = [line for language, code in BLOCKS if not language for line in code.splitlines()]
    commands = [line for line in commands if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("examples/mnist_vgg.py")
    assert commands[1].endswith("-m pytest -n auto --dist loadfile")
    assert "grep '^python3 -m venv' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(tmp_path):
    code = "\n".join(code for language, code in BLOCKS if language == "python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digits.tinynet").is_file()
    last = [line for line in done.stdout.splitlines() if "val_accuracy" in line][-1]
    assert float(re.search(r"val_accuracy: ([\d.]+)", last)[1]) > 0.9


def test_the_api_fits_in_twenty_lines():
    first = next(code for language, code in BLOCKS if language == "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 20


def test_the_files_that_a_convolution_enters():
    """If this fails because the code has changed, put what `python -m benchmarks chain`
    prints into the README.
    """
    command = [sys.executable, "-m", "benchmarks", "chain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    printed = done.stdout.strip()
    assert printed in [code.strip() for language, code in BLOCKS if not language]
    files = re.findall(r"^  (\S+\.py) ", printed, flags=re.MULTILINE)
    assert printed.endswith(f"{len(files)} files")
    some = {
        "tinynet/layers/conv2d.py",
        "tinynet/ops/convolution2d.py",
        "kernels/conv2d/vector.py",
        "kernels/emit/objects.py",
    }
    assert some <= set(files)


def test_files_named_in_the_documents_exist():
    for document in ("README.md", "CONTRIBUTING.md", "kernels/README.md", "kernels/cuda/README.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        text = re.sub(r"`[^`]+`, a new file", "", text)  # which the reader makes
        folder = ROOT
        for name in re.findall(r"`([\w./-]+(?:\.py|\.md|/))`|\]\(([\w./-]+)\)", text):
            path = Path(name[0] or name[1])
            # where names without a folder lie from here on
            if len(path.parts) > 1 and (ROOT / path).parent.is_dir():
                folder = ROOT / path if (ROOT / path).is_dir() else (ROOT / path).parent
            candidates = (
                ROOT / path,
                folder / path.name,
                ROOT / "tinynet" / path,
                ROOT / "kernels" / path,
                (ROOT / document).parent / path,
            )
            assert any(candidate.exists() for candidate in candidates), f"{document} names {path}"
