"""Indicators: what a value means, as data and in words, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.cards import card_of
from ncdsurv.api.models import IndicatorDetail, IndicatorList
from ncdsurv.api.problems import Problem, unknown_code
from ncdsurv.api.queries import ReleaseQuery
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver
from ncdsurv.api.service import OpenRelease
from ncdsurv.catalog.vocabulary import Language

router = APIRouter(tags=["definitions"])
_SHOWN = (
    "id",
    "names",
    "definition",
    "kind",
    "unit",
    "polarity",
    "presets",
    "ci_method",
    "source",
    "verified",
)


@router.get("/indicators", operation_id="list_indicators", response_model=IndicatorList)
def list_indicators(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[ReleaseQuery, Query()]
) -> Response:
    """All indicators with their cards in Vietnamese and English, as they were when the release was built."""
    opened = service.open_for(query.release)
    delivery = deliver(request, opened, caller, query.release)
    items = [_item(opened, definition) for definition in opened.catalog["indicators"].values()]
    return delivery.unchanged() or delivery.send_json({"release": opened.id, "data": items})


@router.get("/indicators/{code}", operation_id="get_indicator", response_model=IndicatorDetail)
def get_indicator(
    request: Request, service: ServiceHere, caller: Reader, code: str, query: Annotated[ReleaseQuery, Query()]
) -> Response:
    """One indicator in full: its card, its conditions, and what each preset means by it."""
    opened = service.open_for(query.release)
    delivery = deliver(request, opened, caller, query.release)
    known = opened.catalog["indicators"]
    if code not in known:
        raise Problem(404, f"there is no indicator {code}", [unknown_code("code", code, known)])
    definition, presets = known[code], opened.catalog["presets"]
    body = {
        **_item(opened, definition),
        "definition_data": definition,
        "preset_data": {name: presets[name] for name in definition["presets"] if name in presets},
        "prevalence_data": _prevalences(opened, definition),
    }
    return delivery.unchanged() or delivery.send_json(body)


def _item(opened: OpenRelease, definition: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: definition.get(name) for name in _SHOWN}
    if isinstance(shown["source"], Mapping):  # the card says it in both languages
        shown["source"] = shown["source"][Language.EN.value]
    published = definition["id"] in opened.contents["indicator"]
    return {**shown, "published": published, "card": card_of(definition, opened.catalog)}


def _prevalences(opened: OpenRelease, definition: Mapping[str, Any]) -> dict[str, Any]:
    """The survey figures that an indicator's expected cases rest on, by disease."""
    expected = definition["denominator_source"] == "estimated_cases"
    if not expected and definition.get("cascade_step") != "estimated":
        return {}
    return {
        figure["disease"]: figure for figure in opened.catalog["prevalence"].values() if figure["default"]
    }
