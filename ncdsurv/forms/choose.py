"""Which form, area and period were asked for: everything checked before a figure is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ncdsurv.catalog.forms import FormDefinition
from ncdsurv.catalog.vocabulary import Level, Period, month_label
from ncdsurv.errors import UsageError, nearest, unknown


@dataclass(frozen=True)
class FormRequest:
    """A form that can be filled: the definition, the unit, the period."""

    form: FormDefinition
    level: Level
    area_code: str
    area_name: str
    period: Period


def choose_form(
    forms: Mapping[str, FormDefinition], form_id: str, area: str, period: str | Period, reference: Any
) -> FormRequest:
    """Check a request against the form registry and the reference areas.

    Args:
        forms: Form definitions by id.
        form_id: Id of a form version.
        area: Area code in the form's vintage.
        period: A month, quarter, half-year, nine months or year.
        reference: Areas of every vintage, and the crosswalk between them.

    Raises:
        UsageError: Unknown form, period outside the form's validity (names the right form), a kind of period
            the form is not made for, or an area the form has no layout for (names the nearest).
    """
    if form_id not in forms:
        raise unknown("form", form_id, forms)
    form = forms[form_id]
    wanted = Period.parse(period) if isinstance(period, str) else period
    _check_validity(forms, form, wanted)
    kind = wanted.kind
    if kind not in form.periods:
        allowed = ", ".join(form.periods)
        raise UsageError(
            f"form {form.id} is not made for a {kind}",
            got=wanted,
            allowed=allowed,
            do=f"ask for {month_label(wanted.last_month)}",
        )
    level, name = _find_area(form, area, reference)
    return FormRequest(form, level, area, name, wanted)


def form_for(
    forms: Mapping[str, FormDefinition], form: FormDefinition, period: Period
) -> FormDefinition | None:
    """The version of the same form in whose validity a period ends, or None."""
    for other in forms.values():
        valid = other.validity
        if other.series == form.series and valid.first_month <= period.last_month <= valid.last_month:
            return other
    return None


def _check_validity(forms: Mapping[str, FormDefinition], form: FormDefinition, period: Period) -> None:
    if form_for(forms, form, period) is form:
        return
    right = form_for(forms, form, period)
    raise UsageError(
        f"form {form.id} is not valid for this period",
        got=period,
        allowed=f"periods that end in {form.valid_from} to {form.valid_to}",
        do=f"use form {right.id}" if right else "no form of this series is valid then",
    )


def _find_area(form: FormDefinition, area: str, reference: Any) -> tuple[Level, str]:
    vintage = form.vintage.value
    rows = [row for row in reference.areas().iter_rows(named=True) if row["level"] in set(form.levels)]
    own = {row["code"]: row for row in rows if row["vintage"] == vintage}
    if area in own:
        return Level(own[area]["level"]), str(own[area]["name"])
    allowed = f"codes of a {', '.join(form.levels)} of vintage {vintage}"
    elsewhere = next((row for row in rows if row["code"] == area), None)
    if elsewhere is None:
        near = _nearest_area(area, own)
        raise UsageError(
            f"unknown area for form {form.id}",
            got=area,
            allowed=allowed,
            do=f"nearest: {_shown(near)}" if near else None,
        )
    heirs = [own[code] for code in _same_land(reference, elsewhere, vintage) if code in own]
    raise UsageError(
        f"area {area} is {_shown(elsewhere)} of vintage {elsewhere['vintage']}, which form {form.id} does not use",
        got=area,
        allowed=allowed,
        do=f"its land is in {', '.join(map(_shown, heirs))}" if heirs else None,
    )


def _shown(row: Mapping[str, Any]) -> str:
    return f"{row['code']} {row['name']} ({row['level']})"


def _nearest_area(area: str, own: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    by_name = {str(row["name"]).casefold(): row for row in own.values()}
    found = nearest(area.casefold(), by_name)
    if found and not area.isdigit():
        return by_name[found]
    same_length = [code for code in own if len(code) == len(area)]
    code = nearest(area, same_length or list(own))
    return own[code] if code else None


def _same_land(reference: Any, row: Mapping[str, Any], vintage: str) -> list[str]:
    """Codes of the same level in another vintage that hold land of an area, most communes first."""
    import polars as pl

    level, other = row["level"], row["vintage"]
    old = reference.parents(other).select(**{f"commune_{other}": "commune", "from_code": level})
    new = reference.parents(vintage).select(**{f"commune_{vintage}": "commune", "to_code": level})
    return (
        reference.atoms.join(old.filter(pl.col("from_code") == row["code"]), on=f"commune_{other}")
        .join(new, on=f"commune_{vintage}")
        .group_by("to_code")
        .agg(parts=pl.len())
        .sort("parts", "to_code", descending=[True, False])["to_code"]
        .drop_nulls()
        .to_list()
    )
