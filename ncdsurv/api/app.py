"""The app: routes under /v1, health outside, problem+json for every failure, an honest API description."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ncdsurv import __version__
from ncdsurv.api.auth import find_keys
from ncdsurv.api.models_reports import Health
from ncdsurv.api.openapi import describe
from ncdsurv.api.problems import add_handlers
from ncdsurv.api.routes import ROUTERS
from ncdsurv.api.service import Service

if TYPE_CHECKING:
    from pathlib import Path

    from ncdsurv.api.keys import KeyFile
    from ncdsurv.store import ReleaseStore

PREFIX = "/v1"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def create_app(
    release_store: ReleaseStore, *, keys: KeyFile | str | Path | None = None, insecure_dev: bool = False
) -> FastAPI:
    """Make the service over the releases of a registry.

    Args:
        release_store: Where releases are read from; nothing is ever written.
        keys: The keys file or its path; without it every request under /v1 is refused.
        insecure_dev: Answer without a key. For one's own machine only: `serve` binds it to loopback.

    Returns:
        A FastAPI app. It keeps at most a few releases open and loads plotting and modelling libraries only
        when an answer needs them.
    """
    app = FastAPI(
        title="ncdsurv",
        version=__version__,
        summary="Indicators of non-communicable diseases from immutable releases",
        openapi_url=None,  # served below, with examples of what the caller may read
        docs_url=None,  # the page that ships with FastAPI loads its scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI can send traces away when the environment says so; this service sends nothing anywhere.
        telemetry={"auto_configure": False},
    )
    app.state.service = Service(release_store, find_keys(keys), insecure_dev)
    app.state.paths = [PREFIX + str(getattr(route, "path", "")) for part in ROUTERS for route in part.routes]
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    _add_health(app)
    _add_description(app)
    app.add_middleware(_Stamp)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", operation_id="get_health", response_model=Health, tags=["health"])
    def health() -> dict[str, Any]:
        """Whether the process answers."""
        return {"status": "ok", "version": __version__}

    @app.get("/readyz", operation_id="get_readiness", response_model=Health, tags=["health"])
    def ready(request: Request) -> dict[str, Any]:
        """Whether there is a release to serve; 503 when not."""
        release = request.app.state.service.latest_id()
        return {"status": "ready", "version": __version__, "release": release}


def _add_description(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        """The API description; with a key it carries examples from the latest release."""
        return JSONResponse(await describe(app, request))


class _Stamp:
    """Adds a request id and the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stamp = (b"x-request-id", uuid.uuid4().hex.encode())

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), stamp, *_HEADERS]}
            await send(message)

        await self.app(scope, receive, stamped)
