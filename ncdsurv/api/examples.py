"""Requests that the API description shows, made of codes that the latest release really holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.api.auth import Caller
from ncdsurv.api.reading import only_visible
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Level, Period
from ncdsurv.forms.choose import form_for

if TYPE_CHECKING:
    from ncdsurv.api.service import OpenRelease, Service

_ORDER = ("rank", "area_vintage", "numerator", "area_code", "indicator")
_PRAISED = "high_good"

Example = tuple[dict[str, str], dict[str, str]]
"""Path parameters and query parameters."""


def example_requests(service: Service, caller: Caller) -> dict[tuple[str, str], Example]:
    """(path, operation id) -> a request that this caller is answered with 200, as far as there are values.

    Raises:
        StoreError: There is no release.
    """
    opened = service.open(None)
    row, followed = _row(opened, caller), _row(opened, caller, short=True)
    one = {name: row[name] for name in ("indicator", "disease", "preset")}
    place = {"area": row["area_code"], "vintage": row["area_vintage"]}
    found: dict[tuple[str, str], Example] = {
        ("/v1/releases", "list_releases"): ({}, {}),
        ("/v1/releases/{release_id}", "get_release"): ({"release_id": opened.id}, {}),
        ("/v1/indicators", "list_indicators"): ({}, {}),
        ("/v1/indicators/{code}", "get_indicator"): ({"code": row["indicator"]}, {}),
        ("/v1/areas", "list_areas"): ({}, {"vintage": row["area_vintage"], "level": row["area_level"]}),
        ("/v1/periods", "list_periods"): ({}, {}),
        ("/v1/availability", "get_availability"): ({}, one),
        ("/v1/data", "get_data"): ({}, {**one, **place, "period": row["period"]}),
        ("/v1/trends", "get_trend"): (
            {},
            {
                **{name: followed[name] for name in one},
                "area": followed["area_code"],
                "vintage": followed["area_vintage"],
            },
        ),
        ("/v1/maps/{level}", "get_map"): (
            {"level": row["area_level"]},
            {**one, "vintage": row["area_vintage"], "period": row["period"]},
        ),
        ("/v1/quality", "get_quality"): ({}, {}),
        ("/v1/forms", "list_forms"): ({}, {}),
    }
    form = _form(row)
    if form is not None:
        found["/v1/forms/{form_id}", "get_form"] = (
            {"form_id": form},
            {"area": row["area_code"], "period": row["period"]},
        )
    return found


def _row(opened: OpenRelease, caller: Caller, short: bool = False) -> dict[str, Any]:
    """The newest monthly rate with most people, of the largest level that every form is made for.

    Of indicators that are better when higher, and of what the caller may see.

    Args:
        opened: The release.
        caller: Who asks.
        short: Take one whose months look back least: a trend of months that overlap much needs many years.
    """
    import polars as pl

    from ncdsurv.trends.prepare import window_of

    rows = opened.release.scan_values().filter(
        pl.col("sex") == BOTH_SEXES,
        pl.col("age_band") == ALL_AGES,
        pl.col("lower").is_not_null(),
        pl.col("denominator").is_not_null(),
        pl.col("preset").is_not_null(),
        pl.col("disease").is_not_null(),
        pl.col("period") == opened.release.manifest["as_of"],
    )
    forms = load_catalog().forms.values()
    everywhere = [level.value for level in Level if all(level in form.levels for form in forms)]
    ranked = dict.fromkeys([*reversed(everywhere), *(level.value for level in Level)])
    rank = {level: place for place, level in enumerate(ranked)}
    told = [code for code, item in opened.catalog["indicators"].items() if item["polarity"] == _PRAISED]
    pairs = [
        (code, preset, window_of({"indicator": code, "preset": preset}, load_catalog()) if short else 0)
        for code in told
        for preset in opened.catalog["presets"]
    ]
    looks_back = pl.LazyFrame(pairs, schema=["indicator", "preset", "window"], orient="row")
    found = (
        only_visible(rows.filter(pl.col("indicator").is_in(told)), opened.visible(caller))
        .filter(pl.col("numerator") < pl.col("denominator"))
        .with_columns(rank=pl.col("area_level").cast(pl.String).replace_strict(rank, default=len(rank)))
        .join(looks_back, on=["indicator", "preset"])
        .sort("window", *_ORDER, descending=[False, False, True, True, False, False])
        .head(1)
        .collect()
    )
    return found.row(0, named=True) if found.height else _nothing(opened)


def _nothing(opened: OpenRelease) -> dict[str, Any]:
    """Codes of the release's contents, when no row fits."""
    columns = ("indicator", "disease", "preset", "area_code", "area_vintage", "area_level", "period")
    return {name: opened.contents[name][0] for name in columns}


def _form(row: dict[str, Any]) -> str | None:
    """A form that a row's area and period can be filled in."""
    forms = load_catalog().forms
    for form in forms.values():
        right = form_for(forms, form, Period.parse(row["period"]))
        if right is form and form.vintage == row["area_vintage"] and row["area_level"] in form.levels:
            return form.id
    return None
