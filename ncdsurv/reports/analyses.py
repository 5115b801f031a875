"""The analyses that the trend explorer offers, by the name of their verb, and the parameters they take."""

from __future__ import annotations

ANALYSES: dict[str, tuple[str, ...]] = {
    "trend": (),
    "joinpoint": (),
    "control_chart": (),
    "mann_kendall": (),
    "forecast": ("until",),
    "interrupted": ("at",),
}
"""Verb of `ncdsurv` -> the parameters of the notebook that it is given beside the series."""


def moments() -> list[str]:
    """Events with a name of their own, which may stand in place of a month."""
    from ncdsurv.trends.method import method

    return list(method()["interrupted"]["event"])
