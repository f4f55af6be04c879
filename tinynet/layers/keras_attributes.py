"""KerasAttributes: what layers of Keras say of themselves, for scripts that ask."""

from typing import Any

from tinynet.layers.input_spec import InputSpec


class KerasAttributes:
    """Base of Module: attributes of Keras's that follow from others here."""

    name: str
    dtype: Any
    supports_masking = False  # whether Keras's layer hands masks on; there are none here
    _own_input_spec: Any = None  # what `input_spec` was set to
    _input_rank: int | None
    _least_rank: int
    _input_sizes: dict[int, int]

    compute_dtype = property(lambda self: self.dtype.name, doc="The format that it computes in, as a string.")
    variable_dtype = property(lambda self: self.dtype.name, doc="The format of its variables, as a string.")
    path = property(lambda self: self.name, doc="The name, with which the paths of its variables begin.")

    @property
    def input_spec(self) -> Any:
        """What inputs must be: an InputSpec, several in a structure, or None.
        What it is set to is checked at every call.
        """
        if self._own_input_spec is not None:
            return self._own_input_spec
        sizes, rank = vars(self).get("_input_sizes"), self._input_rank
        if rank is None and self._least_rank == 1 and not sizes:
            return None
        return (
            InputSpec(ndim=rank, axes=sizes)
            if rank is not None
            else InputSpec(min_ndim=self._least_rank, axes=sizes)
        )

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._own_input_spec = value
