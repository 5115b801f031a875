"""The files of `data_samples/` by their SHA-256: a registry that took one in holds invented people, and can say so.

A mark inside the files would have to be read by every reader of every format; a file's hash every registry keeps.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

_LIST = "sample_files.csv"


@cache
def known_samples() -> dict[str, str]:
    """SHA-256 -> path under `data_samples/`.

    >>> "vnpt/37010_vnpt_202606.csv" in known_samples().values()
    True
    """
    text = (files("ncdsurv.synthetic.data") / _LIST).read_text(encoding="utf-8")
    return {row["sha256"]: row["file"] for row in csv.DictReader(text.splitlines())}


def any_invented(hashes: Iterable[str]) -> bool:
    """Whether one of some files, by their SHA-256, is a sample of this package."""
    return not known_samples().keys().isdisjoint(hashes)


def list_samples(folder: Path) -> str:
    """The list of a folder of samples, as the package keeps it."""
    found = sorted(path for path in folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
    rows = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()},{path.relative_to(folder).as_posix()}"
        for path in found
    ]
    return "\n".join(["sha256,file", *rows]) + "\n"


def keep_list(folder: Path) -> None:
    """Write the list of a folder of samples into this package; only `make samples` does."""
    (Path(__file__).parent / "data" / _LIST).write_text(list_samples(folder), encoding="utf-8")
