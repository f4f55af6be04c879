"""Check of the calls between layers: every argument is there before it is used,
and nothing leads in a circle.

    {"layers": [{..., "name": "add", "inbound_nodes": [{"args": [...], "kwargs": {}}, ...]}, ...],
     "input_layers": ["input_layer", 0, 0], "output_layers": [["add", 0, 0], ...]}

The form is Keras's, see models/graph_config.py; a place is [name of a layer,
which of its calls, which output of that call].
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tinynet.saving.errors import FileError, shortened

MOST_CALLS = 10_000  # in one model
MOST_RUNS = 30_000  # of layers when the model runs: a model in a model counts as often as it is called
# at a call, while the calls that can be done are looked for in the order they are listed
MOST_LOOKS = 500_000
Place = tuple[str, int]  # a layer's name and which of its calls


def check_graph(config: Mapping[str, Any], place: str) -> None:
    """Raises FileError unless the layers of a Functional can be called as its configuration says."""
    needed: dict[Place, set[Place]] = {}  # {call: the calls whose outputs it takes}
    for layer in config["layers"]:
        name, nodes = layer.get("name"), layer.get("inbound_nodes")
        if not isinstance(name, str) or not isinstance(nodes, list) or (name, 0) in needed:
            raise FileError(
                f"{place}: a layer should have a name of its own and a list of calls, {shortened(name)!r}"
            )
        if layer["class_name"] == "InputLayer" and nodes:
            raise FileError(f"{place}: the Input {shortened(name)!r} is called")
        needed[name, 0] = set()
        for number, node in enumerate(nodes):
            needed[name, number] = set(_call(node, f"{place}, layer {shortened(name)!r}"))
    if len(needed) > MOST_CALLS:
        raise FileError(f"{place} has {len(needed):,} calls, more than {MOST_CALLS:,}")
    for end in ("input_layers", "output_layers"):
        ends = list(_ends(config.get(end), f"{place}, {end}"))
        if not ends:
            raise FileError(f"{place} has no {end}")
        needed[end, -1] = set(ends)
    _check_order(needed, place)


def runs(value: Any) -> int:
    """How many layers run when that which `value` describes does, with all that is within it."""
    if isinstance(value, list):
        return sum(map(runs, value))
    if not isinstance(value, dict):
        return 0
    nodes = value.get("inbound_nodes")
    times = max(1, len(nodes)) if isinstance(nodes, list) else 1
    return times * (
        ("class_name" in value) + sum(runs(item) for key, item in value.items() if key != "inbound_nodes")
    )


def _call(node: Any, place: str) -> Iterator[Place]:
    """The calls whose outputs are arguments of one."""
    whole = isinstance(node, dict) and set(node) == {"args", "kwargs"}
    if not whole or not isinstance(node["args"], list) or not isinstance(node["kwargs"], dict):
        raise FileError(f"{place}: a call should have args and kwargs, and is {shortened(node)}")
    taken = [*_tensors(node["args"], place), *_tensors(node["kwargs"], place)]
    if not taken:  # the layer would run, on numbers, while the model is made
        raise FileError(f"{place}: a call takes no output of another layer")
    yield from taken


def _tensors(value: Any, place: str) -> Iterator[Place]:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        if (
            set(value) != {"class_name", "config"}
            or not isinstance(config, dict)
            or not check_sizes(config.get("shape"))
        ):
            raise FileError(f"{place}: a tensor should have a shape, and is {shortened(value)}")
        yield _place(config.get("keras_history"), place)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item, place)


def _ends(value: Any, place: str) -> Iterator[Place]:
    """The places where a model begins or ends: one, or a list or dictionary of them."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        yield _place(value, place)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _ends(item, place)
    else:
        raise FileError(f"{place}: {shortened(value)} is no place in a model")


def _place(value: Any, place: str) -> Place:
    numbers = (
        isinstance(value, list)
        and len(value) == 3
        and all(type(one) is int and one >= 0 for one in value[1:])
    )
    if not numbers or not isinstance(value[0], str):
        raise FileError(f"{place}: {shortened(value)} is no place in a model")
    return value[0], value[1]


def check_sizes(shape: Any) -> bool:
    """Whether `shape` is a shape: sizes that are positive, or None where they are not known."""
    return isinstance(shape, list) and all(size is None or (type(size) is int and size > 0) for size in shape)


def _check_order(needed: Mapping[Place, set[Place]], place: str) -> None:
    """Raises FileError if a call needs what no call gives, or needs itself by way of others."""
    for call, sources in needed.items():
        for source in sources:
            if source not in needed:
                raise FileError(
                    f"{place}: {shortened(call[0])!r} takes the output of {shortened(source)}, "
                    "which there is not"
                )
    waiting = {call: len(sources) for call, sources in needed.items()}
    users: dict[Place, list[Place]] = {call: [] for call in needed}
    for call, sources in needed.items():
        for source in sources:
            users[source].append(call)
    ready = [call for call, count in waiting.items() if not count]
    for call in ready:
        for user in users[call]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(needed):
        stuck = next(call for call, count in waiting.items() if count)
        raise FileError(f"{place}: the calls of {shortened(stuck[0])!r} depend on one another in a circle")
    positions, passes = {call: i for i, call in enumerate(needed)}, dict.fromkeys(needed, 1)
    for call in ready:
        for user in users[call]:
            passes[user] = max(passes[user], passes[call] + (positions[call] > positions[user]))
    if max(passes.values()) * len(needed) > MOST_LOOKS:
        raise FileError(f"{place} lists its {len(needed):,} calls long after those that need them")
