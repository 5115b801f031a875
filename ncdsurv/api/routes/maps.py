"""Maps as GeoJSON: one feature per area with its value, interval and flag."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import GEOJSON, Delivery
from ncdsurv.api.models import FeatureCollection
from ncdsurv.api.problems import Problem, unknown_code
from ncdsurv.api.queries import DataQuery, MapQuery
from ncdsurv.api.reading import nothing_there, select_values
from ncdsurv.api.routes.common import Reader, ServiceHere
from ncdsurv.api.service import LATEST
from ncdsurv.catalog.vocabulary import Level

router = APIRouter(tags=["trends and maps"])
_ONE = ("indicator", "disease", "preset", "period")


@router.get("/maps/{level}", operation_id="get_map", response_model=FeatureCollection)
def get_map(
    request: Request, service: ServiceHere, caller: Reader, level: str, query: Annotated[MapQuery, Query()]
) -> Response:
    """The areas of a level as GeoJSON, with the values of one indicator at one period."""
    levels = [item.value for item in Level]
    if level not in levels:
        raise Problem(404, f"there is no level {level}", [unknown_code("level", level, levels)])
    opened = service.open_for(query.release)
    delivery = Delivery(request, opened.id, query.release not in (None, LATEST), caller.view, GEOJSON)
    chosen = DataQuery.model_validate(
        {name: [getattr(query, name)] for name in _ONE} | {"level": [level], "vintage": query.vintage}
    )
    rows = select_values(opened, chosen, caller)
    if answer := delivery.unchanged():
        return answer
    values = rows.collect()
    if values.is_empty():
        raise nothing_there("map")
    from ncdsurv.maps import to_geojson

    body = to_geojson(values, opened.reference, level=level, vintage=query.vintage.value)
    return delivery.send_json(body)
