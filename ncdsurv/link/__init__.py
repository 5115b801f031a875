"""records -> persons: who is the same human being, where they lived when, and when they died."""

from __future__ import annotations

from ncdsurv.link.exact import PASSES, SINGLE, link_records
from ncdsurv.link.persons import build_persons, build_residences

__all__ = ["PASSES", "SINGLE", "build_persons", "build_residences", "link_records"]
