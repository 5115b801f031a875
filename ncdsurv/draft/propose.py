"""Which column is which field, with a confidence from its header and from the shape of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ncdsurv.catalog.sources import FIELDS
from ncdsurv.draft.roles import date_shares, pressure_shares
from ncdsurv.draft.shapes import NUMBERS, Column
from ncdsurv.draft.words import Words

SURE = 0.5
"""From here on a proposal stands in the draft; below it is only mentioned."""
_MENTION = 0.25
_EXACT = 0.95
_KNOWN_OTHER = 0.85
_SAME = 0.96  # what a header that is exactly a known name is worth
_BASE = 0.6
_HALF = 0.5
_ENOUGH = 3
_READ_BY_SHAPE = frozenset(
    (
        "citizen_id",
        "insurance_number",
        "phone",
        "blood_pressure",
        "diagnosis",
        "commune",
        "facility",
        "sex",
        "name",
    )
)
_DATES = ("birth_date", "visited_on", "detected_on", "next_visit_on")
_FREE = (
    "name",
    "commune",
    "facility",
    "phone",
)  # what the header says holds although the shape is loose


@dataclass(frozen=True)
class Proposal:
    """One column for one field."""

    field: str
    column: Column
    confidence: float
    header: float
    shape: float | None


@dataclass(frozen=True)
class Unplaced:
    """A column without a field, and why, in one line."""

    column: Column
    why: str


def propose(columns: Sequence[Column], words: Words) -> tuple[list[Proposal], list[Unplaced]]:
    """Give each field its best column and each column its best field, the surest first.

    Args:
        columns: All columns of one table.
        words: Known names and codes.

    Returns:
        The proposals with at least even confidence, and every other column with a reason.
    """
    columns = [_with_serials(column, words) for column in columns]
    dates, pressure = date_shares(columns), pressure_shares(columns, words)
    candidates = [
        proposal
        for column in columns
        for proposal in _candidates(
            column, dates.get(column.place, {}), pressure.get(column.place, {}), words
        )
    ]
    taken: dict[str, Proposal] = {}
    placed: set[int] = set()
    # equal confidence: the header's word, then the fuller column, then the one to the left
    for one in sorted(
        candidates, key=lambda p: (-round(p.confidence, 3), -p.header, -p.column.filled, p.column.place)
    ):
        if one.confidence < SURE or one.field in taken or one.column.place in placed or _clash(one, taken):
            continue
        taken[one.field] = one
        placed.add(one.column.place)
    unplaced = [
        Unplaced(column, _why(column, candidates, taken, words))
        for column in columns
        if column.place not in placed
    ]
    return sorted(taken.values(), key=lambda p: p.column.place), unplaced


def _with_serials(column: Column, words: Words) -> Column:
    """Numbers of five digits are dates only under the header of a date."""
    serial = column.shares["serial"]
    if serial <= column.shares["visited_on"] or not set(words.header_scores(column.label)) & set(_DATES):
        return column
    return replace(column, shares={**column.shares, "visited_on": serial})


def _clash(one: Proposal, taken: Mapping[str, Proposal]) -> bool:
    """An age per sex and one age for all do not go together."""
    return one.field == "age" and {"age_male", "age_female"} <= set(taken)


def _candidates(
    column: Column, dates: Mapping[str, float], pressure: Mapping[str, float], words: Words
) -> list[Proposal]:
    headers = words.header_scores(column.label) if column.label else {}
    if max(headers.values(), default=0.0) >= _EXACT:  # what it is exactly, it is
        headers = {name: score for name, score in headers.items() if score >= _EXACT}
    other = bool(column.label) and not headers and words.other_score(column.label) >= _KNOWN_OTHER
    out = []
    for name in words.aliases:
        header = max(0.0, (headers.get(name, 0.0) - _BASE) / (1 - _BASE)) * _SAME
        shape = _shape(name, column, dates, pressure)
        if FIELDS[name] and shape is None and headers.get(name, 0.0) < _EXACT:
            shape = column.shares.get(name, 0.0)  # a header only like a coded field needs known codes
        alone = words.alone.get(name, 0.0)
        telling = name in _READ_BY_SHAPE or name in dates or name in pressure
        by_shape = alone * max(0.0, 2 * (shape or 0.0) - 1) if telling and not other else 0.0
        sure = 1 - (1 - header) * (1 - by_shape)
        if shape is not None and shape < _HALF and column.filled >= _ENOUGH:
            sure *= max(shape, 0.6 if name in _FREE else 0.1) if header else 0.0
        if sure > 0:
            out.append(Proposal(name, column, sure, headers.get(name, 0.0), shape))
    return out


def _shape(
    name: str, column: Column, dates: Mapping[str, float], pressure: Mapping[str, float]
) -> float | None:
    """Share of the cells that fit a field; None where anything would."""
    if name in _DATES:
        return dates.get(name, 0.0)
    if name in ("age_male", "age_female"):
        return max(column.shares["age"], column.shares["year"])
    if name in NUMBERS:
        return pressure.get(name, column.shares[name])
    share = column.shares.get(name)
    if FIELDS[name] and not column.coded:
        return 0.0
    if name == "diagnosis" and (share or 0.0) < _HALF <= column.shares["words"]:
        return None  # diagnoses in words
    if name not in _READ_BY_SHAPE:
        return None  # codes nobody has listed yet, and free text, cannot speak against a header
    if name == "sex" and not share:
        return None
    return share


def _why(column: Column, candidates: Sequence[Proposal], taken: Mapping[str, Proposal], words: Words) -> str:
    mine = sorted(
        (one for one in candidates if one.column.place == column.place), key=lambda p: -p.confidence
    )
    best = mine[0] if mine else None
    if column.label and words.other_score(column.label) >= _KNOWN_OTHER:
        return "known; the registry has no field for it"
    if best is not None and best.confidence >= SURE and best.field in taken:
        return f"looks like {best.field} ({best.confidence:.2f}), which another column fills better"
    if best is not None and best.header and best.shape is not None and best.shape < _HALF:
        return f"header says {best.field}, but only {best.shape:.0%} of the cells can be read as that"
    if best is not None and best.confidence >= _MENTION:
        return f"perhaps {best.field} ({best.confidence:.2f}); too doubtful to propose"
    return "no field is like it"
