"""Age groups, and the rule for an age base that cuts one."""

from __future__ import annotations

import re

from ncdsurv.errors import UsageError

ALL_AGES = "all"
_GROUP = re.compile(r"^(\d{1,3})(?:-(\d{1,3})|\+)$")


def group_bounds(group: str) -> tuple[int, int | None]:
    """First and last completed year of an age group; the last is None when it is open.

    >>> group_bounds("15-19"), group_bounds("80+")
    ((15, 19), (80, None))

    Raises:
        UsageError: `group` is not of the form "15-19" or "80+".
    """
    found = _GROUP.match(group)
    if not found or (found[2] and int(found[2]) < int(found[1])):
        raise UsageError(
            "unknown age group", got=group, allowed='"15-19", "80+"', do="write first-last or first+"
        )
    return int(found[1]), int(found[2]) if found[2] else None


def share_inside(group: str, lower: int, upper: int | None) -> float:
    """Part of an age group's people that is `lower` to `upper` years old (both included).

    The people of a group are taken as spread evenly over its years (pro rata): 18+ takes two fifths of 15-19. An open
    group is inside whole or not at all, since how its people are spread is not known.

    >>> share_inside("15-19", 18, None), share_inside("20-24", 18, None), share_inside("0-4", 18, None)
    (0.4, 1.0, 0.0)

    Raises:
        UsageError: The base cuts an open group ("80+"), or `upper` is below `lower`.
    """
    first, last = group_bounds(group)
    if upper is not None and upper < lower:
        raise UsageError(
            "age base is empty", got=f"{lower}-{upper}", allowed="lower <= upper", do="swap the two"
        )
    if last is None:
        if upper is not None and upper < first:
            return 0.0
        if lower <= first and upper is None:
            return 1.0
        raise UsageError("age base cuts an open age group", got=f"{lower}-{upper or ''} against {group}",
                         allowed=f"a base up to {first - 1} or open from at most {first}",
                         do="choose another age base, or a population with finer groups")  # fmt: skip
    top = last if upper is None else min(last, upper)
    return max(0, top - max(first, lower) + 1) / (last - first + 1)


def is_group(text: str) -> bool:
    """Whether `text` is an age group such as "15-19" or "80+"."""
    return _GROUP.match(text) is not None
