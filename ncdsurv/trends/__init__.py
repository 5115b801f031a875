"""Trends of published rates over months."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_WHERE = {
    "fit_trend": "ncdsurv.trends.fit",
    "describe_series": "ncdsurv.trends.described",
    "trend_or_series": "ncdsurv.trends.described",
    "DescribedSeries": "ncdsurv.trends.described",
    "TrendResult": "ncdsurv.trends.result",
    "fit_joinpoints": "ncdsurv.trends.joinpoint.verb",
    "JoinpointResult": "ncdsurv.trends.joinpoint.result",
    "mann_kendall": "ncdsurv.trends.kendall.verb",
    "KendallResult": "ncdsurv.trends.kendall.result",
    "control_chart": "ncdsurv.trends.control.verb",
    "ControlResult": "ncdsurv.trends.control.result",
    "forecast_rate": "ncdsurv.trends.forecast.verb",
    "ForecastResult": "ncdsurv.trends.forecast.result",
    "fit_interrupted": "ncdsurv.trends.interrupted.verb",
    "InterruptedResult": "ncdsurv.trends.interrupted.result",
}

__all__ = [
    "ControlResult",
    "DescribedSeries",
    "ForecastResult",
    "InterruptedResult",
    "JoinpointResult",
    "KendallResult",
    "TrendResult",
    "control_chart",
    "describe_series",
    "fit_interrupted",
    "fit_joinpoints",
    "fit_trend",
    "forecast_rate",
    "mann_kendall",
    "trend_or_series",
]

if TYPE_CHECKING:
    from ncdsurv.trends.control.result import ControlResult
    from ncdsurv.trends.control.verb import control_chart
    from ncdsurv.trends.described import DescribedSeries, describe_series, trend_or_series
    from ncdsurv.trends.fit import fit_trend
    from ncdsurv.trends.forecast.result import ForecastResult
    from ncdsurv.trends.forecast.verb import forecast_rate
    from ncdsurv.trends.interrupted.result import InterruptedResult
    from ncdsurv.trends.interrupted.verb import fit_interrupted
    from ncdsurv.trends.joinpoint.result import JoinpointResult
    from ncdsurv.trends.joinpoint.verb import fit_joinpoints
    from ncdsurv.trends.kendall.result import KendallResult
    from ncdsurv.trends.kendall.verb import mann_kendall
    from ncdsurv.trends.result import TrendResult


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ncdsurv.trends' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
