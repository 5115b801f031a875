"""Variants of a preset that differ in one limit (`sensitivity.toml`), as a catalog the engine can count by."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from ncdsurv.catalog.base import Citation
from ncdsurv.catalog.load import DEFINITIONS, describe
from ncdsurv.catalog.models import Definition, MeasurementCondition, Names, Preset
from ncdsurv.catalog.vocabulary import Level
from ncdsurv.errors import DefinitionError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

FILE = "sensitivity.toml"
LEVELS = (Level.PROVINCE, Level.REGION, Level.NATION)
"""Where variants are published: a commune has too few people for the question."""


class Variant(Definition):
    """One indicator under the presets named, with other limits for the readings of one measurement."""

    id: str
    names: Names
    presets: tuple[str, ...] = Field(min_length=1)
    indicator: str
    measurement: str
    readings: dict[str, MeasurementCondition] = Field(min_length=1)
    source: Citation
    verified: bool

    def name_under(self, preset: str) -> str:
        """Id of the preset with the other limit, as it stands in the published rows."""
        return f"{preset}.{self.id}"


@cache
def load_variants(path: Path = DEFINITIONS / FILE) -> dict[str, Variant]:
    """The variants by id, in file order.

    Raises:
        DefinitionError: Every problem of the file at once.
    """
    found, problems = {}, []
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            found[name] = Variant.model_validate({"id": name, **table})
        except ValidationError as error:
            problems += describe(path.name, name, error)
    if problems:
        raise DefinitionError(problems)
    return found


def variant_catalog(catalog: Catalog, variants: Mapping[str, Variant]) -> Catalog:
    """The catalog with the varied presets in place of its own, and only the indicators that they vary.

    Args:
        catalog: The definitions.
        variants: From `load_variants`.

    Returns:
        A catalog for `count_bucket` and `publish_values`; diseases, ages and measurements stay as they are.

    Raises:
        DefinitionError: A variant names something the catalog does not have.
    """
    _check(catalog, variants)
    presets = {
        variant.name_under(preset): _varied(catalog.presets[preset], variant)
        for variant in variants.values()
        for preset in variant.presets
    }
    indicators = {}
    for name in dict.fromkeys(variant.indicator for variant in variants.values()):
        indicator = catalog.indicators[name]
        mine = [variant for variant in variants.values() if variant.indicator == name]
        under = {variant.name_under(preset): preset for variant in mine for preset in variant.presets}
        below = {
            varied: condition
            for varied, preset in under.items()
            if (condition := indicator.denominator_for(preset)) is not None
        }
        measured = {variant.measurement for variant in mine}
        indicators[name] = indicator.model_copy(
            update={
                "presets": tuple(under),
                "denominator_by_preset": below,
                "diseases": tuple(d.id for d in catalog.diseases.values() if d.measurement in measured),
                "levels": tuple(level for level in LEVELS if level in indicator.levels),
            }
        )
    return catalog.model_copy(update={"presets": presets, "indicators": indicators})


def _varied(preset: Preset, variant: Variant) -> Preset:
    targets = tuple(
        target.model_copy(update={"readings": {**target.readings, **variant.readings}})
        if target.measurement == variant.measurement
        else target
        for target in preset.targets
    )
    return preset.model_copy(update={"id": variant.name_under(preset.id), "targets": targets})


def _check(catalog: Catalog, variants: Mapping[str, Variant]) -> None:
    problems = []
    for variant in variants.values():
        where = f"{FILE}: [{variant.id}]"
        for preset in variant.presets:
            target = (
                catalog.presets[preset].target(variant.measurement) if preset in catalog.presets else None
            )
            if target is None:
                problems.append(f"{where} presets: {preset!r} has no target for {variant.measurement!r}")
            elif not set(variant.readings) <= set(target.readings):
                problems.append(f"{where} readings: not all of them stand in the target of {preset!r}")
        if variant.indicator not in catalog.indicators:
            problems.append(f"{where} indicator: unknown {variant.indicator!r}")
        elif not set(variant.presets) <= set(catalog.indicators[variant.indicator].presets):
            problems.append(f"{where} presets: {variant.indicator!r} is not published under all of them")
    if problems:
        raise DefinitionError(problems)
