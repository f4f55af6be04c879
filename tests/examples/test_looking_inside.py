"""The notebook runs from its first cell to its last, and is stored without what its cells print."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = ROOT / "examples" / "looking_inside.ipynb"


def test_the_notebook_runs(tmp_path):
    """Its cells compare what they compute; an error in one fails."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.create_kernel_manager()
    with client.setup_kernel(cwd=str(tmp_path), env=dict(os.environ)):
        for i, cell in enumerate(notebook.cells):
            client.execute_cell(cell, i)
    shown = [output.data for cell in code for output in cell.outputs if "data" in output]
    (page,) = [data["text/html"] for data in shown if "<iframe" in data.get("text/html", "")]
    assert len(page) > 100_000
    assert (tmp_path / "looking_inside.html").is_file()
