"""What drafting gives back: the text of a mapping, and in words what was found and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FieldDraft:
    """One field of the draft.

    Attributes:
        name: The field.
        columns: Headers (or `column:C`) that feed it.
        confidence: 0 to 1; None for what is only a default.
        reason: Confidence in words, for the comment.
        values: Code -> spellings.
        settings: Other keys, such as `unit`, `default`, `vintage`.
        required: Whether a file without it is refused.
        remarks: Lines to stand above it as comments.
    """

    name: str
    columns: tuple[str, ...] = ()
    confidence: float | None = None
    reason: str = ""
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    required: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SheetDraft:
    """One kind of sheet of the draft."""

    id: str
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    disease: str | None = None
    disease_needed: bool = False


@dataclass(frozen=True)
class Draft:
    """A proposed mapping.

    Attributes:
        text: The TOML file.
        fields: Proposed fields.
        unplaced: One line for each column without a field.
        to_fill: What the mapping still lacks to be loaded; empty when it can be used as it is.
        remarks: What else a person should know.
    """

    text: str
    fields: tuple[FieldDraft, ...]
    unplaced: tuple[str, ...]
    to_fill: tuple[str, ...]
    remarks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: no text of the file, no cell."""
        return {
            "loads": not self.to_fill,
            "fields": [
                {"field": one.name, "columns": list(one.columns), "confidence": one.confidence}
                for one in self.fields
            ],
            "unplaced": list(self.unplaced),
            "to_fill": list(self.to_fill),
            "remarks": list(self.remarks),
        }
