"""Free-text addresses to commune codes of the right vintage, by the areas' own names. Never a guess between two.

The names of the reference are enough: a code is given only where exactly one commune fits what is written.
After the reform an address may name an old unit or a new one; where both readings stand and lead to different
places, none is taken.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from ncdsurv.catalog.vocabulary import Vintage
from ncdsurv.reference.place_names import (
    COMMUNE,
    DISTRICT,
    LEVELS,
    PROVINCE,
    Part,
    has_marks,
    name_of,
    parts_of,
    plain_of,
    split_kind,
)

if TYPE_CHECKING:
    from ncdsurv.reference.load import Reference

_ALIASES = {"hcm": "hồ chí minh", "tphcm": "hồ chí minh", "hn": "hà nội", "br vt": "bà rịa vũng tàu",
            "sài gòn": "hồ chí minh"}  # fmt: skip


class Found(NamedTuple):
    """What an address leads to: a code and its vintage, or only that several communes fit."""

    code: str | None
    vintage: str | None
    ambiguous: bool = False
    near: bool = False


class Gazetteer:
    """Communes of both vintages by name, with the district and province they lie in."""

    def __init__(self, reference: Reference) -> None:
        self._lists = {str(vintage): _Names(reference, str(vintage)) for vintage in Vintage}
        links = reference.atoms.select("commune_2024", "commune_2025").unique()
        self._now: dict[str, set[str]] = defaultdict(set)
        for old, new in links.iter_rows():
            self._now[old].add(new)

    def find(self, address: str, day: dt.date, province: tuple[str, str] | None = None) -> Found:
        """The commune an address names.

        Args:
            address: As written; a bare commune name will do where `province` is known.
            day: Of the visit: before the reform only units of 2024 can be meant, after it either.
            province: Code and vintage of the province of the station, taken where the address names none.

        Returns:
            The code, or nothing, or that several communes fit.
        """
        parts = parts_of(address)
        readings = {
            vintage: self._lists[vintage].candidates(parts, self._home(province, vintage))
            for vintage in (str(Vintage.V2025), str(Vintage.V2024))
            if vintage == str(Vintage.at(day)) or Vintage.at(day) == Vintage.V2025
        }
        new, new_near = readings.get(str(Vintage.V2025), (set(), False))
        old, old_near = readings[str(Vintage.V2024)]
        if len(new) == 1 and all(self._now[code] & new for code in old):
            return Found(next(iter(new)), str(Vintage.V2025), near=new_near)
        if len(old) == 1 and not new:
            return Found(next(iter(old)), str(Vintage.V2024), near=old_near)
        return Found(None, None, ambiguous=bool(new or old))

    def _home(self, province: tuple[str, str] | None, vintage: str) -> set[str]:
        """The station's province in a vintage; several of 2024 went into one of 2025."""
        if province is None:
            return set()
        code, known = province
        if known == vintage:
            return {code}
        inside = self._lists[known].communes_of(code)
        if vintage == str(Vintage.V2025):
            moved = {now for old in inside for now in self._now[old]}
        else:
            moved = {old for old, now in self._now.items() if now & inside}
        return {self._lists[vintage].province_of(commune) for commune in moved}


class _Names:
    def __init__(self, reference: Reference, vintage: str) -> None:
        chain = {row["commune"]: row for row in reference.parents(vintage).iter_rows(named=True)}
        self._province = {commune: str(row["province"]) for commune, row in chain.items()}
        self._district = {commune: row["district"] for commune, row in chain.items()}
        self._index: dict[str, dict[str, set[tuple[str, str | None]]]] = {}
        for level in (PROVINCE, DISTRICT, COMMUNE):
            index: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
            for code, name, kind in (
                reference.areas(level, vintage).select("code", "name", "type").iter_rows()
            ):
                bare = split_kind(name).name if level != PROVINCE else name
                for key in {name_of(bare), "=" + plain_of(bare)}:
                    index[key].add((code, kind))
            self._index[level] = index

    def communes_of(self, province: str) -> set[str]:
        return {commune for commune, code in self._province.items() if code == province}

    def province_of(self, commune: str) -> str:
        return self._province[commune]

    def _codes(self, level: str, part: Part) -> set[str]:
        if part.kind is not None and level not in LEVELS[part.kind]:
            return set()
        name = _ALIASES.get(name_of(part.name), part.name)
        found = self._index[level].get(name_of(name), set())
        if not found and not has_marks(name):
            found = self._index[level].get("=" + plain_of(name), set())
        return {code for code, kind in found if part.kind is None or kind is None or kind == part.kind}

    def candidates(self, parts: list[Part], home: set[str]) -> tuple[set[str], bool]:
        """Communes of this vintage that fit every unit named, and whether the station's province was needed."""
        provinces: set[str] | None = None
        rest = list(parts)
        if rest and (found := self._codes(PROVINCE, rest[-1])):
            provinces, rest = found, rest[:-1]
        if any(part.kind == "tỉnh" for part in rest):
            return set(), False  # a province that this vintage does not have
        districts: set[str] | None = None
        if rest and (rest[-1].kind is None or DISTRICT in LEVELS[rest[-1].kind]):
            found = self._codes(DISTRICT, rest[-1])
            if found and (rest[-1].kind is not None or len(rest) > 1):
                districts, rest = found, rest[:-1]
        if any(part.kind is not None and COMMUNE not in LEVELS[part.kind] for part in rest):
            return set(), False  # a district that this vintage does not have
        named = [part for part in rest if part.kind is not None] or rest[-1:]
        communes: set[str] = set()
        for part in named:
            communes |= self._codes(COMMUNE, part)
        if districts is not None:
            communes = {code for code in communes if self._district[code] in districts}
        if provinces is not None:
            return {code for code in communes if self._province[code] in provinces}, False
        if districts is not None and len({self._province[code] for code in communes}) == 1:
            return communes, False
        return {code for code in communes if self._province[code] in home}, True
