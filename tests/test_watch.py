"""watch: around every function that a step goes through, in any order of opening and closing; then gone."""

import threading

import numpy as np
import pytest

from tinynet import Sequential, config, debug, layers
from tinynet.watch import PLACES, Watch

X, Y = np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)


def net():
    model = Sequential([layers.Input((3,)), layers.Dense(2, name="first"), layers.Dense(1)], name="net")
    model.compile("adam", "mse")
    return model


def in_place():
    return [vars(owner)[name] for owner, name in PLACES.values()]


class Everything(Watch):
    """Counts what goes through each of PLACES, and notes the paths of layers."""

    def __init__(self):
        super().__init__()
        self.seen, self.paths = [], set()

    def enters(self, layer, args, kwargs, training):
        self.seen.append("around_layer")
        self.paths.add("/".join([*self.path, layer.name]))


def counting(name):
    def around(self, function, /, *args, **settings):
        self.seen.append(name)
        return function(*args, **settings)

    return around


for place in set(PLACES) - {"around_layer"}:
    setattr(Everything, place, counting(place))


def test_all_places_are_passed_in_a_step_and_no_bit_changes():
    plain, watched = net(), net()
    watched.set_weights(plain.get_weights())
    plain.fit(X, Y, verbose=0, epochs=4)
    before = in_place()
    with Everything() as watch:
        watched.fit(X, Y, verbose=0, epochs=4)
    assert set(watch.seen) == set(PLACES)
    assert watch.seen.count("around_update") == 4  # steps that are replayed would pass none of them
    assert {"net", "net/first"} <= watch.paths
    assert in_place() == before
    for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("first_closed", [0, 1])
def test_they_close_in_any_order(first_closed):
    before, eagerly = in_place(), config.functions_run_eagerly()
    watches = [Everything(), debug.check_numerics()]
    watches[0].open()
    watches.pop(first_closed).close()
    assert in_place() != before
    assert config.functions_run_eagerly()
    watches[0].close()
    watches[0].close()  # once more does nothing
    assert in_place() == before
    assert config.functions_run_eagerly() == eagerly


def test_nothing_is_left_after_an_error():
    class Failing(Watch):
        def around_update(self, apply, optimizer, /, *args):
            raise KeyError("on purpose")

    before = in_place()
    watch = Failing()
    with pytest.raises(KeyError, match="on purpose"), watch:
        net().fit(X, Y, verbose=0)
    assert in_place() == before
    assert watch.path == []


def test_every_thread_has_a_path_of_its_own():
    """A layer that another thread is in is none of this thread's."""
    inside, leave = threading.Event(), threading.Event()

    def wait(x):
        inside.set()
        leave.wait(10)
        return x

    slow = layers.Lambda(wait, name="slow")
    with Everything() as watch:
        other = threading.Thread(target=slow, args=(X,))
        other.start()
        try:
            assert inside.wait(10)
            layers.Lambda(lambda x: x, name="quick")(X)
        finally:
            leave.set()
            other.join()
    assert watch.paths == {"slow", "quick"}
