"""Published values, and which combinations of codes have any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import choose_format
from ncdsurv.api.models import AvailabilityList, ValueItem, ValueList
from ncdsurv.api.problems import unprocessable
from ncdsurv.api.queries import AvailabilityQuery, DataQuery
from ncdsurv.api.reading import check_codes, nothing_there, select_values
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver, send_page

if TYPE_CHECKING:
    import polars as pl

router = APIRouter(tags=["values"])
_COLUMNS = tuple(ValueItem.model_fields)


@router.get("/data", operation_id="get_data", response_model=ValueList)
def get_data(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[DataQuery, Query()]
) -> Response:
    """Published values with numerator, denominator, interval and flag, as JSON or CSV.

    Rates say among whom by their `preset`. A null value has a flag that says why; it is never 0 instead.
    Rows come in pages of at most 10,000, in a fixed order; `Link` leads to the next.
    """
    opened = service.open_for(query.release)
    delivery = deliver(
        request, opened, caller, query.release, choose_format(request, query.format, ("json", "csv"))
    )
    rows = select_values(opened, query, caller)
    if answer := delivery.unchanged():
        return answer

    def dress(page: pl.DataFrame) -> pl.DataFrame:
        named = page.join(opened.names, on=["area_vintage", "area_code"], how="left", maintain_order="left")
        return named.select(_COLUMNS)

    return send_page(delivery, rows, query, "published value", dress)


@router.get("/availability", operation_id="get_availability", response_model=AvailabilityList)
def get_availability(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[AvailabilityQuery, Query()]
) -> Response:
    """Which combinations of indicator, preset, disease, level and kind of period have values."""
    import polars as pl

    opened = service.open_for(query.release)
    delivery = deliver(request, opened, caller, query.release)
    wanted = {name: getattr(query, name) for name in ("indicator", "disease", "preset", "level")}
    if faults := check_codes(opened, wanted):
        raise unprocessable(faults)
    if answer := delivery.unchanged():
        return answer
    rows = opened.availability
    for name, codes in wanted.items():
        if codes:
            rows = rows.filter(pl.col("area_level" if name == "level" else name).is_in(codes))
    if query.vintage is not None:
        rows = rows.filter(pl.col("area_vintage") == query.vintage.value)
    if rows.is_empty():
        raise nothing_there("published value")
    return delivery.send_json({"release": opened.id, "data": rows.to_dicts()})
