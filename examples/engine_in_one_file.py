"""An engine in one file: a net that learns to read digits, in plain NumPy, with nothing hidden.

This is the map of tinynet: the same ideas under the same names, in the smallest form that works. It begins
with a whole that knows only + and *, and then adds one idea at a time. Each part says what its idea costs,
and in which files of tinynet it is grown up. A test holds the numbers computed here against tinynet's.

    python examples/engine_in_one_file.py

prints a traced example, and then trains a small convolutional net on the embedded 8x8 digits in a few
seconds.

N images of H x W pixels with C channels; kernels of KH x KW taps for F filters; outputs of OH x OW pixels.
"""

import heapq
import math
from itertools import count
from pathlib import Path

import numpy as np

# 1. The tape -> tinynet/autograd/tape.py, tinynet/autograd/tensor.py, tinynet/autograd/primitives.py
#
# A derivative is taken backwards, from the result to the inputs, by the chain rule. So every operation leaves
# a Node behind when it runs: which operation it was, on which values, and where these came from. The nodes
# are the tape. A node knows those before it, never those after it: when the result is forgotten, Python frees
# the whole tape.
# What it costs: all values computed on the way stay in memory until then. (tinynet keeps only what the rules
# ask for.)

order = count()


class Node:
    """One recorded call of a primitive."""

    def __init__(self, primitive, edges, inputs, y, settings):
        self.order = next(order)  # later nodes have larger numbers
        self.primitive, self.settings = primitive, settings
        self.inputs, self.y = inputs, y  # arrays that the rule will need
        self.edges = edges  # of every input: the Node that computed it, a leaf Tensor, or None for a constant


class Tensor:
    """An array that takes part in derivatives. Constants, such as images and labels, are plain arrays."""

    def __init__(self, data, node=None):
        self.data = np.asarray(data, float)
        self.node = node  # what computed it; None for a leaf, such as a weight

    edge = property(lambda self: self if self.node is None else self.node)  # where its gradient is sent to


class Primitive:
    """A function of arrays, and right below it the rule of its derivative.

    The rule is a vector-Jacobian product (vjp). It gets grad, the derivative of the final result with respect
    to the output y; then y, the inputs and the settings. It returns the derivatives with respect to the
    inputs, one for each.
    """

    def __init__(self, forward):
        self.name, self.forward = forward.__name__, forward

    def vjp(self, rule):
        self.rule = rule

    def __call__(self, *inputs, **settings):
        arrays = [x.data if isinstance(x, Tensor) else x for x in inputs]
        edges = [x.edge if isinstance(x, Tensor) else None for x in inputs]
        y = self.forward(*arrays, **settings)
        if edges == [None] * len(edges):
            return y  # constants alone: there is nothing to record
        return Tensor(y, Node(self, edges, arrays, y, settings))


@Primitive
def add(a, b):
    return a + b

@add.vjp
def _(grad, y, a, b):
    return grad, grad


@Primitive
def multiply(a, b):
    return a * b

@multiply.vjp
def _(grad, y, a, b):
    return grad * b, grad * a


Tensor.__add__ = lambda self, other: add(self, other)
Tensor.__mul__ = lambda self, other: multiply(self, other)


# 2. The walk back -> tinynet/autograd/backward.py
#
# A value that was used twice receives two gradients, which are added. A node sends its gradient on only when
# it has received all of them. Whoever used its output ran after it: so the latest node that waits is always
# the one to take.
# What it costs: about twice the work of the forward, for all inputs together, however many there are.

class Walk:
    """One pass backwards: the gradients that wait at nodes, and those that arrived at leaves."""

    def __init__(self):
        self.pending, self.arrived = {}, {}
        self.heap = []  # the nodes of `pending`, the latest on top

    def send(self, edge, grad):
        """Adds `grad` to what came along `edge` before."""
        place = self.arrived if isinstance(edge, Tensor) else self.pending
        if place is self.pending and edge not in place:
            heapq.heappush(self.heap, (-edge.order, edge))
        place[edge] = place[edge] + grad if edge in place else grad

    def run(self):
        """Walks until no node waits; returns {leaf: gradient}."""
        while self.heap:
            _, node = heapq.heappop(self.heap)
            grads = node.primitive.rule(self.pending.pop(node), node.y, *node.inputs, **node.settings)
            for edge, grad, x in zip(node.edges, grads, node.inputs, strict=True):
                if edge is not None:
                    self.send(edge, unbroadcast(grad, np.shape(x)))  # see part 3
        return self.arrived


def gradients(output, inputs):
    """The derivatives of `output`, a Tensor of one number, with respect to each of the `inputs`."""
    walk = Walk()
    walk.send(output.edge, np.ones(output.data.shape))
    arrived = walk.run()
    return [arrived[x] for x in inputs]


def traced_example():
    """What the walk does for z = x y + x. Since x was used twice, dz/dx is y + 1.

    >>> traced_example()
    z = x * y + x = 15 at x = 3, y = 4. The tape: multiply(x, y), add(multiply, x).
      add receives 1
      multiply receives 1
      x receives 1
      x receives 4
      y receives 3
    dz/dx = 5, dz/dy = 3
    """
    x, y = Tensor(3), Tensor(4)
    z = x * y + x
    print(f"z = x * y + x = {z.data:g} at x = 3, y = 4. The tape: multiply(x, y), add(multiply, x).")

    class TracedWalk(Walk):
        def send(self, edge, grad):
            name = {x: "x", y: "y"}[edge] if isinstance(edge, Tensor) else edge.primitive.name
            print(f"  {name} receives {grad:g}")
            super().send(edge, grad)

    walk = TracedWalk()
    walk.send(z.edge, np.float64(1))
    arrived = walk.run()
    print(f"dz/dx = {arrived[x]:g}, dz/dy = {arrived[y]:g}")


# 3. Broadcasting -> tinynet/autograd/basics.py
#
# In a + b a row of shape (3,) may meet a matrix of shape (2, 3): NumPy repeats the row. Then each of its
# elements was used twice, and receives the sum of two gradients. The walk does this for all rules; none has
# to think of it.
# What it costs: two shapes are compared for every gradient, and a sum where they differ.

def unbroadcast(grad, shape):
    """Sum of `grad` over the axes along which an input of `shape` was repeated."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))  # axes put in front; of none, () sums nothing
    return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n != grad.shape[i]), keepdims=True)


# 4. Dense layers -> tinynet/ops/matrix_products.py, tinynet/ops/rectifiers.py, tinynet/ops/shapes.py
#
# Each output is a weighted sum of all inputs: y = x w + b. With the gradient g of y, dx = g w^T, dw = x^T g.
# What it costs: one matrix product forward and two backward; nearly all the time of a dense net is spent in
# them.

@Primitive
def dense(x, w, b):
    """x (N, I), w (I, J), b (J,) -> (N, J)."""
    return x @ w + b

@dense.vjp
def _(grad, y, x, w, b):
    return grad @ w.T, x.T @ grad, grad  # b was repeated N times: the walk sums its gradient


@Primitive
def relu(x):
    return np.maximum(x, 0)

@relu.vjp
def _(grad, y, x):
    return [grad * (y > 0)]  # at the kink, x = 0, the derivative is taken as 0


@Primitive
def reshape(x, *, shape):
    return x.reshape(shape)

@reshape.vjp
def _(grad, y, x, shape):
    return [grad.reshape(x.shape)]


# 5. Convolution -> tinynet/ops/convolution2d.py, kernels/conv2d/im2col.py
#
# Every output pixel is the same weighted sum of the window of pixels around it. im2col copies the window of
# each output pixel into a row of a matrix; then a convolution is a dense layer on these rows. Its adjoint,
# col2im, adds every row back to where it was taken from: a pixel that was in nine windows receives nine
# gradients.
# What it costs: the matrix holds each pixel KH KW times. kernels/README.md is about doing without it.

def im2col(x, kernel, strides, padding, fill=0.0):
    """The window under each output pixel: x (N, H, W, C) -> (N, OH, OW, KH, KW, C); around x lies `fill`."""
    padded = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))  # (N, .., .., C, KH, KW)
    return windows[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)


def col2im(columns, shape, strides, padding):
    """Adds the windows (N, OH, OW, KH, KW, C) into an image of `shape` (N, H, W, C)."""
    (n, h, w, c), (sh, sw), ((top, bottom), (left, right)) = shape, strides, padding
    padded = np.zeros((n, top + h + bottom, left + w + right, c))
    _, oh, ow, kh, kw, _ = columns.shape
    for i, j in np.ndindex(kh, kw):
        padded[:, i : i + oh * sh : sh, j : j + ow * sw : sw] += columns[:, :, :, i, j]  # (N, OH, OW, C)
    return padded[:, top : top + h, left : left + w]


@Primitive
def conv2d(x, w, b, *, strides, padding):
    """x (N, H, W, C), w (KH, KW, C, F), b (F,) -> (N, OH, OW, F); padding ((top, bottom), (left, right))."""
    columns = im2col(x, w.shape[:2], strides, padding)
    return np.tensordot(columns, w, axes=3) + b  # summed over KH, KW, C

@conv2d.vjp
def _(grad, y, x, w, b, strides, padding):
    columns = im2col(x, w.shape[:2], strides, padding)
    dw = np.tensordot(columns, grad, axes=((0, 1, 2), (0, 1, 2)))  # summed over N, OH, OW -> (KH, KW, C, F)
    dcolumns = np.tensordot(grad, w, axes=(3, 3))  # summed over F -> (N, OH, OW, KH, KW, C)
    return col2im(dcolumns, x.shape, strides, padding), dw, grad


# 6. Max pooling -> tinynet/ops/pool2d.py, kernels/pool2d/max_pool.py
#
# Of each window the largest pixel of each channel is kept, the first one where several are equal. It alone
# had an effect, so it receives the whole gradient. Padding is -inf, which never wins.
# What it costs: hardly any arithmetic, but the winners are searched for twice. (tinynet remembers which they
# were.)

@Primitive
def max_pool2d(x, *, pool_size, strides, padding):
    """x (N, H, W, C) -> (N, OH, OW, C)."""
    return im2col(x, pool_size, strides, padding, fill=-np.inf).max(axis=(3, 4))

@max_pool2d.vjp
def _(grad, y, x, pool_size, strides, padding):
    windows = im2col(x, pool_size, strides, padding, fill=-np.inf)  # (N, OH, OW, KH, KW, C)
    flat = windows.reshape(*grad.shape[:3], -1, grad.shape[3])  # (N, OH, OW, KH KW, C)
    dflat = np.zeros(flat.shape)
    np.put_along_axis(dflat, flat.argmax(axis=3, keepdims=True), grad[:, :, :, None], axis=3)
    return [col2im(dflat.reshape(windows.shape), x.shape, strides, padding)]


# 7. Batch normalisation -> tinynet/ops/batch_norms.py, kernels/batch_norm.py (which derives dx)
#
# Each channel is brought to mean 0 and variance 1 over the batch, then scaled by gamma and shifted by beta.
# Mean and variance depend on x as well, which gives the last two terms of dx: they take out of the gradient
# what would only shift or scale x as a whole, for the normalisation undoes that.
# What it costs: several passes over memory for little arithmetic; and the images of a batch now depend on
# each other.

def normalised(x, epsilon):
    """(x with mean 0 and variance 1 in each channel, what it was divided by)."""
    axes = tuple(range(x.ndim - 1))
    deviation = np.sqrt(x.var(axes) + epsilon)  # epsilon: nothing is divided by 0
    return (x - x.mean(axes)) / deviation, deviation


@Primitive
def batch_norm(x, gamma, beta, *, epsilon):
    """x (N, ..., C), gamma and beta (C,) -> gamma (x - mean) / sqrt(var + epsilon) + beta."""
    return gamma * normalised(x, epsilon)[0] + beta

@batch_norm.vjp
def _(grad, y, x, gamma, beta, epsilon):
    xhat, deviation = normalised(x, epsilon)
    axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]  # m numbers in a channel
    dbeta, dgamma = grad.sum(axes), (grad * xhat).sum(axes)
    dx = gamma / deviation * (grad - dbeta / m - xhat * dgamma / m)
    return dx, dgamma, dbeta


# 8. The loss -> tinynet/ops/crossentropy.py
#
# The last outputs z of the net are scores, one for each class. softmax(z)_c = exp(z_c) / sum over k of
# exp(z_k) makes them probabilities, and the loss of an image is -log of the probability of its label. Its
# derivative is short: the softmax, less 1 at the label. The largest score is subtracted first: it changes
# nothing, but exp cannot overflow.
# What it costs: an exp for every score; beside the layers, nothing.

def softmax(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@Primitive
def softmax_crossentropy(z, labels):
    """Scores z (N, classes), labels (N,) of integers -> mean loss, one number."""
    shifted = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(z)), labels])

@softmax_crossentropy.vjp
def _(grad, y, z, labels):
    return grad * (softmax(z) - np.eye(z.shape[1])[labels]) / len(z), None  # labels are constants


# 9. Is a rule right? -> tinynet/gradient_check.py
#
# (f(x + h) - f(x - h)) / 2h comes close to every derivative and needs no rule.
# What it costs: two forwards for each single number of x. That is a test, and no way to train.

def numeric_gradient(f, x, h=1e-6):
    """The derivative of the number f() with respect to each element of the array x, which f reads."""
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        before = x[place]
        x[place] = before + h
        above = f()
        x[place] = before - h
        slopes[place] = (above - f()) / (2 * h)
        x[place] = before
    return slopes


# 10. Layers -> tinynet/layers/base.py, tinynet/layers/conv2d.py, tinynet/models/sequential.py
#
# A layer is an operation together with its parameters. The first weights are random, and so small that
# signals neither grow nor fade on their way through the layers (Glorot & Bengio, 2010).
# What it costs: state. The same call gives another result after a step, and batch normalisation must be told
# whether it is training.

class Layer:
    def __init__(self, operation, *parameters, **settings):
        self.operation, self.parameters, self.settings = operation, parameters, settings

    def __call__(self, x, training):
        return self.operation(x, *self.parameters, **self.settings)


class BatchNormalization(Layer):
    """In training the statistics of the batch; later their running means: then no image depends on others."""

    def __init__(self, channels, momentum, epsilon=1e-3):
        super().__init__(batch_norm, Tensor(np.ones(channels)), Tensor(np.zeros(channels)), epsilon=epsilon)
        self.moving_mean, self.moving_variance = np.zeros(channels), np.ones(channels)
        self.momentum = momentum

    def __call__(self, x, training):
        if training:
            axes = tuple(range(x.data.ndim - 1))
            self.moving_mean += (1 - self.momentum) * (x.data.mean(axes) - self.moving_mean)
            self.moving_variance += (1 - self.momentum) * (x.data.var(axes) - self.moving_variance)
            return super().__call__(x, training)
        scale = self.parameters[0].data / np.sqrt(self.moving_variance + self.settings["epsilon"])
        return x * scale + (self.parameters[1].data - self.moving_mean * scale)


class Sequential:
    """Layers, one after the other."""

    def __init__(self, *layers):
        self.layers = layers
        self.parameters = [parameter for layer in layers for parameter in layer.parameters]

    def __call__(self, x, training=False):
        for layer in self.layers:
            x = layer(x, training)
        return x


def glorot_uniform(rng, *shape):
    fan_in, fan_out = math.prod(shape[:-1]), math.prod(shape[:-2]) * shape[-1]
    limit = math.sqrt(6 / (fan_in + fan_out))
    return Tensor(rng.uniform(-limit, limit, shape))


def build(rng):
    """8 x 8 pixels -> 8 filters on 4 x 4 -> 16 filters on 2 x 2 -> ten scores."""
    layers = []
    for channels, filters in ((1, 8), (8, 16)):
        w, b = glorot_uniform(rng, 3, 3, channels, filters), Tensor(np.zeros(filters))
        layers += [Layer(conv2d, w, b, strides=(1, 1), padding=((1, 1), (1, 1))), Layer(relu)]
        layers += [BatchNormalization(filters, momentum=0.9)]
        layers += [Layer(max_pool2d, pool_size=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))]
    w, b = glorot_uniform(rng, 64, 10), Tensor(np.zeros(10))
    return Sequential(*layers, Layer(reshape, shape=(-1, 64)), Layer(dense, w, b))


# 11. Adam -> tinynet/optimizers/adam.py, kernels/optimizers/moments.py
#
# m follows the mean of a weight's gradients, v that of their squares; both begin at 0, for which alpha makes
# up. A step is alpha m / sqrt(v): as large as alpha where the gradients agree with one another, small where
# they are noise.
# What it costs: two more numbers for every weight. And weights change in place: a tape from before the step
# must not be walked after it. (tinynet notices, and says so.)

class Adam:
    """Kingma & Ba, "Adam: a method for stochastic optimization" (2015), as at the end of section 2."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.iterations, self.slots = 0, {}

    def apply(self, grads, parameters):
        self.iterations += 1
        correction = math.sqrt(1 - self.beta_2**self.iterations) / (1 - self.beta_1**self.iterations)
        alpha = self.learning_rate * correction
        for w, g in zip(parameters, grads, strict=True):
            m, v = self.slots.setdefault(w, (np.zeros(w.data.shape), np.zeros(w.data.shape)))
            m += (1 - self.beta_1) * (g - m)
            v += (1 - self.beta_2) * (g * g - v)
            w.data -= alpha * m / (np.sqrt(v) + self.epsilon)


# 12. Training -> tinynet/models/steps.py
#
# A step is four lines. The rest of tinynet makes them fast (kernels that keep a processor busy; steps that
# are captured once, then replayed without the Python between the kernels), safe (errors that say what to do)
# and Keras's.

def step(model, optimizer, x, labels):
    """One update of the weights from one batch; returns the loss before it."""
    y_pred = model(x, training=True)
    loss = softmax_crossentropy(y_pred, labels)
    grads = gradients(loss, model.parameters)
    optimizer.apply(grads, model.parameters)
    return float(loss.data)


def digits():
    """Images (N, 8, 8, 1) of 0..1 and labels (N,): 1,437 to learn from, then 360 that are held out."""
    with np.load(Path(__file__).parents[1] / "tinynet" / "datasets" / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    mixed = np.arange(len(images)) * 1111 % len(images)  # 1111 and 1797 share no factor: every image once
    x, labels = images[mixed, :, :, None] / 16, labels[mixed].astype(int)
    return x[:1437], labels[:1437], x[1437:], labels[1437:]


def main():
    traced_example()
    rng = np.random.default_rng(0)
    x, labels, x_test, labels_test = digits()
    model, optimizer = build(rng), Adam(0.003)
    for epoch in range(10):
        mixed = rng.permutation(len(x))
        batches = [mixed[start : start + 32] for start in range(0, len(x), 32)]
        losses = [step(model, optimizer, x[batch], labels[batch]) for batch in batches]
        right = model(x_test).data.argmax(axis=1) == labels_test
        print(f"epoch {epoch + 1:2}: loss {np.mean(losses):.3f}, held-out digits right: {right.mean():.2%}")


if __name__ == "__main__":
    main()
