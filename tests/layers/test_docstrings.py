"""What `help` says of a layer: every argument by its name, and an example that runs."""

import doctest
import inspect

import numpy as np
import pytest

from tinynet import layers, signature

PUBLIC = [(name, getattr(layers, name)) for name in sorted(layers.__all__)]
# no second names
CLASSES = [name for name, cls in PUBLIC if inspect.isclass(cls) and cls.__name__ == name != "Layer"]
OF_ALL = {"activity_regularizer", "dtype", "name", "trainable"}  # Layer says what they are


@pytest.mark.parametrize("name", CLASSES)
def test_the_example_runs_and_gives_what_it_says(name):
    text = inspect.getdoc(getattr(layers, name))
    names = {"np": np, **{other: getattr(layers, other) for other in CLASSES}}
    example = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert any(one.want for one in example.examples), "there is no example with a result"
    out = []
    found = doctest.DocTestRunner().run(example, out=out.append)
    assert found.failed == 0, "".join(out)


@pytest.mark.parametrize("name", CLASSES)
def test_every_argument_is_named(name):
    cls = getattr(layers, name)
    text = inspect.getdoc(cls)
    missing = [
        argument for argument in signature.accepted(cls) if argument not in text and argument not in OF_ALL
    ]
    assert not missing
    assert all(len(line) <= 124 for line in text.splitlines())


def test_what_all_layers_take_is_said_once():
    assert all(name in inspect.getdoc(layers.Layer) for name in OF_ALL)
