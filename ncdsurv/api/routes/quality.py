"""The quality table: whether to believe a figure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import choose_format
from ncdsurv.api.models_reports import QualityItem, QualityList
from ncdsurv.api.problems import unknown_code, unprocessable
from ncdsurv.api.queries import QualityQuery
from ncdsurv.api.reading import check_areas, only_visible
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver, send_page

router = APIRouter(tags=["quality"])
_FILTERS = {"metric": "metric", "level": "area_level", "period": "month"}


@router.get("/quality", operation_id="get_quality", response_model=QualityList)
def get_quality(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[QualityQuery, Query()]
) -> Response:
    """Completeness, digit preference, repeated readings and rejected rows, by station, province and nation."""
    import polars as pl

    opened = service.open_for(query.release)
    delivery = deliver(
        request, opened, caller, query.release, choose_format(request, query.format, ("json", "csv"))
    )
    rows = opened.quality
    vintage = query.vintage.value if query.vintage else None
    faults = check_areas(opened, query.area, vintage)
    for parameter, column in _FILTERS.items():
        codes = getattr(query, parameter)
        known = rows[column].drop_nulls().unique().to_list() if codes else []
        faults += [unknown_code(parameter, code, known) for code in codes if code not in known]
    if faults:
        raise unprocessable(faults)
    for parameter, column in _FILTERS.items():
        if codes := getattr(query, parameter):
            rows = rows.filter(pl.col(column).is_in(codes))
    if vintage is not None:
        rows = rows.filter(pl.col("area_vintage") == vintage)
    if query.area:
        opened.require_visible(caller, [(str(vintage), code) for code in query.area])
        rows = rows.filter(pl.col("area_code").is_in(query.area))
    if answer := delivery.unchanged():
        return answer
    columns = [name for name in QualityItem.model_fields if name in rows.columns]
    return send_page(
        delivery, only_visible(rows.select(columns).lazy(), opened.visible(caller)), query, "quality row"
    )
