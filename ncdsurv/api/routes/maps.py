"""Maps as GeoJSON: one feature per area with its value, interval and flag."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import GEOJSON
from ncdsurv.api.models_reports import FeatureCollection
from ncdsurv.api.problems import Problem, unknown_code, unprocessable
from ncdsurv.api.queries import DataQuery, MapQuery
from ncdsurv.api.reading import nothing_there, select_values
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver
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
    delivery = replace(
        deliver(request, opened, caller, query.release, depends_on=opened.packs), media=GEOJSON
    )
    chosen = DataQuery.model_validate(
        {name: [getattr(query, name)] for name in _ONE} | {"level": [level], "vintage": query.vintage}
    )
    if faults := opened.area_faults(
        [query.within] if query.within is not None else [], [query.vintage.value], "within"
    ):
        raise unprocessable(faults)
    rows = select_values(opened, chosen, caller)
    if answer := delivery.unchanged():
        return answer
    values = rows.collect()
    if values.is_empty():
        raise nothing_there("map")
    from ncdsurv.maps import to_geojson

    body = to_geojson(
        values,
        period=query.period,
        reference=opened.reference,
        level=level,
        vintage=query.vintage.value,
        within=query.within,
    )
    return delivery.send_json(body)
