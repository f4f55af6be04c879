"""What a notebook shows, run by a real kernel: pictures, progress,
tables; a name is text there and never markup.
"""

import base64
import io
import os
import re
import textwrap
from html.parser import HTMLParser

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, markup, plotting
from tinynet.autograd import Tensor

CELLS = {
    "setup": """
        import numpy as np, tinynet
        from tinynet import layers, plotting
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(256, 8, 8, 1)).astype("float32"), rng.integers(0, 4, 256)
        dense = layers.Dense(4, activation="softmax")
        model = tinynet.Sequential([layers.Input((8, 8, 1)), layers.Flatten(), dense])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        class Slow(tinynet.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                import time; time.sleep(0.06)
    """,
    "confusion": "plotting.confusion_matrix(y, y)",
    "plot_model": "tinynet.utils.plot_model(model, None)",
    "show": "plotting.gallery(x[:4]).show()",
    "subplot": "import matplotlib.pyplot as plt; plt.plot([1, 2]); plotting.gallery(x[:4])",
    "fit": "history = model.fit(x, y, epochs=2, callbacks=[Slow()])",
    "model": "model",
    "tensor": "tinynet.Tensor(x)",
    "history": "history",
    "summary": "model.summary()",
    "error": "model.predict(x[:, :7], verbose=0)",
}


@pytest.fixture(scope="module")
def outputs():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(source).strip()) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    environment = {**os.environ, "TINYNET_FULL_TRACEBACKS": ""}
    client = nbclient.NotebookClient(notebook, timeout=300, allow_errors=True, kernel_name="python3")
    client.create_kernel_manager()
    with client.setup_kernel(env=environment):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def data_of(outputs, kind):
    shown = [output.data for output in outputs if output.output_type in ("display_data", "execute_result")]
    return [data[kind] for data in shown if kind in data]


def text_of(outputs, name="stdout"):
    return "".join(
        output.text for output in outputs if output.output_type == "stream" and output.name == name
    )


@pytest.mark.parametrize("cell", ["confusion", "plot_model", "show", "subplot"])
def test_pictures_are_shown(outputs, cell):
    import matplotlib.image

    pictures = data_of(outputs[cell], "image/png")
    image = matplotlib.image.imread(io.BytesIO(base64.b64decode(pictures[-1])))
    assert min(image.shape[:2]) > 50
    assert image[..., :3].std() > 0.01  # it is not empty


def test_progress_is_drawn_while_it_lasts(outputs):
    text = text_of(outputs["fit"])
    assert text.count("\r") > 5
    assert re.search(r"\r\d/8 ━*─+ \d+s \d+ms/step - accuracy: 0\.\d+ - loss: \d\.\d+", text)
    kept = [line.rpartition("\r")[2] for line in text.split("\n")]
    assert [line for line in kept if line.startswith("Epoch")] == ["Epoch 1/2", "Epoch 2/2"]
    assert len([line for line in kept if line.startswith("8/8 ━━━━━━━━━━━━━━━━━━━━ ")]) == 2


def test_tables_and_curves(outputs):
    (model,) = data_of(outputs["model"], "text/html")
    for text in ("Layer (type)", "flatten (Flatten)", "(None, 4)", "260", "Trainable params: 260"):
        assert text in model
    (tensor,) = data_of(outputs["tensor"], "text/html")
    for text in ("(256, 8, 8, 1)", "float32", "min", "max", "mean", "[0, :, :, 0]"):
        assert text in tensor
    assert tensor.count("<td") > 64
    (history,) = data_of(outputs["history"], "text/html")
    assert "<svg" in history
    assert history.count("<tr>") == 3
    (plain,) = data_of(outputs["tensor"], "text/plain")
    assert plain.startswith("Tensor(shape=(256, 8, 8, 1), dtype=float32, min=")


def test_errors_are_short(outputs):
    (error,) = [output for output in outputs["error"] if output.output_type == "error"]
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert "x.reshape" in text or "reshape the data" in text
    assert "trainer.py" not in text
    assert "model.predict(x[:, :7], verbose=0)" in text


# Without a kernel


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.seen.update(f"@{name}" for name, _ in attrs)
        if tag not in ("br",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)
        self.seen.update(f"@{name}" for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
ALLOWED = {
    "table", "thead", "tbody", "tr", "th", "td", "caption", "p", "svg", "polyline", "text", "@style",
    "@width", "@height",
    "@role", "@fill", "@stroke", "@stroke-width", "@points", "@x", "@y", "@font-size",
}  # fmt: skip


def named_history():
    history = callbacks.History()
    for epoch in range(30):
        history.on_epoch_end(
            epoch, {"loss": 1 / (epoch + 1), HOSTILE: 0.5, **({"val_loss": np.nan} if epoch % 2 else {})}
        )
    return history


@pytest.mark.parametrize(
    "make",
    [
        lambda: tinynet.Sequential([layers.Input((3,)), layers.Dense(2, name=HOSTILE)], name=HOSTILE),
        lambda: tinynet.Sequential([layers.Dense(2, name=HOSTILE)], name=HOSTILE),
        lambda: Tensor(np.eye(3), name=HOSTILE),
        lambda: Tensor(np.full((2, 3), np.nan)),
        lambda: Tensor(np.zeros((0, 3))),
        lambda: Tensor(3),
        lambda: Tensor(np.array([1 + 2j])),
        lambda: Tensor(np.ones((2,) * 6)),
        named_history,
        callbacks.History,
    ],
)
def test_names_are_text_and_never_markup(make):
    found = Tags()
    html = make()._repr_html_()
    found.feed(html)
    found.close()
    assert not found.open
    assert found.seen <= ALLOWED
    assert HOSTILE not in html


def test_names_in_pictures_and_tables_are_text():
    for html in (
        markup.curves({HOSTILE: [1, 2]}),
        markup.table([HOSTILE], [[HOSTILE]], HOSTILE),
        markup.paragraph(HOSTILE),
    ):
        found = Tags()
        found.feed(html)
        assert found.seen <= ALLOWED
        assert HOSTILE not in html


def test_a_long_history_is_short():
    assert named_history()._repr_html_().count("<tr>") == 11


def test_grids_and_curves_are_drawn_to_scale():
    assert markup.grid(np.array([[0.0, 5.0, 10.0]])).count("rgba(0,114,178,0.30)") == 1
    points = re.findall(
        r"points=\"(.*?)\"", markup.curves({"a": [0, 10], "b": [5, np.nan, 0]}, width=108, height=108)
    )
    assert points == ["4.0,104.0 54.0,4.0", "4.0,54.0 104.0,104.0"]


def test_figures_are_matplotlibs_own():
    import pickle

    import matplotlib.figure

    figure = plotting.gallery(np.zeros((4, 8, 8, 1)))
    assert isinstance(figure, matplotlib.figure.Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    for suffix in ("svg", "pdf", "png"):
        file = io.BytesIO()
        figure.savefig(file, format=suffix)
        assert len(file.getvalue()) > 500
    again = pickle.loads(pickle.dumps(figure))
    assert type(again) is type(figure)


def test_show_without_a_window_says_where_the_picture_is(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plotting.gallery(np.zeros((4, 8, 8, 1))).show()
    (file,) = tmp_path.iterdir()
    assert capsys.readouterr().out == f"no window can be opened here; the picture is in {file}\n"
    assert file.read_bytes().startswith(b"\x89PNG")


def shades(html):
    return [float(found) for found in re.findall(r"rgba\(0,114,178,([0-9.]+)\)", html)]


def test_shades_of_numbers():
    """From nothing for the lowest to 0.6 for the highest; none where all are alike,
    or where there is no number.
    """
    assert shades(tinynet.Tensor(np.array([[0.0, 1.0], [2.0, 4.0]], np.float32))._repr_html_()) == [
        0,
        0.15,
        0.3,
        0.6,
    ]
    assert shades(tinynet.Tensor(np.full((2, 2), 3.0, np.float32))._repr_html_()) == [0, 0, 0, 0]
    assert shades(tinynet.Tensor(np.array([[np.nan, 1.0], [np.inf, 2.0]], np.float32))._repr_html_()) == [
        0,
        0,
        0,
        0.6,
    ]


def test_connections_are_a_column_where_there_are_any():
    x = layers.Input((3,), name="there")
    functional = tinynet.Model(x, layers.Add()([layers.Dense(3)(x), x]))._repr_html_()
    assert "Connected to" in functional
    assert "there" in functional.partition("Connected to")[2]
    assert "Connected to" not in tinynet.Sequential([layers.Input((3,)), layers.Dense(3)])._repr_html_()
