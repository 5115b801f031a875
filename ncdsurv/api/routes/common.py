"""What every route does: find the release, answer 304 when nothing changed, write a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.api.answers import (
    MEDIA,
    Delivery,
    Format,
    next_link,
    read_cursor,
    signature_of,
    to_csv,
    write_cursor,
)
from ncdsurv.api.auth import Caller, require
from ncdsurv.api.keys import READ_FORMS, READ_INDICATORS
from ncdsurv.api.queries import Paged
from ncdsurv.api.reading import nothing_there, take
from ncdsurv.api.service import LATEST, OpenRelease, Service

if TYPE_CHECKING:
    import polars as pl

Reader = Annotated[Caller, Depends(require(READ_INDICATORS))]
FormReader = Annotated[Caller, Depends(require(READ_FORMS))]


def service_of(request: Request) -> Service:
    """The app's service."""
    service: Service = request.app.state.service
    return service


ServiceHere = Annotated[Service, Depends(service_of)]


def deliver(
    request: Request,
    opened: OpenRelease,
    caller: Caller,
    asked: str | None,
    format_name: Format = "json",
    depends_on: str = "",
) -> Delivery:
    """The delivery of an answer about a release.

    Args:
        request: The request.
        opened: The release.
        caller: Who asks.
        asked: The release as the request named it, None or `latest` for the latest.
        format_name: Format of the answer.
        depends_on: What the answer depends on beside the release (definitions of forms, reference packs);
            such an answer is asked for again, as it can change while the release does not.
    """
    named = asked not in (None, LATEST) and not depends_on
    return Delivery(request, opened.id, named, f"{caller.view}#{depends_on}", MEDIA[format_name])


def send_page(
    delivery: Delivery, frame: pl.LazyFrame, query: Paged, what: str, dress: Any = None
) -> Response:
    """One page of rows as JSON or CSV, with a `Link` to the next.

    Args:
        delivery: Release, format and caching.
        frame: All rows that were asked for, in a stable order.
        query: Limit and cursor.
        what: What the rows are, for the answer when there are none.
        dress: Function from the page's rows to the rows that are sent, or None.

    Raises:
        Problem: 404 when no row was asked for that exists; 422 for a cursor that does not fit.
    """
    signature = signature_of(delivery.request, delivery.view)
    offset = read_cursor(query.cursor, delivery.release_id, signature)
    page = take(frame, offset, query.limit)
    if page.rows.is_empty():
        raise nothing_there(what)
    rows = dress(page.rows) if dress else page.rows
    headers, cursor = {}, None
    if page.following is not None:
        cursor = write_cursor(delivery.release_id, signature, page.following)
        headers["Link"] = next_link(delivery.request, delivery.release_id, cursor)
    if delivery.media == MEDIA["csv"]:
        return delivery.send(to_csv(rows), **headers)
    body = {
        "release": delivery.release_id,
        "data": rows.to_dicts(),
        "page": {"limit": query.limit, "count": rows.height, "next": cursor},
    }
    return delivery.send_json(body, **headers)
