"""Numba's compiler, without the machine code that nobody runs.

Numba makes several functions of a parallel loop: one for each `prange` in it, two wrappers around each of
these, and the loop itself; and others of the functions that it calls. Each is linked into the next, so that
the last holds all. Numba optimises every one of them when it is made and turns it into machine code, of which
only the last one's ever runs.

Within `linked_first`, a library (Numba's word for a module of functions) waits. When somebody asks for the
address of a function in it, then it is optimised, with all that was linked into it, and becomes machine code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.environment import lookup_environment

BODY = "__numba_parfor_gufunc"  # what Numba calls the function that it makes of a `prange`
ENVIRONMENT = "_ZN08NumbaEnv"  # how the names of variables begin that point to a function's Python objects


class Library(JITCodeLibrary):  # type: ignore[misc]
    """A library that becomes machine code when somebody asks for the address of one of its functions."""

    is_emitted = False

    def _optimize_final_module(self) -> None:
        """Numba calls this when all is linked. It can wait: see `_emit`."""

    def _finalize_final_module(self) -> None:
        """Numba calls this to emit machine code; what was read from disk is machine code already."""
        if self._disable_inspection:  # which Numba says of that
            self.is_emitted = True
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """The address of a function; 0 if there is none of this name."""
        self._ensure_finalized()
        if not self.is_emitted:
            if not any(f.name == name for f in self.get_defined_functions()):
                return 0
            self._emit()
        return super().get_pointer_to_function(name)

    def _get_module_for_linking(self) -> Any:
        """What others are linked with. Of a library that is not linked here, Numba expects that this one is
        complete, with its variables set.
        """
        if self.codegen._library_class is not Library and not self.is_emitted:
            self._emit()
        return super()._get_module_for_linking()

    @global_compiler_lock
    def _emit(self) -> None:
        super()._optimize_final_module()
        super()._finalize_final_module()
        self.is_emitted = True
        for variable in self._final_module.global_variables:
            named = variable.name.startswith(ENVIRONMENT)
            if named and (environment := lookup_environment(variable.name)) is not None:
                self.codegen.set_env(variable.name, environment)

    def serialize_using_object_code(self) -> tuple[Any, ...]:
        """What is kept on disk: of functions that are only called by others, what these are linked with."""
        if self.is_emitted:
            return super().serialize_using_object_code()
        return self.name, "bitcode", self._final_module.as_bitcode()


@contextmanager
def linked_first(target: Any) -> Iterator[None]:
    """Within the context, what this thread compiles for `target` (Numba's word for a processor) goes into
    `Library`s, and the body of a `prange` gets no entry for Python, which would be hundreds of lines of code.
    """
    codegen = target.codegen()

    def create_cpython_wrapper(library: Any, function: Any, *args: Any, **options: Any) -> None:
        if not function.qualname.startswith(BODY):
            create_wrapper(library, function, *args, **options)

    def set_env_if_emitted(name: str, environment: Any) -> None:
        if codegen._engine.is_symbol_defined(name):
            set_env(name, environment)

    with global_compiler_lock:
        if codegen._library_class is Library:  # a function that is compiled for another one
            yield
            return
        create_wrapper, set_env = target.create_cpython_wrapper, codegen.set_env
        target.create_cpython_wrapper = create_cpython_wrapper
        codegen._library_class, codegen.set_env = Library, set_env_if_emitted
        try:
            yield
        finally:  # what the class says holds again
            del target.create_cpython_wrapper, codegen._library_class, codegen.set_env
