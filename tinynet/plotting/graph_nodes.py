"""What a picture of a model shows: boxes, the nested models among them opened, and what leads where."""

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any


@dataclass
class Box:
    """A layer, or an opened model with what is in it."""

    layer: Any
    shapes: list[Any]
    sharing: str  # "", "shared ×2", or "call 1 of 2"
    is_input: bool
    inner: "Nodes | None"


@dataclass(frozen=True)
class Line:
    """From an output of a box to an input of another."""

    start: int
    output: int
    end: int
    input: int


@dataclass
class Nodes:
    boxes: list[Box]
    lines: list[Line]
    ends: list[tuple[int, int]]  # (box, output): what the model gives


def nodes_of(model: Any, expand_nested: bool) -> Nodes:
    """The boxes of a model, each after those that lead to it.

    The calls of a shared layer are one box, but for those that one of them leads to another of them: no
    order of boxes would be that of the calls.
    """
    found = model._layer_calls()
    groups = _shared(found.calls)
    box_of = {call: number for number, group in enumerate(groups) for call in group}
    boxes = [_box(found.calls, group, expand_nested) for group in groups]
    lines = [
        Line(box_of[origin], output, box_of[i], place)
        for i, call in enumerate(found.calls)
        for place, (origin, output) in enumerate(call.origins)
    ]
    # Lines are told apart by outputs and inputs at opened models alone.
    plain = [
        Line(
            line.start, line.output if boxes[line.start].inner else 0,
            line.end, line.input if boxes[line.end].inner else 0,
        )
        for line in lines
    ]  # fmt: skip
    return Nodes(boxes, list(dict.fromkeys(plain)), [(box_of[call], output) for call, output in found.ends])


def _box(calls: list[Any], group: tuple[int, ...], expand_nested: bool) -> Box:
    layer = calls[group[0]].layer
    shapes = list(dict.fromkeys(str(shape) for call in group for shape in calls[call].shapes))
    of_layer = [i for i, call in enumerate(calls) if call.layer is layer]
    sharing = ""
    if len(group) > 1:
        sharing = f"shared ×{len(group)}"
    elif len(of_layer) > 1:
        sharing = f"call {of_layer.index(group[0]) + 1} of {len(of_layer)}"
    opened = expand_nested and hasattr(layer, "_layer_calls")
    inner = nodes_of(layer, True) if opened else None
    return Box(layer, shapes, sharing, not calls[group[0]].origins, inner)


def _shared(calls: list[Any]) -> list[tuple[int, ...]]:
    """The calls in groups, a group for a layer where that makes no cycle, in an order in which none leads
    back.
    """
    apart: set[int] = set()  # layers whose calls are boxes of their own
    while True:
        group_of = {i: i if id(call.layer) in apart else -id(call.layer) for i, call in enumerate(calls)}
        before: dict[int, set[int]] = {group_of[i]: set() for i in range(len(calls))}
        for i, call in enumerate(calls):
            before[group_of[i]] |= {group_of[origin] for origin, _ in call.origins}
        try:
            order = list(TopologicalSorter(before).static_order())
        except CycleError as error:
            apart |= {-group for group in error.args[1] if group < 0}
            continue
        members: dict[int, list[int]] = {}
        for i in range(len(calls)):
            members.setdefault(group_of[i], []).append(i)
        return [tuple(members[group]) for group in order]
