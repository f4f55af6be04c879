"""Recording: what is known of one step. Everything that has numbers is a Quantity, everything that makes them
an Operation or its Rule; they refer to one another by their places in the Recording's lists.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Quantity:
    """An array of the step.

    role      "input", "weight", "state" (not trained), "constant", "value", "gradient", "slot"
    made_by   ("forward" | "backward" | "update", operation, which of its results), or None
    of        of a gradient: the quantity by which the loss is differentiated
    parts     of a gradient that several operations send: what each of them sent; the gradient is their sum
    note      where it came from, if no operation made it
    """

    number: int
    name: str
    role: str
    array: np.ndarray | None  # in C order; None: the tape did not keep it
    shape: tuple[int, ...]
    dtype: str
    made_by: tuple[str, int, int] | None = None
    of: int | None = None
    parts: list[int] = field(default_factory=list)
    note: str = ""


@dataclass
class Kept:
    """What an operation keeps until its rule has run, and which rule asked for it."""

    quantity: int | None
    name: str
    size: int  # bytes
    why: str


@dataclass
class KernelCall:
    """A kernel that ran: which implementation, and why that one."""

    operation: Any  # of kernels/common.py
    implementation: str
    why: str
    flops: float
    size: int  # bytes that it must move: every array that it is given and gives, once
    function: Callable[..., Any]


@dataclass
class Rule:
    """One run of a derivative: from gradients of the outputs to gradients of the inputs."""

    upstream: list[int | None]
    returned: list[int | None]
    functions: list[tuple[str, Callable[..., Any]]]  # (names of the inputs that it is for, function)
    calls: list[KernelCall]
    cost: tuple[float, int] = (0.0, 0)


@dataclass
class Operation:
    """A call of a primitive, or the update of one weight.

    inputs   (name, the quantity, or None and the number that was given)
    layer    path of the layer from the model; "" outside of layers, where the loss is computed
    cost     FLOPs, and bytes that it must move
    """

    number: int
    phase: str  # "forward", "update", or "predicted": what runs on an image that is drawn
    name: str
    layer: str
    function: Callable[..., Any]
    inputs: list[tuple[str, int | None, Any]] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    calls: list[KernelCall] = field(default_factory=list)
    cost: tuple[float, int] = (0.0, 0)
    rule: Rule | None = None


@dataclass
class LayerInfo:
    """A layer that was called: its path, class, and text as `repr` has it."""

    path: str
    kind: str
    text: str


@dataclass
class Recording:
    """One step: quantities, operations in the order in which they ran, and the rules in theirs."""

    title: str = ""
    kind: str = ""  # "training step", "forward only", "gradient of the outputs", "tape"
    notes: list[str] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)  # operations in the order in which their rules ran
    layers: list[LayerInfo] = field(default_factory=list)
    batch: int | None = None  # how many images there are
    given: int | None = None  # of how many that x has
    images: list[int] = field(default_factory=list)  # their places in the x that was given
    losses: list[float] = field(default_factory=list)  # by which they were chosen
    loss: int | None = None
    drawn: dict[str, int] = field(default_factory=dict)  # input and output of the operations of `predict`
