"""Runs rules of control charts: which months complete a pattern that chance seldom makes.

Western Electric, Statistical Quality Control Handbook, 1956; Nelson LS, Journal of Quality Technology 1984,
16:237-239. Each rule is data (`control.toml`): `points` of the last `of` beyond `sigmas` on the same side of the
centre, or `points` neighbours that rise (or fall) one after the other.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROUNDING = 1e-9  # of a sigma: a point on a line is not beyond it


def find_signals(
    z: NDArray[np.float64], parts: NDArray[np.int64], rules: dict[str, dict[str, Any]]
) -> list[list[str]]:
    """Names of the rules that each month completes.

    Args:
        z: Distance of each month from its centre in its own sigmas, shape (n,).
        parts: Number of the phase or unbroken run of months that each month belongs to, shape (n,); no pattern
            reaches across two of them.
        rules: Rules by name: `points`, `of`, and either `sigmas` or `monotone = true`.

    Returns:
        For each month the names of the rules it completes, in the order of `rules`.

    >>> import numpy as np
    >>> rules = {"beyond": {"points": 1, "of": 1, "sigmas": 3.0}}
    >>> find_signals(np.array([0.0, 3.2, -3.0]), np.zeros(3, dtype=np.int64), rules)
    [[], ['beyond'], []]
    """
    found: list[list[str]] = []
    for at in range(len(z)):
        begin = at
        while begin > 0 and parts[begin - 1] == parts[at]:
            begin -= 1
        found.append([name for name, rule in rules.items() if _completes(z[begin : at + 1], rule)])
    return found


def _completes(z: NDArray[np.float64], rule: dict[str, Any]) -> bool:
    """Whether the last of these months completes the rule."""
    of, points = rule["of"], rule["points"]
    if len(z) < points:  # 2 of the last 3 may be the first 2 there are
        return False
    last = z[-of:]
    if rule.get("monotone"):
        # Two infinite distances are equal, not one above the other.
        steps = [b - a if a != b else 0.0 for a, b in pairwise(last)]
        return all(step > ROUNDING for step in steps) or all(step < -ROUNDING for step in steps)
    for side in (1, -1):
        beyond = side * last > rule["sigmas"] + ROUNDING
        # The last month must itself be one of them: a month is marked only for what it adds.
        if beyond[-1] and int(beyond.sum()) >= points:
            return True
    return False
