"""What one contact says of a disease: the reading that decides, or the result the facility reported, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.frames.records import UNTOLD
from ncdsurv.frames.wording import figure, kind_name, phrase, short_name, with_unit

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Measurement, Preset, Target

REPORTED = "reported"  # the result the facility wrote down decides, not a reading


def own_names(catalog: Catalog, disease: str) -> set[str]:
    """The disease and, of a group, its members."""
    return {disease, *catalog.diseases[disease].members}


def speaks(catalog: Catalog, disease: str, row: dict[str, Any]) -> bool:
    """Whether a contact speaks of the disease: of all, of it, or of a member of the group."""
    return row["disease"] is None or row["disease"] in own_names(catalog, disease)


def target_of(catalog: Catalog, preset: Preset, disease: str) -> Target | None:
    """What the disease's readings are held against; None where only the facility's word decides."""
    return preset.target(catalog.diseases[disease].measurement)


def reading_kind(catalog: Catalog, disease: str, row: dict[str, Any]) -> str | None:
    """The kind of reading of a visit that decides: the first usable one, in the measurement's order."""
    measurement = _measurement(catalog, disease)
    if measurement is None or hidden(catalog, row):
        return None
    for kind, reading in measurement.readings.items():
        if all(row.get(column) is not None for column in reading.columns) and reading.where.holds(row):
            return kind
    return None


def hidden(catalog: Catalog, row: dict[str, Any]) -> bool:
    """Whether the readings of a contact are not used (pregnancy)."""
    return any(row.get(flag) for flag in catalog.contact_flags)


def deciding(catalog: Catalog, preset: Preset, disease: str, row: dict[str, Any]) -> str | None:
    """What of a contact decides on the disease: a kind of reading, `REPORTED`, or nothing."""
    target = target_of(catalog, preset, disease)
    kind = reading_kind(catalog, disease, row)
    if target is not None and kind in target.readings:
        return kind
    trusted = target is None or catalog.diseases[disease].or_reported or preset.or_reported
    told = row["reported_target"] in (0, 1) and speaks(catalog, disease, row)
    return REPORTED if trusted and told else None


def reading_values(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> dict[str, str]:
    """The columns of the deciding reading of a visit, as written; empty where there is none."""
    kind, measurement = reading_kind(catalog, disease, row), _measurement(catalog, disease)
    if kind is None or measurement is None:
        return {}
    return {column: figure(row[column], lang) for column in measurement.readings[kind].columns}


def reading_words(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> str:
    """The readings of a visit that bear on the disease, in words, with why one cannot be used."""
    kind = reading_kind(catalog, disease, row)
    if kind is not None:
        return whole_reading(catalog, disease, kind, row, lang)
    part = _incomplete(catalog, disease, row, lang)
    return f"{part} ({phrase('in_pregnancy', lang)})" if part and hidden(catalog, row) else part


def whole_reading(catalog: Catalog, disease: str, kind: str, row: dict[str, Any], lang: str) -> str:
    """One kind of reading of a contact in words: `systolic 138, diastolic 84`, `fasting glucose 6.2 mmol/L`."""
    measurement = _measurement(catalog, disease)
    assert measurement is not None
    reading = measurement.readings[kind]
    said = [
        f"{kind_name(kind, name, lang)} {with_unit(catalog, name, figure(row[name], lang))}"
        for name in reading.columns
    ]
    untold = any(row.get(column) == UNTOLD for column in reading.where.columns)
    return ", ".join(said) + (f" ({phrase('taken_as', lang)})" if untold else "")


def short_reading(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> str:
    """The deciding reading as it is written over a mark: `138/84`, `HbA1c 6.5`."""
    values, measurement = reading_values(catalog, disease, row, lang), _measurement(catalog, disease)
    first = next(iter(measurement.readings.values())).columns if measurement else ()
    several = measurement is not None and len({r.columns for r in measurement.readings.values()}) > 1
    # Where a disease has readings in several columns, the preferred one is named: 6.5 could be either.
    name = f"{short_name(first[0], lang)} " if several and tuple(values) == first else ""
    return name + "/".join(values.values())


def _measurement(catalog: Catalog, disease: str) -> Measurement | None:
    name = catalog.diseases[disease].measurement
    return None if name is None else catalog.measurements[name]


def _incomplete(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> str:
    """Readings that are on record and cannot be used: one of two numbers missing, or a contact in pregnancy."""
    measurement = _measurement(catalog, disease)
    if measurement is None:
        return ""
    columns = [
        c for r in measurement.readings.values() if r.where.holds(row) or not r.where.tests for c in r.columns
    ]
    there = [column for column in dict.fromkeys(columns) if row.get(column) is not None]
    if not there:
        return ""
    whole = next(r.columns for r in measurement.readings.values() if there[0] in r.columns)
    missing = [column for column in whole if row.get(column) is None]
    said = [f"{phrase(f'column.{name}', lang)} {figure(row[name], lang)}" for name in there]
    said += [phrase("missing", lang, name=phrase(f"column.{name}", lang)) for name in missing]
    return ", ".join(said)
