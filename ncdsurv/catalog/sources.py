"""Source mappings (placeholder until the ingest builder's model lands; overwrite freely)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SourceMapping = Any


def load_sources(folder: Path, diseases: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Nothing yet."""
    return {}, []
