"""The order of a layer's weights is that in which it came to hold the layers within;
the orders are those of Keras 3.15.

(Keras also keeps a layer in whose place another one was set.)
"""

import copy
import pickle

import numpy as np
import pytest

import tinynet
from tinynet import layers, metrics

X = np.ones((2, 4), "float32")


def dense(units):
    return layers.Dense(units)


class Net(tinynet.Model):
    """Layers that `make` puts in its attributes, all called on the input."""

    def __init__(self, make=None):
        super().__init__()
        if make is not None:
            make(self)

    def call(self, x):
        for layer in self._layers_within():
            layer(x)
        return x


def appended(net):
    net.a, net.out = [], dense(9)
    net.a.append(dense(1))
    net.a.append(dense(2))


def in_turn(net):
    net.q, net.v = [], []
    for i in range(2):
        net.q.append(dense(1 + i))
        net.v.append(dense(5 + i))


def made_before(net):
    old, several = dense(7), [dense(8), dense(9)]
    net.head = [dense(3)]
    net.old, net.several = old, several
    net.head.append(dense(4))


def dictionaries(net):
    net.d, net.e = {"y": dense(1), "x": dense(2)}, dense(5)
    net.d["a"] = dense(3)


def set_anew(net):
    net.e, net.f = dense(5), dense(6)
    net.e = dense(7)


def nested(net):
    net.t, net.f = (dense(1), [dense(2), {"k": dense(3)}]), dense(6)


def inserted(net):
    net.l, net.m = [dense(1)], [dense(2)]
    net.l.append(dense(3))
    net.m.append(dense(4))
    net.l.insert(0, dense(5))


def beside_others(net):
    net.l = []
    for i in range(3):
        net.l.append([dense(1 + i)])
        setattr(net, f"n{i}", dense(10 + i))


def shared(net):
    net.seen, net.z = metrics.Mean(), []
    net.a = dense(1)
    net.z += [dense(2), net.a]


ORDERS = {
    appended: [9, 1, 2], in_turn: [1, 5, 2, 6], made_before: [3, 7, 8, 9, 4], dictionaries: [1, 2, 5, 3],
    set_anew: [6, 7],
    nested: [1, 2, 3, 6], inserted: [1, 2, 3, 4, 5], beside_others: [1, 10, 2, 11, 3, 12], shared: [1, 2],
}  # fmt: skip


def units(net):
    return [weight.shape[1] for weight in net.get_weights()[::2]]


@pytest.mark.parametrize("make", ORDERS, ids=lambda make: make.__name__)
def test_the_order_is_that_of_keras(make):
    net = Net(make)
    net(X)
    assert units(net) == ORDERS[make]
    assert [layer.units for layer in net.layers] == ORDERS[make]


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("make", ORDERS, ids=lambda make: make.__name__)
def test_copies_have_it_too(make, copied):
    net = Net(make)
    net(X)
    again = copied(net)
    assert units(again) == ORDERS[make]
    again.last = dense(20)
    again(X)
    assert units(again) == [*ORDERS[make], 20]


def test_what_leaves_a_list_leaves_the_layer():
    net = Net(in_turn)
    net(X)
    net.q.pop(0)
    net.v.clear()
    assert units(net) == [2]
