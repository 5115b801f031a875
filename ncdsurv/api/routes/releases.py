"""Releases: which there are, and what each was made of."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.models import ReleaseDetail, ReleaseList
from ncdsurv.api.problems import Problem, unknown_code
from ncdsurv.api.queries import NoQuery
from ncdsurv.api.routes.common import Reader, ServiceHere, deliver
from ncdsurv.errors import UsageError

router = APIRouter(tags=["releases"])


@router.get("/releases", operation_id="list_releases", response_model=ReleaseList)
def list_releases(
    request: Request, service: ServiceHere, caller: Reader, query: Annotated[NoQuery, Query()]
) -> Response:
    """All releases, newest first. A release never changes; a correction is a new one."""
    opened = service.open(None)
    delivery = deliver(request, opened, caller, None, depends_on=" ".join(service.releases.ids()))
    items = [_item(manifest, opened.id) for manifest in reversed(service.releases.list())]
    return delivery.unchanged() or delivery.send_json({"data": items})


@router.get("/releases/{release_id}", operation_id="get_release", response_model=ReleaseDetail)
def get_release(
    request: Request,
    service: ServiceHere,
    caller: Reader,
    release_id: str,
    query: Annotated[NoQuery, Query()],
) -> Response:
    """A release's manifest and disclosure dossier; `latest` is the latest."""
    try:
        opened = service.open(release_id)
    except UsageError as error:
        fault = unknown_code("release_id", release_id, service.releases.ids())
        raise Problem(404, f"there is no release {release_id}", [fault]) from error
    delivery = deliver(request, opened, caller, release_id)
    if answer := delivery.unchanged():
        return answer
    release = opened.release
    return delivery.send_json({"id": opened.id, "manifest": release.manifest, "dossier": release.dossier})


def _item(manifest: dict[str, Any], latest: str) -> dict[str, Any]:
    kept = {name: manifest.get(name) for name in ("id", "as_of", "created_at", "definitions_hash")}
    return {**kept, "latest": manifest["id"] == latest}
