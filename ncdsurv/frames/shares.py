"""`count`: indicators of some patients, by facility or whatever else is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_QUARTER, Flag, Kind, Period
from ncdsurv.catalog.whole_periods import preset_over
from ncdsurv.errors import UsageError, unknown
from ncdsurv.frames.month import within
from ncdsurv.frames.records import AREA
from ncdsurv.frames.spells import as_spells
from ncdsurv.indicators import figures
from ncdsurv.remembered import Remembered
from ncdsurv.spells import count_wide, measure_plan
from ncdsurv.spells.places import By

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator
    from ncdsurv.frames.spells import Spells

PLACES: dict[str, By] = {AREA: "atom", "facility": "facility", "source": "source"}
STRATA = ("sex", "age_band")
FIGURES = ("numerator", "denominator", "value", "lower", "upper", "ci_method", "unit", "flag")


def count(
    spells: Spells,
    indicators: str | Sequence[str],
    *,
    at: str,
    by: str | Sequence[str] | None = (),
    cohort_months: int | None = None,
) -> Any:
    """Count indicators over the patients of some spells.

    Args:
        spells: From `build_spells`; its preset decides what is controlled, lost and so on.
        indicators: Ids of the catalog, or one; those over a population or expected cases need a release.
        at: A period within the months built: a stock is read at its last month, a flow is summed over it. Under a
            preset whose outcome rests on whole periods, a stock rests on the visits of all of it.
        by: Any of area or facility or source (one of the three), sex, age_band. Disease is always apart.
        cohort_months: For cohorts, how many months after the end of the quarter of enrolment they are judged (at
            least the preset's buffer after enrolment); left out, each as its definition says. The indicator is then
            named `ID@N`, after the N asked for.

    Returns:
        A frame of the kind the records came in: indicator, preset, disease, the columns of `by`, period,
        numerator, denominator, value (percent, persons or days), lower, upper (95 % unless the rules of
        publication say otherwise), ci_method, unit, flag. An empty denominator gives null, never 0.

    Raises:
        UsageError: Unknown indicator or column, a period that was not built or does not fit a cohort, an
            indicator that people alone cannot answer.

    >>> import polars as pl
    >>> from ncdsurv.frames import build_spells
    >>> spells = build_spells(
    ...     pl.DataFrame({"person_id": ["A", "B"]}),
    ...     pl.DataFrame({"person_id": ["A", "B"], "disease": ["hypertension"] * 2, "recorded_on": ["2023-06-10"] * 2}),
    ...     pl.DataFrame({"person_id": ["A", "B"], "visited_on": ["2024-02-01"] * 2, "sbp": [132, 150],
    ...                   "dbp": [84, 90], "facility": ["01001"] * 2}),
    ...     first="2024-01", last="2024-06", preset="hearts",
    ... )
    >>> count(spells, ["control_rate"], by=["facility"], at="2024-06").height
    1
    """
    spells = as_spells(spells)
    indicators, by = _listed("indicators", indicators), _listed("by", by)
    if not indicators:
        raise UsageError("no indicator asked for", allowed="ids of the catalog", do="name one at least")
    period = Period.parse(at)
    for month in (period.first_month, period.last_month):
        within(spells, month, at)
    wanted = [_known(spells, name) for name in indicators]
    catalog = spells.catalog
    if cohort_months is not None:
        buffer = catalog.presets[spells.preset].enrolment_buffer_months
        wanted = [_judged_after(indicator, cohort_months, buffer) for indicator in wanted]
        catalog = catalog.model_copy(update={"indicators": {one.id: one for one in wanted}})
    for indicator in wanted:
        _ends_a_cohort(indicator, period, at)
    place, cell = _place_of(by), ["disease", *by]
    parts = []
    for flows in (True, False):
        mine = [indicator for indicator in wanted if (indicator.kind is Kind.FLOW) == flows]
        if mine:
            judged_by = catalog if flows else _judging(catalog, spells.preset, period)
            counts = _counted(
                spells, judged_by, period if flows else Period.month(period.last_month), place, cell
            )
            parts += [_indicator(counts, spells, judged_by, indicator, cell, period) for indicator in mine]
    front = ["indicator", "preset", *cell, "period"]
    return spells.like(pl.concat(parts).sort(front))


_JUDGING: Remembered[Catalog, dict[tuple[str, int], Catalog]] = Remembered(lambda catalog: {})
"""Definitions -> those by which a preset judges periods of so many months; each of them has a plan of its own."""


def _judging(catalog: Catalog, preset: str, period: Period) -> Catalog:
    """The definitions with the preset as it judges the period at its end."""
    rules = preset_over(catalog.presets[preset], period.n_months)
    if rules is catalog.presets[preset]:
        return catalog
    known, key = _JUDGING.of(catalog), (preset, period.n_months)
    if key not in known:
        known[key] = catalog.model_copy(update={"presets": {**catalog.presets, preset: rules}})
    return known[key]


def _counted(spells: Spells, catalog: Catalog, months: Period, place: str, cell: list[str]) -> pl.DataFrame:
    """What is counted in each cell of the months, places under the names that they were given."""
    counts = count_wide(
        spells.bucket,
        catalog,
        [spells.preset],
        first_month=months.first_month,
        last_month=months.last_month,
        by=PLACES[place],
    )
    if place == AREA:
        names = pl.lit(pl.Series(spells.records.areas, dtype=pl.String))
        counts = counts.with_columns(names.gather(pl.col("atom").cast(pl.UInt32)).alias(AREA))
    return counts.with_columns(pl.col(name).cast(pl.String) for name in cell)


def _listed(argument: str, names: str | Sequence[str] | None) -> list[str]:
    """Names, each once; a single one may stand alone, and None for none.

    Raises:
        UsageError: Something else than names.
    """
    given: Any = [names] if isinstance(names, str) else [] if names is None else names
    listed = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(name, str) for name in listed):
        raise UsageError(
            f"{argument}: not names", got=type(names).__name__, allowed="a name, or a list of names"
        )
    return list(dict.fromkeys(listed))


def _known(spells: Spells, name: str) -> Indicator:
    if name not in spells.catalog.indicators:
        raise unknown("indicator", name, spells.catalog.indicators)
    indicator = spells.catalog.indicators[name]
    if spells.preset not in indicator.presets:
        raise UsageError(
            f"{name} is not defined under this preset",
            got=spells.preset,
            allowed=", ".join(indicator.presets),
        )
    below = indicator.denominator_source
    if measure_plan(spells.catalog).numerator(name, spells.preset) is None or below not in ("spells", "none"):
        raise UsageError(
            f"{name} needs more than patients",
            got="expected cases" if below == "none" else f"denominator: {below}",
            allowed="counts of people and shares among them",
            do="build a release; it has populations and expected cases",
        )
    return indicator


def _judged_after(indicator: Indicator, months: int, buffer: int) -> Indicator:
    """A cohort judged another number of months after its quarter; anything else as it is.

    Raises:
        UsageError: No number of months, or one at which part of the cohort has no outcome yet.
    """
    if isinstance(months, bool) or not isinstance(months, int) or months < 0:
        raise UsageError(
            "months after a cohort's quarter out of range", got=months, allowed="0 or more, whole"
        )
    if indicator.kind is not Kind.COHORT:
        return indicator
    moved = indicator.model_copy(update={"id": f"{indicator.id}@{months}", "cohort_offset_months": months})
    if moved.judged_before(buffer):
        raise UsageError(
            "months after a cohort's quarter too few: part of it is too newly enrolled to be judged",
            got=months,
            allowed=f"{buffer} or more",
        )
    return moved


def _ends_a_cohort(indicator: Indicator, period: Period, at: str) -> None:
    """The last month of the period lies N months after the end of a calendar quarter."""
    offset = indicator.cohort_offset_months
    if offset is None or (period.last_month - offset) % MONTHS_PER_QUARTER == 0:
        return
    raise UsageError(
        f"{indicator.id} judges the people enrolled in a calendar quarter",
        got=at,
        allowed=f"a period that ends {offset} months after a quarter"
        if offset % MONTHS_PER_QUARTER
        else "a quarter, or a period that ends with one",
    )


def _place_of(by: Sequence[str]) -> str:
    for name in by:
        if name not in PLACES and name not in STRATA:
            raise unknown("column to count by", name, [*PLACES, *STRATA])
    places = [name for name in by if name in PLACES]
    if len(places) > 1:
        raise UsageError(
            "counting by several places at once",
            got=", ".join(places),
            allowed=", ".join(PLACES),
            do="take one",
        )
    return places[0] if places else AREA


def _indicator(
    counts: pl.DataFrame,
    spells: Spells,
    catalog: Catalog,
    indicator: Indicator,
    cell: list[str],
    period: Period,
) -> pl.DataFrame:
    """The figures of one indicator in every cell that has anybody in it."""
    plan = measure_plan(catalog)
    above = plan.numerator(indicator.id, spells.preset)
    below = plan.denominator(indicator.id, spells.preset)
    assert above is not None
    if indicator.diseases:
        counts = counts.filter(pl.col("disease").is_in(list(indicator.diseases)))
    sides = {"numerator": above} | ({"denominator": below} if below else {})
    sums = counts.group_by(cell).agg(
        pl.col(column).sum().cast(pl.Float64).alias(side) for side, column in sides.items()
    )
    if below is None:
        sums = sums.with_columns(denominator=pl.lit(None, pl.Float64))
    rules = next(iter(spells.catalog.publication.values()))
    if indicator.unit == "count":
        found = figures.count_figures(sums, rules)
    elif indicator.denominator_quantity is not None:
        found = figures.mean_figures(sums, rules)
    else:
        found = figures.share_figures(sums, indicator, rules, Flag.NO_DENOMINATOR)
    return found.with_columns(
        indicator=pl.lit(indicator.id),
        preset=pl.lit(spells.preset),
        period=pl.lit(str(period)),
        unit=pl.lit(indicator.unit),
    ).select("indicator", "preset", *cell, "period", *FIGURES)
