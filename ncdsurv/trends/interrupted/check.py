"""Whether the months before the intervention already had a break: a placebo intervention halfway through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.trends.interrupted.model import Estimate, fit_segmented

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Placebo:
    """Level and slope change at a date where nothing is known to have happened; `month` is its index.

    `found` where either p value, doubled because there are two, is below one less the confidence.
    """

    month: int
    level_change: Estimate
    slope_change: Estimate
    found: bool


def check_before(
    counts: tuple[Array, Array, Array], at: int, *, least: int, confidence: float, **settings: Any
) -> Placebo | None:
    """Fit the same model to the months before the intervention, with a placebo in their middle.

    Args:
        counts: Numerator, denominator and month index, each of shape (n,).
        at: Month index of the intervention.
        least: Months needed before the intervention; fewer give no check.
        confidence: Of the intervals.
        settings: As for `fit_segmented`.

    Returns:
        The placebo, or None where the months before are too few or hold no event on one of its sides.
    """
    before = counts[2] < at
    numerator, denominator, months = (column[before] for column in counts)
    if len(months) < least:
        return None
    middle = int(months[len(months) // 2])
    if not (numerator[months < middle].sum() > 0 and numerator[months >= middle].sum() > 0):
        return None
    model = fit_segmented(numerator, denominator, months, middle, confidence=confidence, **settings)
    assert model.slope_change is not None  # the placebo always asks for one
    smallest = min(model.level_change.p_value, model.slope_change.p_value)
    return Placebo(middle, model.level_change, model.slope_change, 2 * smallest < 1 - confidence)
