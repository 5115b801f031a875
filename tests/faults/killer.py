"""A process that runs one operation of a registry per request, each in a fork that can be killed at any write.

Started as `python -m tests.faults.killer`; it imports everything once and starts no thread, so that a fork costs
milliseconds. One JSON object per line comes in, one goes out.

A step is whatever changes the disk, or makes a change last: the interpreter's own events (open to write, rename,
remove, make a folder, link, change rights), `fsync`, and each call into a native writer (Delta, Parquet), before
it and after it. The n-th step does not happen: the process kills itself before it.

A killed process leaves on the disk what stood there at that instant, and its lock is gone. So one run is enough to
walk all steps: before each of them the store is copied, where it differs from the copy before, and each copy is
what a kill at that step leaves behind. A commit of the lake is native, with no step inside: the moment between its
data and its log entry is made from the copy after it, without the entry.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import sys
import time
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
PRELOADED = (
    *(
        f"ncdsurv.{name}"
        for name in ("clean", "ingest", "reference", "reference.pack", "reference.boundaries", "link")
    ),
    *(f"ncdsurv.registry.{name}" for name in ("ingest", "linking", "build", "rotate", "worker")),
    "deltalake",
    "scipy.stats",
)
"""Imported once: a fork that imports them anew spends most of its time on that. None of them starts a query."""
IDS = ("record_id", "visit_id", "person_id", "duplicate_of", "place", "bucket", "received_at")


class Steps:
    """Counts the steps under one folder and breaks off at one of them.

    Args:
        folder: Only what happens under it counts.
        at: Number of the step that does not happen; None to count only.
        fault: An errno to raise there; None to die.
        keep: Where to copy what stands under the folder before each step.
    """

    def __init__(
        self, folder: Path, at: int | None, fault: int | None = None, keep: Path | None = None
    ) -> None:
        self.folder, self.at, self.fault, self.keep = str(folder), at, fault, keep
        self.names: list[str] = []
        self.states: dict[str, str] = {}
        """Name of a copy -> the step before which the disk came to look like that."""
        self._stands: dict[str, str] = {}
        self.on = True

    def copy(self, name: str) -> None:
        """Copy the folder as it stands now, if it has changed."""
        assert self.keep is not None
        self.on = False
        stands = contents(Path(self.folder))
        if stands != self._stands:
            where = f"step {len(self.names)} ({name})"
            entries = {path for path in stands.keys() - self._stands.keys() if is_log_entry(path)}
            if name == "after" and entries:
                between = self.keep / f"{len(self.names)}-between"
                shutil.copytree(self.folder, between)
                for path in entries:
                    (between / path).unlink()
                self.states[between.name] = f"{where}, before its log entry"
            whole = self.keep / str(len(self.names))
            if Path(self.folder).exists():
                shutil.copytree(self.folder, whole)
            self.states[whole.name] = where
            self._stands = stands
        self.on = True

    def step(self, name: str) -> None:
        if not self.on:
            return
        self.names.append(name)
        if self.keep is not None:
            self.copy(name)
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
    read = {name: snapshot.read(name) for name in sorted(snapshot.versions)}
    seen = {name: _rows(frame) for name, frame in read.items()}
    for release_id in store.releases.ids():
        release = store.releases.open(release_id)
        release.verify()
        seen["release"] = _rows(release.scan_values().drop("release_id", strict=False).collect())
    for name in ("visits", "identifiers"):
        if "patients" in seen and name in seen:  # rows under two keys would not find each other
            found = read[name].join(read["patients"], on="record_id", how="semi")
            seen[f"{name} with a patient"] = str(found.height)
    commits = store.lake.commits()
    if commits.height and commits["kind"][-1] == "rotate":
        seen["files of older states"] = str(len(_stray(store, snapshot)))
    seen["packs"] = " ".join(read_pack(path).fingerprint for path in store.packs)
    return seen


def _rows(frame: Any) -> str:
    # In plain Python: a dozen tiny queries cost more than all else a reader does.
    # Sums of fractions may differ in their last digit, by the order in which threads add.
    columns = [
        [None if cell is None else float(f"{cell:.9g}") for cell in column]
        if column.dtype.is_float()
        else column.to_list()
        for column in frame.drop(IDS, strict=False)
    ]
    rows = sorted(map(repr, zip(*columns, strict=True)))
    return f"{len(rows)}:{hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:16]}"


def _stray(store: Any, snapshot: Any) -> set[str]:
    """Data files of records that the newest state does not use: after a rotation they hold ids of the old key."""
    from deltalake import DeltaTable

    path = store.lake.path("visits")
    used = DeltaTable(str(path), version=snapshot.versions["visits"]).file_uris()
    return {file.name for file in path.glob("*.parquet")} - {Path(uri).name for uri in used}


def contents(folder: Path) -> dict[str, str]:
    """What stands under a folder: path -> hash of the file, or nothing for a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def is_log_entry(path: str) -> bool:
    """Whether a path is a commit of one of the lake's tables."""
    return Path(path).parent.name == "_delta_log" and path.endswith(".json")


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
    if "stores" not in request:
        return _one(request)
    answers = []  # nobody dies here: one fork serves many stores, and starts its threads once
    for store in request.pop("stores"):
        try:
            answers.append({"status": 0, **_one({**request, "store": store})})
        except Exception as error:
            answers.append(
                {"status": getattr(error, "exit_code", 70), "error": f"{type(error).__name__}: {error}"}
            )
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    return {"answers": answers}


def _one(request: dict[str, Any]) -> dict[str, Any]:
    store = Path(request["store"])
    found: dict[str, Any] = {}
    if request.get("look"):
        found["before"] = state(store)
    if "verb" in request:
        fault = request.get("fault")
        keep = Path(request["keep"]) if request.get("keep") else None
        steps = Steps(store, request.get("at"), getattr(errno, fault) if fault else None, keep)
        if request.get("count") or request.get("at"):
            steps.install()
        if "after_seconds" in request:  # dies then, wherever it is
            signal.setitimer(signal.ITIMER_REAL, request["after_seconds"])
        begun = time.monotonic()
        try:
            run(store, request["verb"], request["arguments"])
        finally:
            steps.on = False
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        found["seconds"] = time.monotonic() - begun
        found["steps"], found["states"] = steps.names, steps.states
    found["after"] = state(store)
    found["left"] = left_behind(store)
    return found


def main() -> None:
    """Serve requests until the input ends."""
    from importlib import import_module

    from tests.few_definitions import few_indicators

    for name in PRELOADED:
        import_module(name)
    with few_indicators():
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
