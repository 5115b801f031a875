"""The report object of a notebook: one release, one area, one period, one preset, one language."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import (
    MONTHS_PER_YEAR,
    NATION,
    Flag,
    Level,
    Period,
    month_label,
)
from ncdsurv.maps.wording import area_name
from ncdsurv.reports.content.parts import Parts
from ncdsurv.reports.texts import Texts

if TYPE_CHECKING:
    import polars as pl

RESULTS_VARIABLE = "NCDSURV_RESULTS"


@cache
def layout() -> dict[str, Any]:
    """Which indicators stand in which part of a report."""
    return tomllib.loads((Path(__file__).parents[1] / "layout.toml").read_text(encoding="utf-8"))


def open_report(
    store: str | Path,
    release: str,
    *,
    period: str,
    preset: str,
    lang: str,
    area: str = NATION,
    level: str = Level.NATION,
    vintage: str,
) -> Report:
    """The report of one area, to be called part by part from a notebook.

    Args:
        store: Folder or address of the registry.
        release: Release id, or `latest`.
        period: Reference month, `YYYY-MM`.
        preset: Which rules of control and follow-up.
        lang: `vi` or `en`.
        area: Area code.
        level: Level of the area.
        vintage: Which list of units the code belongs to.

    Returns:
        The report.
    """
    from ncdsurv.catalog import load_catalog
    from ncdsurv.registry import open_store

    opened = open_store(store)
    return Report(
        release=opened.releases.open(release),
        reference=opened.reference,
        catalog=load_catalog(),
        period=str(Period.parse(period)),
        preset=preset,
        lang=lang,
        area=area,
        level=str(level),
        vintage=vintage,
    )


class Report(Parts):
    """Parts of a report as methods; each returns a block that displays itself and keeps its frame in `.data`.

    Args: see `open_report`; here with the opened release, reference and catalog.
    """

    def __init__(
        self,
        *,
        release: Any,
        reference: Any,
        catalog: Any,
        period: str,
        preset: str,
        lang: str,
        area: str,
        level: str,
        vintage: str,
    ) -> None:
        self.release, self.reference, self.catalog = release, reference, catalog
        self.period, self.preset, self.lang = period, preset, lang
        self.area, self.level, self.vintage = area, level, vintage
        self.text = Texts(lang)
        self.results: dict[str, Any] = {}
        self._kept: dict[tuple[str, ...], Any] = {}

    def __repr__(self) -> str:
        return f"Report({self.area_name}, {self.period}, {self.preset}, {self.release.id})"

    @cached_property
    def area_name(self) -> str:
        """Name of the area."""
        return area_name(self.reference, self.area, self.vintage, self.level, self.lang)

    @cached_property
    def months(self) -> list[str]:
        """Months of the series shown, oldest first."""
        last = Period.parse(self.period).last_month
        return [month_label(last - back) for back in reversed(range(layout()["period_months"]))]

    @property
    def year_before(self) -> str:
        """The same month a year before."""
        return month_label(Period.parse(self.period).last_month - MONTHS_PER_YEAR)

    def disease_name(self, disease: str) -> str:
        """Name of a disease."""
        return str(self.catalog.diseases[disease].names[self.lang])

    def indicator_name(self, indicator: str) -> str:
        """Name of an indicator."""
        return str(self.catalog.indicators[indicator].names[self.lang])

    def values(self, indicator: Any, disease: str, **narrow: Any) -> pl.DataFrame:
        """Published values; this report's area, period, preset unless told otherwise."""
        chosen = {
            "preset": self.preset,
            "vintage": self.vintage,
            "level": self.level,
            "area": self.area,
            "period": self.period,
            **narrow,
        }
        # An area code means something in one level and vintage only; without an area, all of the level.
        return self.release.values(indicator, disease=disease, **chosen)

    def one(self, indicator: str, disease: str, **narrow: Any) -> dict[str, Any]:
        """One published value as a dictionary; all its numbers None where the release has no such row."""
        frame = self.values(indicator, disease, **narrow)
        if frame.is_empty():
            return dict.fromkeys(frame.columns)
        return frame.row(0, named=True)

    def can_know(self, indicator: str, disease: str, period: str) -> bool:
        """Whether loss can be seen in a period: most of the enrolled were followed for long enough.

        Nobody can be lost before the months of loss have passed since enrolment. In the first months of a
        register a loss of 0 says that it is young, and would be read as good news.
        """
        if indicator != layout()["follow_up"]["lost"]:
            return True
        month = Period.parse(period).last_month
        earlier = month_label(month - self.catalog.presets[self.preset].lost_after_months)
        if earlier not in self.release.contents()["period"]:
            return False
        enrolled_then = self.one(indicator, disease, period=earlier)["denominator"] or 0
        enrolled = self.one(indicator, disease, period=period)["denominator"] or 0
        return bool(enrolled_then >= layout()["follow_up"]["followed_share"] * enrolled > 0)

    def published_months(self, most: int) -> list[str]:
        """The last months up to the report's own that the release holds, oldest first, at most `most`."""
        last = Period.parse(self.period).last_month
        published = set(self.release.contents()["period"])
        months = (month_label(last - back) for back in reversed(range(most)))
        return [month for month in months if month in published]

    def keep(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """What was worked out once for this report: several parts of the page speak of the same model."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def mark(self, row: dict[str, Any]) -> str:
        """The sign of a value that a reader must know something about."""
        return "†" if row.get("flag") == Flag.SMALL_NUMBER else ""

    def rate(self, row: dict[str, Any]) -> str:
        """A value with its sign, as the language writes it."""
        unit = row.get("unit")
        if unit == "percent":
            return self.text.percent(row["value"]) + self.mark(row)
        return self.text.number(row["value"], 0 if unit == "count" else 1) + self.mark(row)

    def of(self, row: dict[str, Any]) -> str:
        """Numerator over denominator."""
        return f"{self.text.number(row['numerator'])}/{self.text.number(row['denominator'])}"

    def caption(self, disease: str, what: str) -> str:
        """What a table shows, of which disease, where and when."""
        return f"{what} – {self.disease_name(disease)}, {self.area_name}, {self.text.period(self.period)}"

    def small_note(self, rows: Iterable[dict[str, Any]]) -> str:
        """The footnote on small numbers, where a row has one."""
        return self.text("note.small") if any(row.get("flag") == Flag.SMALL_NUMBER for row in rows) else ""

    def emit(self, name: str, row: dict[str, Any]) -> None:
        """Keep a published number of the report where a machine can read it."""
        fields = (
            "release", "indicator", "preset", "disease", "area_code", "area_vintage", "period", "sex", "age_band",
            "numerator", "denominator", "value", "lower", "upper", "ci_method", "unit", "flag",
        )  # fmt: skip
        self.tell(name, {field: row.get(field) for field in fields})

    def tell(self, name: str, finding: dict[str, Any]) -> None:
        """Keep a finding in `results.json` beside the page."""
        self.results[name] = finding
        path = os.environ.get(RESULTS_VARIABLE)
        if path:
            Path(path).write_text(json.dumps(self.results, ensure_ascii=False, indent=1), encoding="utf-8")
