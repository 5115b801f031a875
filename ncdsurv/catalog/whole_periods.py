"""Presets whose outcome rests on the whole of a period, as presets the engine can count by.

Under such a preset the last visit within a quarter decides the quarter, not that within its last month. That is the
outcome window made as long as the period, read in the month in which the period ends. So the catalog that is counted
has, beside each such preset, one for every longer period; what they say is published under the preset's own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import PERIOD_MONTHS

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator, Preset

WHOLE_PERIOD = "whole_period"
"""`Preset.outcome_of_period` of such a preset."""
LENGTHS = tuple(months for months in PERIOD_MONTHS.values() if months > 1)
"""Months of each period longer than a month."""


def rests_on_period(preset: Preset) -> bool:
    """Whether the outcome of a longer period rests on the visits of all of it."""
    return preset.outcome_of_period == WHOLE_PERIOD


def name_over(preset: str, months: int) -> str:
    """Id under which a preset is counted over periods of so many months.

    >>> name_over("some", 3)
    'some@3'
    """
    return f"{preset}@{months}"


def counted_over(catalog: Catalog) -> Mapping[int, Mapping[str, str]]:
    """Months of a period -> preset -> the id it is counted under; presets that rest on the last month are not there.

    >>> from ncdsurv.catalog import load_catalog
    >>> {months: len(names) for months, names in counted_over(load_catalog()).items()}
    {3: 1, 6: 1, 9: 1, 12: 1}
    """
    whole = [name for name, preset in catalog.presets.items() if rests_on_period(preset)]
    return {months: {name: name_over(name, months) for name in whole} for months in LENGTHS}


def derived_presets(catalog: Catalog) -> list[str]:
    """Every id of `counted_over`: no value is published under one of these."""
    return [name for names in counted_over(catalog).values() for name in names.values()]


def preset_over(preset: Preset, months: int) -> Preset:
    """The preset as it judges a period of so many months at its end; itself for one month, or if nothing changes."""
    if months == 1 or not rests_on_period(preset):
        return preset
    rules = {"outcome_window_months": months, "outcome_of_period": "last_month"}
    return preset.model_copy(update={"id": name_over(preset.id, months), **rules})


def with_whole_periods(catalog: Catalog) -> Catalog:
    """The catalog with a preset more for each longer period, beside every preset that rests on whole periods.

    Every indicator of such a preset is counted under them as well: what does not rest on the outcome shares its
    column with the preset itself, so only the outcomes are counted anew.

    Returns:
        A catalog for `count_bucket` and `count_wide`; the catalog itself where no preset asks for it.
    """
    over = counted_over(catalog)
    names = {preset: [over[months][preset] for months in LENGTHS] for preset in over[LENGTHS[0]]}
    if not names:
        return catalog
    more = {over[n][preset]: preset_over(catalog.presets[preset], n) for preset in names for n in LENGTHS}
    indicators = {name: _under(indicator, names) for name, indicator in catalog.indicators.items()}
    return catalog.model_copy(update={"presets": {**catalog.presets, **more}, "indicators": indicators})


def _under(indicator: Indicator, names: Mapping[str, list[str]]) -> Indicator:
    """The indicator under the further presets, with the denominator of the preset each belongs to."""
    mine = {preset: more for preset, more in names.items() if preset in indicator.presets}
    below = dict(indicator.denominator_by_preset)
    for preset, more in mine.items():
        if preset in below:
            below |= dict.fromkeys(more, below[preset])
    presets = (*indicator.presets, *(name for more in mine.values() for name in more))
    return indicator.model_copy(update={"presets": presets, "denominator_by_preset": below})
