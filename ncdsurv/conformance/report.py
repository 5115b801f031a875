"""What a check of conformance found: elements, reasons, and what cannot be computed; as words or as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ncdsurv.clean.rules import explain
from ncdsurv.conformance.words import words as words_of

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.elements import DataStandard

State = Literal["present", "fixed", "incomplete", "malformed", "missing", "not_mapped"]


@dataclass(frozen=True)
class ElementResult:
    """One data element in the rows that are records of the register.

    `state`: `present`; `fixed` (the mapping says it for every row); `incomplete` (required and left empty too
    often); `malformed` (filled, but too often not usable); `missing` (no column, or never filled);
    `not_mapped` (the source's mapping has no place for it). `empty_percent` is of the records that need it, and
    stands only where it is required.
    """

    id: str
    required: bool
    state: State
    rows: int
    filled: int
    filled_percent: float | None
    empty_percent: float | None
    malformed: int
    malformed_percent: float | None
    malformed_by_rule: dict[str, int]
    mended: int
    usable: int


@dataclass(frozen=True)
class Gap:
    """An indicator of a disease that cannot be computed, and the elements it lacks."""

    indicator: str
    disease: str
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """A file that could not be read, and why."""

    file: str
    why: str


@dataclass(frozen=True)
class ConformanceReport:
    """The answer to "does this export conform?", in counts and shares; it holds no patient's value."""

    source: str
    files: int
    refused: tuple[Refused, ...]
    rows: int
    outside: int
    kept: int
    rejected_by_rule: dict[str, int]
    elements: tuple[ElementResult, ...]
    computable: int
    gaps: tuple[Gap, ...]

    @property
    def conforms(self) -> bool:
        """No file refused, records there, no required element missing, nothing malformed too often."""
        return not self.faults()

    def faults(self) -> list[tuple[str, str]]:
        """Why it does not conform: (id of a sentence in `texts.toml`, element or file)."""
        found = [("refused", refused.file) for refused in self.refused]
        if self.rows == self.outside:
            return [*found, ("no_records", self.source)]
        for element in self.elements:
            if element.state == "malformed" or (
                element.required and element.state in ("missing", "not_mapped", "incomplete")
            ):
                found.append((element.state, element.id))
        return found

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {"conforms": self.conforms, **asdict(self)}

    def text(self, catalog: Catalog, standard: DataStandard, lang: str) -> str:
        """The report in words.

        Args:
            catalog: Names of sources, indicators and diseases.
            standard: Names of elements.
            lang: `vi` or `en`.
        """
        words = words_of(lang)
        lines = [
            words["head"].format(
                source=self.source,
                files=self.files,
                rows=self.rows,
                records=self.rows - self.outside,
                outside=self.outside,
                kept=self.kept,
            ),
            "",
            *self._table(standard, words, lang),
        ]
        if self.rejected_by_rule:
            lines += ["", words["rejected"]]
            lines += [f"  {n:>8}  {explain(rule, lang)}" for rule, n in self.rejected_by_rule.items()]
        lines += ["", *self._gaps(catalog, standard, words, lang), ""]
        lines += [f"  - {self._fault(fault, name, standard, words, lang)}" for fault, name in self.faults()]
        lines.append(words["conforms"] if self.conforms else words["fails"])
        return "\n".join(lines)

    def _table(self, standard: DataStandard, words: dict[str, str], lang: str) -> list[str]:
        rows = [
            [words[name] for name in ("element", "state", "filled", "share", "malformed", "share", "rules")]
        ]
        for element in self.elements:
            mark = "*" if element.required else ""
            rules = ", ".join(f"{explain(rule, lang)} {n}" for rule, n in element.malformed_by_rule.items())
            numbers = ["", "", "", ""]
            if element.state not in ("missing", "not_mapped", "fixed"):
                shares = (element.filled_percent, element.malformed_percent)
                first, second = ("" if share is None else f"{share:.1f} %" for share in shares)
                numbers = [str(element.filled), first, str(element.malformed or ""), second]
                numbers[-1] = second if element.malformed else ""
            name = standard.elements[element.id].names[lang]
            rows.append([f"{name}{mark}", words[f"state_{element.state}"], *numbers, rules])
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        lines = []
        for row in rows:
            cells = [
                text.rjust(width) if 2 <= place <= 5 else text.ljust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return [*lines, words["legend"]]

    def _gaps(self, catalog: Catalog, standard: DataStandard, words: dict[str, str], lang: str) -> list[str]:
        if not self.gaps:
            return [words["all_computable"].format(n=self.computable)]
        lines = [words["gaps"].format(n=len(self.gaps), all=self.computable + len(self.gaps))]
        grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for gap in self.gaps:
            grouped.setdefault((gap.disease, gap.lacking), []).append(gap.indicator)
        for (disease, lacks), indicators in grouped.items():
            what = ", ".join(standard.elements[name].names[lang] for name in lacks)
            which = ", ".join(catalog.indicators[name].names[lang] for name in indicators)
            lines.append(
                "  "
                + words["gap"].format(
                    disease=catalog.diseases[disease].short[lang], lacking=what, indicators=which
                )
            )
        return lines

    def _fault(self, fault: str, name: str, standard: DataStandard, words: dict[str, str], lang: str) -> str:
        element = next((element for element in self.elements if element.id == name), None)
        if element is None:
            why = next((refused.why for refused in self.refused if refused.file == name), "")
            return words[f"fault_{fault}"].format(name=name, why=why)
        share = element.malformed_percent if fault == "malformed" else element.empty_percent
        tolerance = standard.tolerance
        allowed = tolerance.malformed_percent if fault == "malformed" else tolerance.missing_percent
        return words[f"fault_{fault}"].format(
            name=standard.elements[name].names[lang], share=share or 0.0, allowed=allowed
        )
