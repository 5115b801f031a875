"""Trends: the change of a rate over months, with its interval."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.models_reports import TrendAnswer
from ncdsurv.api.queries import DataQuery, SeriesQuery
from ncdsurv.api.reading import nothing_there, select_values
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver

router = APIRouter(tags=["trends and maps"])


@router.get("/trends", operation_id="get_trend", response_model=TrendAnswer)
def get_trend(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[SeriesQuery, Query()]
) -> Response:
    """Relative change per year of one series, and the fitted months.

    Counts are regressed on time and season with the denominator as offset; a test (Cameron and Trivedi) chooses
    between quasi-Poisson and the negative binomial, and the answer names family, dispersion and test. A series that
    cannot carry a trend is refused with the reason.
    """
    opened = service.open_for(query.release)
    delivery = deliver(request, opened, caller, query.release)
    chosen = DataQuery.model_validate(
        {name: [getattr(query, name)] for name in ("indicator", "disease", "preset", "area")}
        | {"vintage": query.vintage, "from": query.from_, "to": query.to}
    )
    rows = select_values(opened, chosen, caller)
    if answer := delivery.unchanged():
        return answer
    values = rows.collect()
    if values.is_empty():
        raise nothing_there("series")
    # The model's libraries are heavy, so they are loaded when the first trend is asked for.
    from ncdsurv.trends import fit_trend

    trend = fit_trend(
        values,
        area=query.area,
        area_vintage=query.vintage.value,
        season=query.season,
        reference=opened.reference,
        lang=query.lang.value,
    )
    body = {
        "release": opened.id,
        "series": trend.identity,
        "annual_change_percent": trend.annual_change,
        "lower": trend.lower,
        "upper": trend.upper,
        "interval": trend.interval,
        "family": trend.model.family,
        "dispersion": trend.dispersion,
        "test": {
            "name": "cameron_trivedi",
            "p_value": trend.model.checks.quadratic_p_value,
            "overdispersion_p_value": trend.model.checks.overdispersion_p_value,
            "reason": trend.family_reason,
        },
        "window_months": trend.window,
        "months": trend.months,
        "explanation": trend.explain(),
        "data": trend.data.to_dicts(),
    }
    return delivery.send_json(body)
