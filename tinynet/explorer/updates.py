"""Updates: what an optimizer does to each weight: its numbers, its slots before and after."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tinynet.autograd import as_raw
from tinynet.backend import device
from tinynet.explorer.kernel_calls import call_of, flops
from tinynet.explorer.quantities import same_bits
from tinynet.explorer.recording import KernelCall, Operation
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.optimizers.arguments import slots

SETTINGS = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor",
            "gradient_accumulation_steps", "use_ema")  # fmt: skip


@contextmanager
def updates_of(
    recorder: Any, optimizer: Any, grads: Sequence[Any], variables: Sequence[Any], calls: list[KernelCall]
) -> Iterator[None]:
    """Context of a call of `apply`: records an operation for every variable. `calls`: kernels that run."""
    if not optimizer.built:
        optimizer.build(variables)
    numbers, quantities = _numbers_of(optimizer), recorder.quantities
    begun = []
    for variable, grad in zip(variables, grads, strict=True):
        if grad is not None:
            begun.append((variable, _begin(recorder, optimizer, variable, grad, numbers(variable))))
    yield
    for variable, operation in begun:
        after = [("w", variable.data), *_slots(optimizer, variable)]
        for place, (name, array) in enumerate(after):
            made_by, role = ("update", operation.number, place), "slot" if place else "weight"
            number = quantities.add(array, f"{variable.name}: new {name}", role, made_by=made_by)
            quantities.renew(array if place else variable, number)  # what comes later begins with it
            operation.outputs.append(number)
        own = [call for call in calls if call.operation is optimizer._update_kernel]
        operation.calls = own or _swept(optimizer, variable, as_raw(grads[0]))
        moved = [*[number for _, number, _ in operation.inputs], *operation.outputs]
        size = sum(quantities.all[number].array.nbytes for number in moved)
        operation.cost = _flops(optimizer, variable), size


def _begin(recorder: Any, optimizer: Any, variable: Any, grad: Any, numbers: dict[str, Any]) -> Operation:
    """The operation that updates `variable`, with what it is given."""
    quantities, operations = recorder.quantities, recorder.recording.operations
    rule = optimizer._update_kernel
    function = type(optimizer).update_step if rule is None else rule
    name = optimizer.name if rule is None else rule.__name__
    operation = Operation(len(operations), "update", name, "", function, settings=numbers)
    operations.append(operation)
    weight = quantities.of(variable, "w")
    inputs = [("w", weight), ("g", quantities.arrived(as_raw(grad), weight))]
    for slot, array in _slots(optimizer, variable):
        number = quantities.find(array)  # of an earlier update
        if number is None or not same_bits(quantities.all[number].array, device.to_host(array)):
            number = quantities.add(array, f"{variable.name}: {slot}", "slot")
        inputs.append((slot, number))
    operation.inputs = [(name, number, None) for name, number in inputs]
    return operation


def _slots(optimizer: Any, variable: Any) -> list[tuple[str, Any]]:
    """(name in the rule's formula, array) of the slots of a variable."""
    arrays = [array for array in optimizer._kernel_arrays(variable) if array is not None]
    names = [] if optimizer._update_kernel is None else list(slots(optimizer._update_kernel))
    return [(names[i] if i < len(names) else f"slot {i}", array) for i, array in enumerate(arrays)]


def _numbers_of(optimizer: Any) -> Callable[[Any], dict[str, Any]]:
    """numbers(variable): those of this step by name. Some rules change theirs at each step: a copy does."""
    settings = {name: getattr(optimizer, name) for name in SETTINGS if getattr(optimizer, name)}
    rate, t, twin = optimizer._next_rate(), optimizer.iterations + 1, copy.deepcopy(optimizer)
    has_numbers = optimizer._update_kernel is not None and optimizer._updates_next
    if has_numbers:
        twin._begin_update()

    def numbers(variable: Any) -> dict[str, Any]:
        own = rate * optimizer._multiplier_of(variable)
        constraint = {} if variable.constraint is None else {"constraint": str(variable.constraint)}
        rule = twin._kernel_scalars(own) if has_numbers else {}
        return {"t": t, **settings, **constraint, **rule, "learning_rate": own}

    return numbers


def _swept(optimizer: Any, variable: Any, grad: Any) -> list[KernelCall]:
    """The sweep over all variables, which is a launch and no call of a kernel."""
    rule = optimizer._update_kernel
    if rule is None or rule not in kernels.rules:
        return []
    call = call_of(rule, rule.fastest, (variable.data, grad), {}, None)
    call.why = "all weights of the optimizer in one sweep, one launch for the whole net"
    call.function = kernels.rules[rule].update
    return [call]


def _flops(optimizer: Any, variable: Any) -> float:
    rule = optimizer._update_kernel
    return float(variable.size) if rule is None else flops(rule, (variable.data,), {})
