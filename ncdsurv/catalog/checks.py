"""Checks between definition files: every id that is named must exist, and shapes must fit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ncdsurv.catalog.vocabulary import CONTACT_FLAGS
from ncdsurv.errors import nearest


def cross_problems(parts: Mapping[str, Any]) -> list[str]:
    """Every reference that does not resolve, as `file: [id] field: what`."""
    problems: list[str] = []

    def named(file: str, owner: str, field: str, names: Iterable[str | None], kind: str) -> None:
        for name in names:
            if name is not None and name not in parts[kind]:
                near = nearest(name, parts[kind])
                hint = f"; nearest is {near!r}" if near else ""
                problems.append(f"{file}: [{owner}] {field}: unknown {kind.removesuffix('s')} {name!r}{hint}")

    for disease in parts["diseases"].values():
        for field in ("measurement", "companion"):
            named("diseases.toml", disease.id, field, [getattr(disease, field)], "measurements")
        named("diseases.toml", disease.id, "members", disease.members, "diseases")
        problems += _suspicion_problems(disease, parts["measurements"])
    for flag in parts["contact_flags"].values():
        if flag.id not in CONTACT_FLAGS:
            problems.append(
                f"contact_flags.toml: [{flag.id}] id: no such column of a visit; allowed: "
                + ", ".join(CONTACT_FLAGS)
            )
    for preset in parts["presets"].values():
        measured = [target.measurement for target in preset.targets]
        named("presets.toml", preset.id, "targets", measured, "measurements")
        problems += _target_problems(preset, parts["measurements"])
    for indicator in parts["indicators"].values():
        named("indicators", indicator.id, "presets", indicator.presets, "presets")
        named(
            "indicators",
            indicator.id,
            "denominator_by_preset",
            indicator.denominator_by_preset,
            "presets",
        )
        named("indicators", indicator.id, "diseases", indicator.diseases, "diseases")
        problems += _cohort_problems(indicator, parts["presets"])
    for prevalence in parts["prevalence"].values():
        named("prevalence.toml", prevalence.id, "disease", [prevalence.disease], "diseases")
        if prevalence.default:
            problems += _age_base_problems(prevalence, parts["age_bands"])
    for target in parts["targets"].values():
        named("targets.toml", target.id, "disease", [target.disease], "diseases")
        named("targets.toml", target.id, "indicator", [target.indicator], "indicators")
    for source in parts["sources"].values():
        for name, field in source.fields.items():
            named(f"sources/{source.id}.toml", f"fields.{name}", "code_list", [field.code_list], "code_lists")
    problems += _unit_problems(parts)
    problems += _band_problems(parts["age_bands"])
    problems += _default_problems(parts)
    return problems


def _cohort_problems(indicator: Any, presets: Mapping[str, Any]) -> list[str]:
    """A cohort is not judged before its preset judges the last of it."""
    return [
        f"indicators: [{indicator.id}] cohort_offset_months: {preset} judges nobody enrolled for less than "
        f"{presets[preset].enrolment_buffer_months} months; want that or more"
        for preset in indicator.presets
        if preset in presets and indicator.judged_before(presets[preset].enrolment_buffer_months)
    ]


def _target_problems(preset: Any, measurements: Mapping[str, Any]) -> list[str]:
    problems = []
    for target in preset.targets:
        measurement = measurements.get(target.measurement)
        if measurement is None:
            continue
        for kind in measurement.readings.keys() ^ target.readings.keys():
            problems.append(
                f"presets.toml: [{preset.id}] targets.{target.measurement}: reading {kind!r} stands in only "
                "one of measurements.toml and the target; give both the same readings"
            )
        where = f"presets.toml: [{preset.id}] targets.{target.measurement}"
        problems += [
            f"{where}.moderate: reading {kind!r} is not one of the target's; allowed: "
            + ", ".join(target.readings)
            for kind in target.moderate.keys() - target.readings.keys()
        ]
        for conditions in (target.readings, target.moderate):
            problems += _column_problems(where, conditions, measurement)
    return problems


def _suspicion_problems(disease: Any, measurements: Mapping[str, Any]) -> list[str]:
    measurement = measurements.get(disease.measurement)
    if measurement is None:
        return []
    problems = []
    for field in ("below_suspected", "below_at_risk"):
        where, conditions = f"diseases.toml: [{disease.id}] {field}", getattr(disease, field)
        problems += [
            f"{where}: {kind!r} is no reading of {measurement.id!r}; allowed: {', '.join(measurement.readings)}"
            for kind in conditions.keys() - measurement.readings.keys()
        ]
        problems += _column_problems(where, conditions, measurement)
    return problems


def _column_problems(where: str, conditions: Mapping[str, Any], measurement: Any) -> list[str]:
    """Conditions may name the columns of their kind of reading only."""
    problems = []
    for kind, condition in conditions.items():
        allowed = measurement.readings[kind].columns if kind in measurement.readings else condition.columns
        if extra := set(condition.columns) - set(allowed):
            problems.append(f"{where}.{kind}: unknown column {sorted(extra)}; allowed: {', '.join(allowed)}")
    return problems


def _unit_problems(parts: Mapping[str, Any]) -> list[str]:
    """A limit needs its equivalent in every unit that is converted by pairs, else it shifts with the unit written."""
    judged = [
        (f"presets.toml: [{preset.id}] targets.{target.measurement}", conditions)
        for preset in parts["presets"].values()
        for target in preset.targets
        for conditions in (target.readings, target.moderate)
    ]
    judged += [
        (f"diseases.toml: [{disease.id}] {field}", getattr(disease, field))
        for disease in parts["diseases"].values()
        for field in ("below_suspected", "below_at_risk")
    ]
    problems = []
    for where, conditions in judged:
        for kind, condition in conditions.items():
            for test in condition.tests:
                plausible = parts["plausibility"].get(test.column)
                for unit, other in plausible.other_units.items() if plausible else ():
                    known = [here for _, here in other.pairs]
                    problems += [
                        f"{where}.{kind}: no equivalent of {limit:g} {plausible.unit} in {unit}; "
                        f"do: add it to pairs of [{test.column}.other_units] in plausibility.toml"
                        for _, limit in test.bounds
                        if known and limit not in known
                    ]
    return list(dict.fromkeys(problems))


def _band_problems(bands: Iterable[Any]) -> list[str]:
    problems: list[str] = []
    expected: int | None = 0
    for band in (bands := list(bands)):
        if expected is None or band.lower != expected:
            problems.append(
                f"age_bands.toml: [{band.id}] lower: want {expected}, bands must follow without gap"
            )
        expected = None if band.upper is None else band.upper + 1
    if bands and expected is not None:
        problems.append(f"age_bands.toml: [{bands[-1].id}] upper: the last band must be open-ended")
    return problems


def _age_base_problems(prevalence: Any, bands: Iterable[Any]) -> list[str]:
    lowers = {band.lower for band in bands}
    uppers = {band.upper for band in bands}
    if prevalence.age_from in lowers and prevalence.age_to in uppers:
        return []
    return [f"prevalence.toml: [{prevalence.id}] age base: a default must be a union of whole age bands"]


def _default_problems(parts: Mapping[str, Any]) -> list[str]:
    problems = []
    defaults = [p.disease for p in parts["prevalence"].values() if p.default]
    for disease in {disease for disease in defaults if defaults.count(disease) > 1}:
        problems.append(f"prevalence.toml: [{disease}] default: more than one default for the disease")
    if sum(standard.default for standard in parts["standard_populations"].values()) != 1:
        problems.append(
            "standard_populations.toml: [*] default: exactly one standard population is the default"
        )
    return problems
