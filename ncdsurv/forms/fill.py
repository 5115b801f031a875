"""A form definition + a release -> the filled form. Pure: it reads frames and returns a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.forms import FormRowRule
from ncdsurv.catalog.vocabulary import Language, Level, Period, month_label
from ncdsurv.errors import UsageError, unknown
from ncdsurv.forms.checks import run_checks
from ncdsurv.forms.choose import FormRequest, choose_form
from ncdsurv.forms.counts import FormCounts, add_up, count_cells, months_to_count, stocks_counted_as
from ncdsurv.forms.table import Cell, FormRow, FormTable

if TYPE_CHECKING:
    import polars as pl

    from ncdsurv.catalog import Catalog


@dataclass(frozen=True)
class _Units:
    """Communes of the reporting unit with their parents, and the names of all units of the vintage."""

    parents: pl.DataFrame
    names: dict[str, str]

    def listed(self, level: Level) -> list[tuple[str, list[str]]]:
        """Units of a level inside the reporting unit, by code, each with its communes."""
        pairs = zip(self.parents[level.value], self.parents[Level.COMMUNE.value])
        found: dict[str, list[str]] = {}
        for code, commune in sorted(set(pairs)):
            found.setdefault(code, []).append(commune)
        return list(found.items())

    @property
    def communes(self) -> list[str]:
        """All communes of the reporting unit."""
        return sorted(self.parents[Level.COMMUNE.value].unique())


def fill_form(
    form_id: str,
    area: str,
    period: str | Period,
    release: Any,
    lang: str = Language.VI.value,
    catalog: Catalog | None = None,
) -> FormTable:
    """Fill a statutory form for one reporting unit.

    Every figure comes from the release's measures under the preset that the form's definition names.
    Stocks are of the period's last month, or of its last visits where the preset rests on whole periods; flows are
    summed over it; a cell that the form does not collect
    in a row, or for which no facility sends data, is blank.

    Args:
        form_id: Id of a form version.
        area: Code of the reporting unit, in the form's vintage.
        period: A month, quarter, half-year, nine months or year that ends within the form's validity.
        release: A release (`.id`, `.manifest`, `.measures()`, `.reference()`).
        lang: Language of labels: vi or en.
        catalog: Definitions to use; None is the package's own.

    Returns:
        The filled form with the findings of its checks.

    Raises:
        UsageError: Unknown form, area or period; a period outside the form's validity names the right form.
    """
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    lang = _language(lang)
    reference = release.reference()
    request = choose_form(catalog.forms, form_id, area, period, reference)
    units = _units(request, reference, lang)
    measures = measures_by_commune(release, reference, request)
    first, last = release_months(release)
    months = months_to_count(request.period, first, last, release.id)
    stocks = stocks_counted_as(catalog, request.form.preset, months)
    if stocks != request.form.preset:
        _holds(release, stocks)
    counts = count_cells(measures, request.form, months, stocks)
    rows = _Filler(request, units, counts, lang).rows()
    table = FormTable(
        form=request.form,
        level=request.level,
        area_code=request.area_code,
        area_name=units.names[request.area_code],
        parents=_parents(request, units),
        period=request.period,
        figures_to=month_label(counts.last_month),
        release_id=release.id,
        lang=lang,
        rows=tuple(rows),
    )
    return replace(table, findings=tuple(run_checks(table, counts.total(units.communes))))


class _Filler:
    """Walks the row rules of one level."""

    def __init__(self, request: FormRequest, units: _Units, counts: FormCounts, lang: str) -> None:
        self.rules = request.form.levels[request.level].rows
        self.area_code, self.units, self.counts, self.lang = request.area_code, units, counts, lang

    def rows(self) -> list[FormRow]:
        return [row for rule in self.rules for row in self._walk(rule, depth=0)]

    def _walk(self, rule: FormRowRule, depth: int) -> list[FormRow]:
        below = [self._walk(child, depth + 1) for child in rule.rows]
        below += [[row] for row in self._listed(rule, depth + 1)]
        figures: dict[Cell, int] = {}
        if rule.holds == "area":
            figures = self.counts.total(self.units.communes)
        elif rule.holds == "sum":
            figures = add_up(branch[0].figures for branch in below)
        own = self._row(rule, rule.code, rule.names[self.lang], depth, rule.holds, figures)
        if depth == 0 or rule.holds == "area":
            own = replace(own, unit_code=self.area_code)
        return [own, *(row for branch in below for row in branch)]

    def _listed(self, rule: FormRowRule, depth: int) -> list[FormRow]:
        if rule.lists is None:
            return []
        rows = []
        for number, (code, communes) in enumerate(self.units.listed(rule.lists), start=1):
            figures = self.counts.total(communes) if rule.each == "area" else {}
            row = self._row(rule, str(number), self.units.names[code], depth, rule.each, figures)
            rows.append(replace(row, unit_code=code))
        return rows

    def _row(
        self, rule: FormRowRule, code: str, label: str, depth: int, kind: str, figures: dict[Cell, int]
    ) -> FormRow:
        shown = {cell: count for cell, count in figures.items() if cell[1] not in rule.blocked}
        return FormRow(code, label, depth, kind, None, shown, frozenset(rule.blocked))


def measures_by_commune(release: Any, reference: Any, request: FormRequest) -> pl.LazyFrame:
    """The release's measures of the reporting unit, with the commune of the form's vintage."""
    import polars as pl

    column = f"commune_{request.form.vintage.value}"
    parents = reference.parents(request.form.vintage.value)
    inside = parents.filter(pl.col(request.level.value) == request.area_code)[Level.COMMUNE.value]
    atoms = reference.atoms.filter(pl.col(column).is_in(inside.to_list()))
    return release.measures().join(
        atoms.lazy().select("atom", pl.col(column).alias("commune")), on="atom", how="inner"
    )


def _holds(release: Any, preset: str) -> None:
    """A release holds counts under a preset; one made before presets rested on whole periods does not.

    Raises:
        UsageError: It does not: zeros would be shown otherwise.
    """
    import polars as pl

    mine = release.measures().filter(pl.col("preset").cast(pl.String) == preset).head(1)
    if mine.collect().is_empty():
        raise UsageError(
            f"release {release.id} holds no counts over whole periods",
            got=preset,
            do="build the release anew, or ask for a month",
        )


def release_months(release: Any) -> tuple[int, int]:
    """First and last month index that a release covers, as its manifest says."""
    manifest = release.manifest
    return Period.parse(manifest["first_month"]).first_month, Period.parse(manifest["last_month"]).last_month


def _language(lang: str) -> str:
    known = [item.value for item in Language]
    if lang not in known:
        raise unknown("language", lang, known)
    return lang


def _units(request: FormRequest, reference: Any, lang: str) -> _Units:
    import polars as pl

    vintage = request.form.vintage.value
    parents = reference.parents(vintage).filter(pl.col(request.level.value) == request.area_code)
    rows = reference.areas(vintage=vintage).select("code", "name", "name_en", "type")
    return _Units(parents, {row["code"]: unit_label(row, lang) for row in rows.iter_rows(named=True)})


def unit_label(row: Mapping[str, Any], lang: str) -> str:
    """A unit's printed name: in Vietnamese with its type, unless the name begins with it already.

    >>> unit_label({"name": "Gia Lai", "name_en": "Gia Lai", "type": "tỉnh"}, "vi")
    'Tỉnh Gia Lai'
    """
    if lang != Language.VI:
        return str(row["name_en"] or row["name"])
    name, kind = str(row["name"]), str(row["type"] or "")
    return name if name.casefold().startswith(kind.casefold()) else f"{kind.capitalize()} {name}"


def _parents(request: FormRequest, units: _Units) -> tuple[str, ...]:
    """Names of the units above the reporting unit, nearest first, up to the province."""
    levels = list(Level)
    above: Sequence[Level] = levels[levels.index(request.level) + 1 : levels.index(Level.PROVINCE) + 1]
    row = units.parents.row(0, named=True)
    codes = [row.get(level.value) for level in above]
    return tuple(units.names[code] for code in codes if code is not None and code in units.names)
