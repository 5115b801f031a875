"""A first mapping for a table that nobody has seen: proposed with confidences, finished by a person."""

from __future__ import annotations

from ncdsurv.draft.draft import draft_source
from ncdsurv.draft.result import Draft, FieldDraft

__all__ = ["Draft", "FieldDraft", "draft_source"]
