"""Which rule of a preset says how many months back a column of a person's month looks.

One table for all who ask: what a longer period rests on, when a cohort may be judged, how far two months overlap.
"""

from __future__ import annotations

from collections.abc import Mapping

from ncdsurv.catalog.vocabulary import SpellColumn

OUTCOME_WINDOW = "outcome_window_months"
WINDOWS: Mapping[SpellColumn, str] = {
    SpellColumn.OUTCOME: OUTCOME_WINDOW,
    SpellColumn.SEVERITY: OUTCOME_WINDOW,
    SpellColumn.COMPANION_AT_TARGET: OUTCOME_WINDOW,
    SpellColumn.TREATMENT: "treated_window_months",
    SpellColumn.CARE_STATE: "lost_after_months",
}
"""Column -> field of `Preset`; what is not there is told by the month itself, or by all months before it."""
JUDGED = frozenset(column for column, rule in WINDOWS.items() if rule == OUTCOME_WINDOW)
"""The columns that say whether somebody is at target: they rest on the visits of the outcome window."""
OF_PEOPLE_UNDER_CARE = frozenset({SpellColumn.OUTCOME, SpellColumn.SEVERITY})
"""The columns whose verdicts are of people under care alone: to ask for the care as well changes nothing (only for
`not_assessed` it would, which nobody asks for beside a state of care)."""
