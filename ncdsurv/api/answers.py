"""How an answer is written: JSON or CSV, with a strong ETag, honest caching, and links to the next page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv import __version__
from ncdsurv.api.problems import Fault, Problem, unprocessable

if TYPE_CHECKING:
    import polars as pl

JSON, CSV, GEOJSON = "application/json", "text/csv", "application/geo+json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Format = Literal["json", "csv", "xlsx"]
MEDIA: Mapping[str, str] = {"json": JSON, "csv": CSV, "xlsx": XLSX}

_FOREVER, _SHORT = "max-age=31536000, immutable", "max-age=60"
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Delivery:
    """What every answer about a release carries: which release, whose view, and how long it may be kept.

    `named` is whether the request named the release (then the answer never changes) or took the latest.
    """

    request: Request
    release_id: str
    named: bool
    view: str
    media: str = JSON

    @property
    def etag(self) -> str:
        """Strong ETag: release, query, format, what the caller may see, and the version that wrote it."""
        query = urlencode(sorted(self.request.query_params.multi_items()))
        parts = (__version__, self.release_id, self.request.url.path, query, self.media, self.view)
        return '"' + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32] + '"'

    @property
    def headers(self) -> dict[str, str]:
        """Caching headers and the release."""
        return {
            "ETag": self.etag,
            "Cache-Control": f"private, {_FOREVER if self.named else _SHORT}",
            "Vary": "Accept, Authorization, X-API-Key",
            "NCDSurv-Release": self.release_id,
        }

    def unchanged(self) -> Response | None:
        """304 when the caller already has this answer, before any work is done."""
        held = self.request.headers.get("if-none-match", "")
        tags = {tag.strip().removeprefix("W/") for tag in held.split(",")}
        if self.etag in tags:
            return Response(status_code=304, headers=self.headers)
        return None

    def send(self, content: bytes, **headers: str) -> Response:
        """The answer with its headers."""
        charset = "; charset=utf-8" if self.media == CSV else ""
        return Response(content, headers={**self.headers, **headers}, media_type=self.media + charset)

    def send_json(self, body: Any, **headers: str) -> Response:
        """The answer as JSON; dates as ISO text, NaN as null."""
        return self.send(orjson.dumps(body), **headers)


def choose_format(request: Request, wanted: Format | None, offered: tuple[Format, ...]) -> Format:
    """The format by `format=`, else by Accept; the first offered when the caller takes anything.

    Raises:
        Problem: 422 for a format this resource does not have, 406 when Accept takes none of them.
    """
    if wanted is not None:
        if wanted not in offered:
            fault = Fault(parameter="format", detail="no such format here", got=wanted, allowed=list(offered))
            raise unprocessable([fault])
        return wanted
    accepted = _accepted(request.headers.get("accept", "*/*"))
    ranked = sorted(
        ((_quality(accepted, MEDIA[name]), -place, name) for place, name in enumerate(offered)), reverse=True
    )
    quality, _, name = ranked[0]
    if quality <= 0:
        raise Problem(406, f"this resource is served as {', '.join(MEDIA[name] for name in offered)}")
    return name


def _accepted(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in header.split(","):
        media, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=") if rest.strip().startswith("q=") else "1"
        try:
            found[media.strip().lower()] = float(quality)
        except ValueError:
            found[media.strip().lower()] = 0.0
    return found


def _quality(accepted: Mapping[str, float], media: str) -> float:
    kind = media.partition("/")[0]
    for name in (media, f"{kind}/*", "*/*"):
        if name in accepted:
            return accepted[name]
    return 0.0


def to_csv(frame: pl.DataFrame) -> bytes:
    """A frame as CSV in which no text is live in a spreadsheet; numbers are left as they are.

    A text that begins like a formula gets a leading apostrophe (a spreadsheet shows the text without it).

    >>> import polars as pl
    >>> to_csv(pl.DataFrame({"name": ["=1+1"], "change": [-1.5]})).decode().splitlines()
    ['name,change', "'=1+1,-1.5"]
    """
    import polars as pl

    def guarded(column: pl.Expr) -> pl.Expr:
        live = pl.any_horizontal(column.str.starts_with(sign) for sign in _LIVE)
        return pl.when(live).then(pl.lit("'") + column).otherwise(column)

    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    safe = frame.with_columns(guarded(pl.col(name)).alias(name) for name in texts)
    return safe.write_csv().encode()


def write_cursor(release_id: str, signature: str, offset: int) -> str:
    """An opaque mark of where the next page begins, good for this release and query only."""
    text = json.dumps([release_id, signature, offset], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, release_id: str, signature: str) -> int:
    """The offset in a cursor; 0 without one.

    Raises:
        Problem: 422 when the cursor is damaged or belongs to another release or query.
    """
    if cursor is None:
        return 0
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.urlsafe_b64decode(padded.encode("ascii", "strict")))
        known, own, offset = found
    except (ValueError, TypeError, binascii.Error) as error:
        fault = Fault(parameter="cursor", detail="not a cursor of this service; start without one")
        raise unprocessable([fault]) from error
    if known != release_id or own != signature or not isinstance(offset, int) or offset < 0:
        fault = Fault(
            parameter="cursor",
            detail="the cursor belongs to another release or query; name the release when paging, "
            "and keep the other parameters as they were",
        )
        raise unprocessable([fault])
    return offset


def signature_of(request: Request, view: str) -> str:
    """What must stay the same from page to page: everything but the cursor and the page's size."""
    kept = [
        item for item in request.query_params.multi_items() if item[0] not in ("cursor", "limit", "release")
    ]
    text = f"{request.url.path}?{urlencode(sorted(kept))}#{view}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def next_link(request: Request, release_id: str, cursor: str) -> str:
    """RFC 8288 link to the next page; it names the release, so that paging is stable."""
    kept = [i for i in request.query_params.multi_items() if i[0] not in ("cursor", "release")]
    query = urlencode([*kept, ("release", release_id), ("cursor", cursor)])
    return f'<{request.url.path}?{query}>; rel="next"'
