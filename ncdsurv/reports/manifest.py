"""The record of what was made: one JSON file beside the reports, rewritten whole after each of them.

It alone says whether a report is good: the executed notebook of a killed run can look complete.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import write_whole

Status = Literal["ok", "up_to_date", "failed", "timeout", "killed", "planned"]
FILE_NAME = "manifest.json"


class ReportEntry(BaseModel):
    """What happened to one report, and the hashes of what it left."""

    model_config = ConfigDict(extra="forbid")
    key: str
    notebook: str
    parameters: dict[str, str]
    release: str
    run_key: str
    status: Status
    outputs: dict[str, str] = {}
    seconds: float = 0.0
    stages: dict[str, float] = {}
    problem: str | None = None
    versions: dict[str, str] = {}

    @property
    def failed(self) -> bool:
        """Whether the reader must not use it."""
        return self.status in ("failed", "timeout", "killed")

    def line(self) -> str:
        """One line for a person."""
        shown = next((name for name in self.outputs if name.endswith(".html")), self.key)
        text = f"{self.status.replace('_', ' ')}: {shown}"
        return f"{text} ({self.problem})" if self.problem else text


class Manifest:
    """Entries by report key, kept in `manifest.json` of the output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self.entries: dict[str, ReportEntry] = {}
        if self.path.exists():
            try:
                loaded = json.loads(self.path.read_text(encoding="utf-8"))["reports"]
                self.entries = {item["key"]: ReportEntry(**item) for item in loaded}
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(
                    "the manifest of the reports cannot be read",
                    got=str(self.path),
                    do="remove it; the reports will be made again",
                ) from error

    def record(self, entry: ReportEntry) -> None:
        """Keep an entry; the file on disk is old or new, never half."""
        self.entries[entry.key] = entry
        body: dict[str, Any] = {
            "schema": 1,
            "reports": [self.entries[key].model_dump() for key in sorted(self.entries)],
        }
        write_whole(self.path, json.dumps(body, ensure_ascii=False, indent=1).encode())

    def is_current(self, key: str, run_key: str) -> bool:
        """Whether a report was made from the same things and its files are still what they were."""
        entry = self.entries.get(key)
        if entry is None or entry.failed or entry.run_key != run_key or not entry.outputs:
            return False
        return all(hash_file(self.folder / name) == digest for name, digest in entry.outputs.items())


def hash_file(path: Path) -> str | None:
    """SHA-256 of a file's bytes, or None where there is no file."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else None
