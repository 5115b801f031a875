"""Functions compiled by numba and kept on disk; numba itself is loaded only where something is compiled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from inspect import getclosurevars
from pathlib import Path
from types import ModuleType

_DIGITS = 16


@cache
def kept(module: str) -> bool:
    """Whether something compiled of a module lies on this disk, so that it is loaded and not compiled anew.

    A guess from names alone, to choose the quicker of two equal ways: what lies there may be of an older source,
    and what numba keeps in the user's own folder is not looked for.

    >>> kept("ncdsurv.errors")
    False
    """
    found = find_spec(module)
    if found is None or found.origin is None:
        return False
    source = Path(found.origin)
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folders = Path(chosen).glob("*") if chosen else iter([source.parent / "__pycache__"])
    index = f"{source.stem}.*.py{sys.version_info.major}{sys.version_info.minor}*.nbi"
    return any(next(folder.glob(index), None) for folder in folders)


def compile_once(function: Callable) -> Callable:
    """Compile a function and keep the result on disk, where numba finds a folder it may write to.

    What the function takes from its module is compiled in, but numba's cache looks at the function's own file
    only: a constant changed elsewhere would leave the old code in use. So a digest of all that is compiled in
    becomes part of the function's name, by which the cache is kept.
    """
    from numba import njit

    function.__qualname__ += f"_{_compiled_in(function)}"
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # read-only installation and no home: compiled anew in each process
        return njit(nogil=True)(function)


def _compiled_in(function: Callable) -> str:
    """A digest of the values that a function takes from its module: numbers, and functions compiled before it."""
    from numba.core.dispatcher import Dispatcher

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
