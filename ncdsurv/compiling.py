"""Functions compiled by numba and kept on disk; imported only where something is compiled."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from inspect import getclosurevars
from types import ModuleType

from numba import njit
from numba.core.dispatcher import Dispatcher

_DIGITS = 16


def compile_once(function: Callable) -> Callable:
    """Compile a function and keep the result on disk, where numba finds a folder it may write to.

    What the function takes from its module is compiled in, but numba's cache looks at the function's own file
    only: a constant changed elsewhere would leave the old code in use. So a digest of all that is compiled in
    becomes part of the function's name, by which the cache is kept.
    """
    function.__qualname__ += f"_{_compiled_in(function)}"
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # read-only installation and no home: compiled anew in each process
        return njit(nogil=True)(function)


def _compiled_in(function: Callable) -> str:
    """A digest of the values that a function takes from its module: numbers, and functions compiled before it."""
    told: list[tuple[object, ...]] = []
    for name, value in sorted(getclosurevars(function).globals.items()):
        if isinstance(value, Dispatcher):
            code = value.py_func.__code__
            told.append((name, value.py_func.__qualname__, code.co_code, code.co_consts))
        elif isinstance(value, int | float | str | tuple):
            told.append((name, repr(value)))
        elif not (callable(value) or isinstance(value, ModuleType)):
            raise TypeError(f"{name} is compiled in, but is no number")  # it would not be seen to change
    return sha256(repr(told).encode()).hexdigest()[:_DIGITS]
