"""The API description: problem+json for every failure, and examples that are real answers."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request

from ncdsurv.api.answers import CSV, GEOJSON, JSON, XLSX
from ncdsurv.api.auth import Caller, caller_of
from ncdsurv.api.examples import example_requests
from ncdsurv.api.problems import MEDIA_TYPE, Problem, ProblemBody
from ncdsurv.errors import NcdsurvError

_SHOWN_ROWS = 2
_FAILURES = {
    "401": "No valid API key.",
    "403": "The key may not read that.",
    "404": "Nothing there.",
    "406": "No such format.",
    "422": "A parameter or code is unknown or does not fit; `errors` names each, with the nearest known.",
    "503": "There is no release yet.",
}
_MEDIA: dict[str, tuple[str, ...]] = {
    "get_data": (JSON, CSV),
    "list_areas": (JSON, CSV),
    "get_quality": (JSON, CSV),
    "get_form": (JSON, CSV, XLSX),
    "get_map": (GEOJSON,),
}


async def describe(app: FastAPI, request: Request) -> dict[str, Any]:
    """The OpenAPI description; a caller with a key gets examples from the latest release.

    Args:
        app: The app.
        request: Its key decides which figures the examples may show; without one they show none.
    """
    schema = deepcopy(_base(app))
    try:
        caller = caller_of(request)
    except Problem:
        return schema
    await _add_examples(app, schema, caller, request)
    return schema


def _base(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_ABOUT,
            routes=app.routes,
        )
        parts = schema.setdefault("components", {}).setdefault("schemas", {})
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        parts |= problem.pop("$defs", {})
        parts["Problem"] = problem
        for name in ("HTTPValidationError", "ValidationError"):
            parts.pop(name, None)
        schema["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "description": "`ncds_<id>_<secret>`"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for path, item in schema["paths"].items():
            for operation in item.values():
                _complete(operation, under_key=path.startswith("/v1/"))
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(operation: dict[str, Any], under_key: bool) -> None:
    responses = operation["responses"]
    failures = _FAILURES if under_key else {"503": _FAILURES["503"]}
    for status, told in failures.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[status] = {"description": told, "content": content}
    if not under_key:
        responses.pop("422", None)
        return
    operation["security"] = [{"bearer": []}, {"header": []}]
    responses["304"] = {"description": "Nothing changed since the ETag in If-None-Match."}
    responses["200"]["headers"] = {
        name: {"schema": {"type": "string"}} for name in ("ETag", "Cache-Control", "NCDSurv-Release", "Link")
    }
    content = responses["200"]["content"]
    wanted = _MEDIA.get(operation["operationId"], (JSON,))
    body = content.pop(JSON)
    for media in wanted:
        typed = media in (JSON, GEOJSON)
        content[media] = body if typed else {"schema": {"type": "string"}}


async def _add_examples(app: FastAPI, schema: dict[str, Any], caller: Caller, request: Request) -> None:
    try:
        requests = example_requests(app.state.service, caller)
    except NcdsurvError:
        return  # no release yet: no real answer to show
    for (path, operation_id), (values, query) in requests.items():
        operation = schema["paths"][path]["get"]
        for parameter in operation.get("parameters", []):
            shown = values.get(parameter["name"], query.get(parameter["name"]))
            if shown is not None:
                parameter["example"] = [shown] if _is_list(parameter) else shown
        status, body = await _ask(app, path.format(**values), query, request)
        if status == 200:
            media = _MEDIA.get(operation_id, (JSON,))[0]
            operation["responses"]["200"]["content"][media]["example"] = _shortened(body)


def _is_list(parameter: dict[str, Any]) -> bool:
    return bool(parameter.get("schema", {}).get("type") == "array")


async def _ask(app: FastAPI, path: str, query: dict[str, str], request: Request) -> tuple[int, Any]:
    """One request to the app itself, with the caller's own key and nothing else of theirs."""
    kept = [pair for pair in request.scope["headers"] if pair[0] in (b"authorization", b"x-api-key")]
    scope = {
        **{name: request.scope[name] for name in ("type", "http_version", "scheme", "server", "client")},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(query).encode(),
        "headers": [*kept, (b"accept", b"*/*")],
        "app": app,
    }
    status, chunks = 500, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            chunks.extend(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Exception:  # the description is served even where one example cannot be
        return 500, None
    return status, json.loads(chunks) if status == 200 else None


def _shortened(body: Any) -> Any:
    """An answer with its long lists cut, so that the description stays readable."""
    if not isinstance(body, dict):
        return body
    return {
        name: part[:_SHOWN_ROWS] if name in ("data", "rows", "features") and isinstance(part, list) else part
        for name, part in body.items()
    }


_ABOUT = """\
Every figure comes from a *release*, a folder that never changes: name it (`release=`) and an answer can be
kept for ever; leave it out and the latest one answers. Area codes are text and mean nothing without their
`vintage` (2024: 63 provinces; 2025: 34). A null value has a `flag`; it is never 0 instead. An unknown
parameter or code is an error that names the nearest known one, never an empty answer.
"""
