"""What a process that reads files may take: memory and processor time, held by the kernel.

The promise is about resident memory, which Linux does not limit for one process; it limits address space and
data. Both are derived from what the process holds at rest, because that differs from machine to machine:

- Address space: what is mapped later may become resident, all of it, on top of what is resident now. So
  `virtual + (peak - resident)`.
- Data (private writable memory): what was set aside at rest and not touched yet can become resident without
  any new address space. Of a process's memory only its data and its program code can, so `peak - code`.

Together: data and code stay below the peak wherever data is limited (Linux), and new mappings everywhere.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ncdsurv.errors import InputError

_MB = 1 << 20
PEAK_BYTES = 940 * _MB
"""What a reading process may hold in all; its stack and a library loaded late fit between this and 1 GB."""
SECONDS, SECONDS_PER_MB = 60, 3
"""Processor time for one request, and more by its size: ten times what a slow machine needs."""
_KINDS = {"VmSize": "virtual", "VmRSS": "resident", "VmLib": "code", "VmExe": "code"}
_STATUS = Path("/proc/self/status")
_FRUGAL = {
    # One thread each: several processes share the machine, and each thread sets memory aside.
    "POLARS_MAX_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # The limits count what an allocator sets aside; these give back what is free (glibc, jemalloc in polars);
    # within a second: sooner, the kernel's work on pages is a fifth of all.
    "MALLOC_ARENA_MAX": "2",
    "_RJEM_MALLOC_CONF": "narenas:1,retain:false,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:false",
    # A parser that breaks over a file is expected here; naming its stack takes longer than reading the file.
    "RUST_BACKTRACE": "0",
}


@dataclass(frozen=True)
class AtRest:
    """What a process holds before it reads a file, in bytes.

    Attributes:
        virtual: Its address space.
        resident: What of it is in memory.
        code: Address space of its program and libraries.
    """

    virtual: int
    resident: int
    code: int

    @classmethod
    def read(cls, status: str) -> AtRest:
        """From the text of `/proc/self/status`.

        Raises:
            ValueError: It tells none of the sizes.

        >>> AtRest.read("VmSize:\\t 400 kB\\nVmRSS:\\t 80 kB\\nVmExe:\\t 1 kB\\nVmLib:\\t 150 kB").code // 1024
        151
        """
        sizes = dict.fromkeys(_KINDS.values(), 0)
        for line in status.splitlines():
            name, _, size = line.partition(":")
            if name in _KINDS:
                sizes[_KINDS[name]] += int(size.split()[0]) * 1024
        if not sizes["resident"]:
            raise ValueError("no sizes")
        return cls(**sizes)

    def bounds(self, peak: int) -> tuple[int, int]:
        """The limits of address space and of data with which it never holds more than `peak`.

        >>> AtRest(virtual=400, resident=80, code=150).bounds(900)
        (1220, 750)
        """
        return self.virtual + max(0, peak - self.resident), max(0, peak - self.code)


def frugal(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that reads files: one that sets little memory aside, and finds this package.

    Args:
        environment: The parent's.
    """
    package = str(Path(__file__).parents[2])
    search = os.pathsep.join([package, *filter(None, [environment.get("PYTHONPATH")])])
    return {**environment, **_FRUGAL, "PYTHONPATH": search}


def limit_memory(peak: int = PEAK_BYTES) -> None:
    """Let this process hold so much and no more, and never leave its memory behind in a core file."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        address_space, data = AtRest.read(_STATUS.read_text("ascii")).bounds(peak)
    except (OSError, ValueError):  # no Linux
        return
    _lower(resource.RLIMIT_AS, address_space)
    _lower(resource.RLIMIT_DATA, data)


def limit_time(seconds: int) -> None:
    """Let this process compute for so long from now on; the kernel ends it afterwards."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (wanted if hard < 0 else min(wanted, hard), hard))


def seconds_for(paths: Sequence[Path]) -> int:
    """How long reading and cleaning some files may take."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return SECONDS + SECONDS_PER_MB * (total // _MB)


def too_large(path: Path) -> InputError:
    """The refusal of a file that needs more memory than reading may take."""
    return InputError(
        f"{path.name} needs more memory than reading may take",
        got=f"a file of {_size(path)}",
        allowed=f"{PEAK_BYTES // _MB} MB of memory",
        do="split it by month",
    )


def _size(path: Path) -> str:
    try:
        return f"{-(-path.stat().st_size // _MB)} MB"
    except OSError:
        return "unknown size"
