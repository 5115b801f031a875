"""A process that runs one operation of a registry per request, each in a fork that can be killed at any write.

Started as `python -m tests.faults.killer`; it imports everything once and starts no thread, so that a fork costs
milliseconds. One JSON object per line comes in, one goes out.

A step is whatever changes the disk, or makes a change last: the interpreter's own events (open to write, rename,
remove, make a folder, link, change rights), `fsync`, and each call into a native writer (Delta, Parquet), before
it and after it. The n-th step does not happen: the process kills itself before it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

QUIET = ("os.fsync", "after", "os.chmod", "os.mkdir")
"""Steps at which a reader finds what it found at the step before; the long run stops at these too."""
_EVENTS = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
PATIENCE = 90
"""Seconds after which a fork that hangs is ended, so that its test fails instead of waiting."""
IDS = ("record_id", "visit_id", "person_id", "duplicate_of", "place", "bucket", "received_at")


class Steps:
    """Counts the steps under one folder and breaks off at one of them.

    Args:
        folder: Only what happens under it counts.
        at: Number of the step that does not happen; None to count only.
        fault: An errno to raise there; None to die.
    """

    def __init__(self, folder: Path, at: int | None, fault: int | None = None) -> None:
        self.folder, self.at, self.fault = str(folder), at, fault
        self.names: list[str] = []
        self.on = True

    def step(self, name: str) -> None:
        if not self.on:
            return
        self.names.append(name)
        if len(self.names) == self.at:
            if self.fault is None:
                os.kill(os.getpid(), signal.SIGKILL)
            self.on = False  # one fault, then the disk works again
            raise OSError(self.fault, os.strerror(self.fault))

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            writes = (isinstance(flags, int) and flags & _WRITING) or (mode and set(mode) & set("wax+"))
            if writes and isinstance(path, str) and path.startswith(self.folder):
                self.step(event)
        elif event in _EVENTS and isinstance(args[0], str | Path) and str(args[0]).startswith(self.folder):
            self.step(event)

    def install(self) -> None:
        import deltalake
        import polars as pl

        sys.addaudithook(self.audit)
        self._wrap(os, "fsync", "os.fsync", after=False)
        self._wrap(deltalake, "write_deltalake", "write_deltalake")
        self._wrap(deltalake.DeltaTable, "restore", "restore")
        self._wrap(deltalake.DeltaTable, "vacuum", "vacuum")
        self._wrap(pl.DataFrame, "write_parquet", "write_parquet")
        self._wrap(pl.LazyFrame, "sink_parquet", "sink_parquet")
        self._wrap(pl.DataFrame, "write_ipc", "write_ipc")

    def _wrap(self, owner: Any, name: str, said: str, after: bool = True) -> None:
        original = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.step(said)
            answer = original(*args, **kwargs)
            if after:
                self.step("after")
            return answer

        setattr(owner, name, wrapped)


class InThisProcess:
    """A cleaning process's face over a cleaner in this one: it writes nothing, and starting it takes a second."""

    def __init__(self, session: Any) -> None:
        from ncdsurv.registry.worker import Cleaner

        self.clean = Cleaner(session.key, session.packs).clean
        self.owner = -1

    def close(self) -> None:
        pass


def run(store: Path, verb: str, arguments: dict[str, Any]) -> None:
    """One verb of a registry."""
    from ncdsurv.registry import open_store

    getattr(open_store(store), verb)(**arguments)


def state(folder: Path) -> dict[str, str]:
    """What a reader sees: a hash of the rows of each table (ids apart), each release, each reference pack."""
    from ncdsurv.reference.pack import read_pack
    from ncdsurv.registry import open_store

    store = open_store(folder)
    snapshot = store.lake.snapshot()
    seen = {name: _rows(snapshot.read(name)) for name in sorted(snapshot.versions)}
    for release_id in store.releases.ids():
        release = store.releases.open(release_id)
        release.verify()
        seen["release"] = _rows(release.scan_values().drop("release_id", strict=False).collect())
    for name in ("visits", "identifiers"):
        if "patients" in seen and name in seen:  # rows under two keys would not find each other
            found = snapshot.read(name).join(snapshot.read("patients"), on="record_id", how="semi")
            seen[f"{name} with a patient"] = str(found.height)
    if store.lake.commits().height and store.lake.commits()["kind"][-1] == "rotate":
        seen["files of older states"] = str(len(_stray(store, snapshot)))
    seen["packs"] = " ".join(read_pack(path).fingerprint for path in store.packs)
    return seen


def _rows(frame: Any) -> str:
    import polars as pl

    # Sums of fractions may differ in their last digit, by the order in which threads add.
    exact = pl.selectors.float().round_sig_figs(9)
    rows = frame.drop(IDS, strict=False).with_columns(exact).select(pl.all().cast(pl.String)).sort(pl.all())
    return f"{rows.height}:{hashlib.sha256(rows.write_csv().encode()).hexdigest()[:16]}"


def _stray(store: Any, snapshot: Any) -> set[str]:
    """Data files of records that the newest state does not use: after a rotation they hold ids of the old key."""
    from deltalake import DeltaTable

    path = store.lake.path("visits")
    used = DeltaTable(str(path), version=snapshot.versions["visits"]).file_uris()
    return {file.name for file in path.glob("*.parquet")} - {Path(uri).name for uri in used}


def left_behind(folder: Path) -> list[str]:
    """Names of unfinished work that is still there."""
    return sorted(
        path.name for path in folder.rglob(".*") if path.name.startswith((".tmp-", ".aside-", ".adding-"))
    )


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request says, in a fork; says how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"status": status, **(json.loads(said) if said else {})}
    os.close(reading)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    code, found = 0, {}
    try:
        found = _in_fork(request)
    except BaseException as error:
        code = getattr(error, "exit_code", 70)
        found = {"error": str(error), "type": type(error).__name__}
    with os.fdopen(writing, "w") as pipe:
        pipe.write(json.dumps(found))
    os._exit(code)


def _in_fork(request: dict[str, Any]) -> dict[str, Any]:
    from ncdsurv.registry import workers

    workers._begin = InThisProcess  # type: ignore[assignment]
    workers._spare = lambda child: None
    store = Path(request["store"])
    found: dict[str, Any] = {}
    if request.get("look"):
        found["before"] = state(store)
    if "verb" in request:
        fault = request.get("fault")
        steps = Steps(store, request.get("at"), getattr(errno, fault) if fault else None)
        if request.get("count") or request.get("at"):
            steps.install()
        if "after_seconds" in request:  # dies then, wherever it is
            signal.setitimer(signal.ITIMER_REAL, request["after_seconds"])
        try:
            run(store, request["verb"], request["arguments"])
        finally:
            steps.on = False
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        found["steps"] = steps.names
    found["after"] = state(store)
    found["left"] = left_behind(store)
    return found


def main() -> None:
    """Serve requests until the input ends."""
    from importlib import import_module

    from ncdsurv.catalog import load_catalog

    for name in ("clean", "ingest", "reference", "link", "registry.build", "registry.rotate"):
        import_module(f"ncdsurv.{name}")
    load_catalog()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
