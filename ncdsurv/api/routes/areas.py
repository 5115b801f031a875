"""Administrative units of both vintages, and the periods that have values."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import choose_format
from ncdsurv.api.models import AreaList, PeriodList
from ncdsurv.api.problems import Fault, unknown_code, unprocessable
from ncdsurv.api.queries import AreaQuery, ReleaseQuery
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver, send_page
from ncdsurv.catalog.vocabulary import Level, Period, month_label

router = APIRouter(tags=["areas and periods"])
_COLUMNS = ("code", "vintage", "level", "name", "name_en", "type", "parent_code", "lon", "lat", "area_km2")


@router.get("/areas", operation_id="list_areas", response_model=AreaList)
def list_areas(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[AreaQuery, Query()]
) -> Response:
    """Areas with their names, levels and parents. A code means nothing without its vintage."""
    import polars as pl

    opened = service.open_for(query.release)
    chosen = choose_format(request, query.format, ("json", "csv"))
    delivery = deliver(request, opened, caller, query.release, chosen, depends_on=opened.packs)
    levels = [level.value for level in Level]
    faults = [unknown_code("level", level, levels) for level in query.level if level not in levels]
    if query.parent is not None and query.vintage is None:
        faults.append(Fault(parameter="vintage", detail="an area code needs its vintage"))
    elif query.parent is not None:
        faults += opened.area_faults([query.parent], [str(query.vintage)], "parent")
    if faults:
        raise unprocessable(faults)
    if answer := delivery.unchanged():
        return answer
    rows = opened.areas.select(_COLUMNS)
    if query.vintage is not None:
        rows = rows.filter(pl.col("vintage") == query.vintage.value)
    if query.level:
        rows = rows.filter(pl.col("level").is_in(query.level))
    if query.parent is not None:
        rows = rows.filter(pl.col("parent_code") == query.parent)
    order = pl.col("level").replace_strict({name: place for place, name in enumerate(reversed(levels))})
    return send_page(delivery, rows.sort("vintage", order, "code").lazy(), query, "area")


@router.get("/periods", operation_id="list_periods", response_model=PeriodList)
def list_periods(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[ReleaseQuery, Query()]
) -> Response:
    """Months and longer periods that have values."""
    opened = service.open_for(query.release)
    delivery = deliver(request, opened, caller, query.release)
    periods = sorted(Period.parse(text) for text in opened.contents["period"])
    items = [
        {
            "period": str(period),
            "kind": period.kind.value,
            "first_month": month_label(period.first_month),
            "last_month": month_label(period.last_month),
            "vintage_in_force": period.vintage.value,
        }
        for period in periods
    ]
    return delivery.unchanged() or delivery.send_json({"release": opened.id, "data": items})
