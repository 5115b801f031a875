"""What the system refuses is told in one line, with the remedy that helps."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from ncdsurv.errors import InputError, StoreError
from ncdsurv.store.faults import faults_told
from ncdsurv.store.files import KeptFiles

ALLOWED = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
TOO_MANY = (
    f"allowed: {ALLOWED} at once; do: raise the limit (ulimit -n) and run the command again; nothing is lost"
)


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused(errno.EMFILE), f"too many open files: got place; {TOO_MANY}"),
        (
            OSError("Unable to open: Too many open files (os error 24)"),
            f"too many open files: got place; {TOO_MANY}",
        ),
        (
            refused(errno.ENFILE),
            f"the registry cannot be written: got place ({os.strerror(errno.ENFILE)}); do: end other programs of this "
            "machine, then run the command again; nothing is lost",
        ),
        (
            refused(errno.EACCES),
            "the registry cannot be written: got place (Permission denied); do: check who may write there, then run "
            "the command again; nothing is lost",
        ),
    ],
    ids=["of the process", "as a library says it", "of the machine", "permission"],
)
def test_the_line_says_what_helps(error: OSError, told: str) -> None:
    with pytest.raises(StoreError) as caught, faults_told(Path("place")):
        raise error
    assert str(caught.value) == told


@pytest.mark.parametrize("at", ["the file received", "its copy"])
def test_a_file_is_not_blamed_where_too_many_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    source = tmp_path / "one.csv"
    source.write_text("invented", "utf-8")
    really = Path.open

    def opened(path: Path, mode: str = "r", **more: object) -> object:
        if (mode == "rb") == (at == "the file received"):
            raise refused(errno.EMFILE)
        return really(path, mode, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(StoreError) as caught:
        KeptFiles(tmp_path / "files").keep(source)
    assert str(caught.value) == f"too many open files: got one.csv; {TOO_MANY}"
    assert not isinstance(caught.value, InputError)
