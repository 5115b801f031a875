"""From files to raw rows: guard, readers, and the mapping of headers to fields. Nothing is judged here."""

from __future__ import annotations

from ncdsurv.ingest.guard import check_file
from ncdsurv.ingest.raw import RawBatch, concat_batches
from ncdsurv.ingest.readers import read_file, read_files, read_parts

__all__ = ["RawBatch", "check_file", "concat_batches", "read_file", "read_files", "read_parts"]
