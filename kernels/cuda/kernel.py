"""One CUDA kernel: its parameters, as its source declares them, and its variants, by template arguments.

A GPU is handed bytes and does not know what they mean: CuPy passes a Python float as a double whatever the
kernel expects, and an array as the address of its first element. So every argument is converted to what the
source declares, and an array of another number format, or with gaps, is an error.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..common import Array, launch, xp
from .modules import function, source

FLOATS = ("float", "double")
SUMS = ("float", "float"), ("float", "double"), ("double", "double")  # of arrays, and of their sums
FORMATS = {
    "bool": np.bool_, "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "int": np.int32,
    "int64": np.int64, "float": np.float32, "double": np.float64,
}  # fmt: skip
MOST_BLOCKS = 65535  # of a grid along y, or z
TYPES = {np.dtype(number): name for name, number in FORMATS.items()}

kernels: list["Kernel"] = []  # filled while the kernel modules are imported, constant afterwards


class Parameter(NamedTuple):
    """One of a kernel's, such as `const T* x`."""

    name: str
    type: str  # without const and *
    is_array: bool


class Kernel:
    """The __global__ function `name` of a `.cu` file: kernel[template arguments](grid, block, *arguments).

    beside      a file in the folder of the `.cu` file, `file`
    registers   most registers a thread may take, to which tests hold nvcc, and twice as many for variants in
                double precision: a multiprocessor has 65536, for all the threads that run on it
    choices     the values of each template parameter, in their order; a tuple of values stands for as many
                parameters. A kernel without a template is kernel[()]
    """

    def __init__(
        self, beside: str, file: str, name: str, *, registers: int = 40, **choices: Sequence[Any]
    ) -> None:
        self.path, self.name, self.registers = Path(beside).with_name(file), name, registers
        self._choices = list(choices.values())
        self._variants: dict[Any, Variant] = {}
        kernels.append(self)

    def variants(self) -> Iterator["Variant"]:
        """All of them, for those who want to see each compiled."""
        for values in itertools.product(*self._choices):
            yield self[values]

    def __getitem__(self, values: Any) -> "Variant":
        values = values if isinstance(values, tuple) else (values,)
        if values not in self._variants:
            self._variants[values] = self._variant(values)
        return self._variants[values]

    def _variant(self, values: tuple[Any, ...]) -> "Variant":
        named = [TYPES.get(value, value) if isinstance(value, np.dtype) else value for value in values]
        known = len(named) == len(self._choices)
        if not known or any(v not in choice for v, choice in zip(named, self._choices, strict=True)):
            listed = " x ".join(str(list(choice)) for choice in self._choices)
            raise TypeError(
                f"the kernel {self.name} is made for {listed or 'no template arguments'}, got {named}"
            )
        flat = [part for value in named for part in (value if isinstance(value, tuple) else (value,))]
        return Variant(self, flat)

    @cached_property
    def signature(self) -> tuple[list[str], list[Parameter]]:
        """Names of the template parameters, and the parameters, as the source declares them."""
        template, bounds = r"(?:template\s*<([^>]*)>\s*)?", r"(?:__launch_bounds__\(.*?\)\s+)?"
        pattern = rf"{template}__global__\s+void\s+{bounds}{self.name}\(([^)]*)\)"
        found = re.search(pattern, source(self.path))
        if found is None:
            raise LookupError(f"{self.path} has no __global__ function {self.name}")
        names = [part.split()[-1] for part in (found[1] or "").split(",") if part]
        return names, [_parameter(part) for part in found[2].split(",")]

    def struct(self, name: str) -> dict[str, tuple[int, ...]]:
        """The fields of a struct of ints of the source, and the shape of each: () for one number."""
        found = re.search(rf"struct {name} {{(.*?)}};", source(self.path), re.S)
        if found is None:
            raise LookupError(f"{self.path} has no struct {name}")
        fields = re.findall(r"(\w+)(?:\[(\d+)\])?", re.sub(r"//[^\n]*|\bint\b", "", found[1]))
        return {name: (int(count),) if count else () for name, count in fields}


def _parameter(text: str) -> Parameter:
    *words, name = text.replace("__restrict__", "").replace("*", " * ").replace("const ", "").split()
    return Parameter(name, words[0], "*" in words)


class Variant:
    """A kernel with its template's arguments."""

    def __init__(self, kernel: Kernel, template: Sequence[Any]) -> None:
        names, parameters = kernel.signature
        if len(names) != len(template):
            raise TypeError(f"the template of {kernel.name} has the parameters {names}, got {list(template)}")
        written = [str(v).lower() if isinstance(v, bool) else str(v) for v in template]
        self.kernel = kernel
        self.name = kernel.name + (f"<{', '.join(written)}>" if written else "")
        types = dict(zip(names, written, strict=True))
        self._convert = [self._converter(p._replace(type=types.get(p.type, p.type))) for p in parameters]

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], *arguments: Any, also: Sequence[Array] = ()
    ) -> None:
        """Launches it, for arrays of one module; a grid without blocks is nothing to do.

        also   arrays that the kernel finds by their addresses, in a table among the arguments
        """
        if len(arguments) != len(self._convert):
            raise TypeError(f"{self.name} takes {len(self._convert)} arguments, got {len(arguments)}")
        try:
            converted = tuple([convert(a) for convert, a in zip(self._convert, arguments, strict=True)])
        except OverflowError as error:
            raise OverflowError(f"{self.name} counts in 32 bits; use a smaller batch: {error}") from error
        if 0 in grid:
            return
        if max(grid[1:], default=0) > MOST_BLOCKS:
            raise ValueError(
                f"{self.name}: a GPU runs at most {MOST_BLOCKS} blocks along y or z, got a grid of "
                f"{tuple(grid)}; use a smaller batch"
            )
        module = self._module_of(arguments)
        launch(function(module, self.kernel.path, self.name), grid, block, converted, also)

    def _module_of(self, arguments: Sequence[Any]) -> str:
        """Name of the module that all arrays are of."""
        parameters = self.kernel.signature[1]
        arrays = [pair for pair in zip(parameters, arguments, strict=True) if pair[0].is_array]
        found = {p.name: xp(array).__name__ for p, array in arrays if array is not None}
        if len(set(found.values())) > 1:
            said = ", ".join(f"{name} {module}'s" for name, module in found.items())
            raise TypeError(f"{self.name}: its arrays are on two devices, {said}; move them to one")
        return next(iter(found.values()))

    def _converter(self, parameter: Parameter) -> Callable[[Any], Any]:
        if parameter.type not in FORMATS:
            return self._struct_converter(parameter)
        dtype = np.dtype(FORMATS[parameter.type])
        if not parameter.is_array:
            return dtype.type

        def address_of(x: Array | None) -> Array | None:
            if x is not None and (x.dtype != dtype or not x.flags.c_contiguous):
                order = "" if x.flags.c_contiguous else ", not in C order"
                raise TypeError(
                    f"{self.name}: {parameter.name} is an array of {dtype}, got one of {x.dtype}{order}"
                )
            return x

        return address_of

    def _struct_converter(self, parameter: Parameter) -> Callable[[Any], Any]:
        fields = self.kernel.struct(parameter.type)
        dtype = np.dtype([(name, np.int32, shape) for name, shape in fields.items()])

        def by_value(
            numbers: Mapping[str, Any],
        ) -> np.ndarray:  # an array of one element: so CuPy passes structs
            if numbers.keys() != fields.keys():
                known = list(fields)
                raise TypeError(f"{self.name}: {parameter.name} has the fields {known}, got {list(numbers)}")
            return np.array([tuple([numbers[name] for name in fields])], dtype)

        return by_value
