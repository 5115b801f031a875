"""Reads published rows for a request: checks every code first, filters to what the caller may see, pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.api.auth import Caller
from ncdsurv.api.problems import Fault, Problem, unknown_code, unprocessable
from ncdsurv.api.queries import DataQuery
from ncdsurv.api.service import OpenRelease
from ncdsurv.catalog.vocabulary import Period, Unit
from ncdsurv.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

ANY = "any"

COLUMNS: Mapping[str, str] = {
    "indicator": "indicator",
    "disease": "disease",
    "preset": "preset",
    "level": "area_level",
    "period": "period",
    "sex": "sex",
    "age_band": "age_band",
    "standardisation": "standardisation",
}
"""Query parameter -> column of the values whose codes it names."""


@dataclass(frozen=True)
class Slice:
    """A page of rows and where the next one begins (None on the last)."""

    rows: pl.DataFrame
    following: int | None


def check_codes(opened: OpenRelease, wanted: Mapping[str, Iterable[str]]) -> list[Fault]:
    """A fault for each code that the release's values do not hold.

    Args:
        opened: The release.
        wanted: Query parameter (see `COLUMNS`) -> codes.
    """
    faults = []
    for parameter, codes in wanted.items():
        known = {code for code in opened.contents[COLUMNS[parameter]] if code is not None}
        faults += [unknown_code(parameter, code, known) for code in codes if code not in known]
    return faults


def check_areas(opened: OpenRelease, areas: list[str], vintage: str | None) -> list[Fault]:
    """Faults of area codes: a code without a vintage is refused, as it may mean two places."""
    if not areas:
        return []
    if vintage is not None:
        return opened.area_faults(areas, [vintage])
    faults = opened.area_faults(areas, opened.codes)
    detail = "an area code needs its vintage: seven province codes changed their meaning on 1 July 2025"
    return [*faults, Fault(parameter="vintage", detail=detail, allowed=sorted(opened.codes))]


def periods_between(known: Iterable[str], first: str | None, last: str | None) -> list[str] | None:
    """The known periods that lie between two months or other periods; None when neither is given.

    Raises:
        Problem: 422 when one of them is no period, or none lies between.
    """
    if first is None and last is None:
        return None
    faults, ends = [], {}
    for name, text in (("from", first), ("to", last)):
        try:
            ends[name] = Period.parse(text) if text is not None else None
        except UsageError as error:
            faults.append(Fault(parameter=name, detail=error.what, got=text, allowed=[str(error.allowed)]))
    if faults:
        raise unprocessable(faults)
    low = ends["from"].first_month if ends["from"] else 0
    high = ends["to"].last_month if ends["to"] else 10**9
    every = [(text, Period.parse(text)) for text in known]
    inside = [text for text, period in every if period.first_month >= low and period.last_month <= high]
    if not inside:
        months = sorted(text for text, period in every if period.n_months == 1)
        told = [f"{months[0]} to {months[-1]}"] if months else []
        fault = Fault(
            parameter="from" if first else "to", detail="no published period lies there", allowed=told
        )
        raise unprocessable([fault])
    return inside


def select_values(opened: OpenRelease, query: DataQuery, caller: Caller) -> pl.LazyFrame:
    """The values that a query asks for and the caller may read, in the release's order.

    Raises:
        Problem: 422 with every unknown code, 403 for an area that this caller may not read.
    """
    import polars as pl

    wanted = {name: [c for c in getattr(query, name) if c != ANY] for name in COLUMNS}
    vintage = query.vintage.value if query.vintage else None
    units = bool(wanted["level"]) and set(wanted["level"]) <= set(Unit)
    faults = check_codes(opened, wanted)
    faults += opened.unit_faults(query.area) if units else check_areas(opened, query.area, vintage)
    if faults:
        raise unprocessable(faults)
    frame = opened.release.scan_levels(wanted["level"])
    for name, codes in wanted.items():
        if codes and ANY not in getattr(query, name):
            frame = frame.filter(pl.col(COLUMNS[name]).is_in(codes))
    between = periods_between(opened.contents["period"], query.from_, query.to)
    if between is not None:
        frame = frame.filter(pl.col("period").is_in(between))
    if vintage is not None:
        frame = frame.filter(pl.col("area_vintage") == vintage)
    if query.area:
        if not units:
            opened.require_visible(caller, [(str(vintage), code) for code in query.area])
        frame = frame.filter(pl.col("area_code").is_in(query.area))
    return only_visible(frame, opened.visible(caller), opened.visible_facilities(caller))


def only_visible(
    frame: pl.LazyFrame, allowed: pl.DataFrame | None, facilities: frozenset[str] | None = None
) -> pl.LazyFrame:
    """Rows whose (area_vintage, area_code) is allowed; a filter, so the order is kept.

    Args:
        frame: Values.
        allowed: [area_vintage, area_code], None for all.
        facilities: Facilities that are allowed. A facility's code may be an area's, so each is asked of its own
            level; source systems reach over all areas and are for those who may see all.
    """
    import polars as pl

    if allowed is None:
        return frame
    pairs = [f"{vintage}:{code}" for vintage, code in allowed.rows()]
    of_area = pl.concat_str("area_vintage", "area_code", separator=":").is_in(pairs)
    of_area &= ~pl.col("area_level").is_in([unit.value for unit in Unit])
    of_facility = (pl.col("area_level") == Unit.FACILITY.value) & pl.col("area_code").is_in(
        sorted(facilities or ())
    )
    return frame.filter(of_area | of_facility)


def take(frame: pl.LazyFrame, offset: int, limit: int) -> Slice:
    """One page; one row more is read to know whether another page follows."""
    rows = frame.slice(offset, limit + 1).collect()
    return Slice(rows.head(limit), offset + limit if rows.height > limit else None)


def nothing_there(what: str) -> Problem:
    """The answer to known codes whose combination is not published: never an empty success."""
    return Problem(
        404, f"no {what} for this combination of codes; /v1/availability lists the combinations there are"
    )
