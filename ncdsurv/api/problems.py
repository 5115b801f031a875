"""Answers to what cannot be answered: problem+json (RFC 9457), each fault with its parameter and a way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ncdsurv.errors import NcdsurvError, StoreError, nearest

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

MEDIA_TYPE = "application/problem+json"
_URN = "urn:ncdsurv:problem:"
_TITLES = {
    400: "Bad request",
    401: "A valid API key is needed",
    403: "This key may not read that",
    404: "Not found",
    405: "Method not allowed",
    406: "No such format",
    422: "The request names something that does not exist or does not fit",
    500: "The service failed",
    503: "The service is not ready",
}
_SLUGS = {
    401: "key-needed",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    406: "no-such-format",
    422: "invalid-request",
    500: "failure",
    503: "not-ready",
}
SHOWN = 20  # allowed names told before the list is cut


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    parameter: str | None = Field(
        default=None, description="Query or path parameter; null for the request as a whole."
    )
    detail: str
    got: str | None = None
    nearest: str | None = Field(default=None, description="The known name most like what was given.")
    allowed: list[str] | None = Field(default=None, description="What is allowed, cut after the first 20.")


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []


class Problem(Exception):
    """Raised by handlers; becomes a problem+json answer.

    Args:
        status: HTTP status.
        detail: What is wrong and what to do.
        errors: Every fault, not the first only.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = (
            status,
            detail,
            list(errors),
            dict(headers or {}),
        )


def unknown_code(parameter: str, got: str, known: Iterable[str]) -> Fault:
    """The fault of a name that is not known, with the nearest one."""
    names = sorted(known)
    kind = parameter.replace("_", " ")
    like = [name for name in names if len(name) == len(got)] if got.isdigit() else names
    return Fault(
        parameter=parameter,
        detail=f"unknown {kind}" + (f" ({len(names)} are known)" if len(names) > SHOWN else ""),
        got=got,
        nearest=nearest(got, like or names),
        allowed=names[:SHOWN],
    )


def unprocessable(errors: Sequence[Fault]) -> Problem:
    """The 422 of one or more faults."""
    told = "; ".join(_in_words(fault) for fault in errors)
    return Problem(422, told, errors)


def _in_words(fault: Fault) -> str:
    head = f"{fault.parameter}: {fault.detail}" if fault.parameter else fault.detail
    got = f", got {fault.got}" if fault.got is not None else ""
    return head + got + (f", nearest is {fault.nearest}" if fault.nearest else "")


def answer(request: Request, problem: Problem) -> Response:
    """The problem+json response of a problem."""
    import orjson

    body = ProblemBody(
        type=_URN + _SLUGS.get(problem.status, "other"),
        title=_TITLES.get(problem.status, "Problem"),
        status=problem.status,
        detail=problem.detail,
        instance=request.url.path,
        errors=problem.errors,
    )
    content = orjson.dumps(body.model_dump(exclude_none=True))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def of_validation(error: RequestValidationError, names: Sequence[str]) -> Problem:
    """FastAPI's own complaints, in our words; an unknown parameter gets its nearest known name."""
    faults = []
    for item in error.errors():
        place = [str(step) for step in item["loc"]]
        # ("query", name) or ("query", name, index of a list)
        parameter = place[1] if len(place) > 1 else None
        if item["type"] == "extra_forbidden" and parameter is not None:
            faults.append(
                Fault(
                    parameter=parameter,
                    detail="unknown parameter",
                    nearest=nearest(parameter, names),
                    allowed=sorted(names),
                )
            )
            continue
        got = item.get("input")
        shown = str(got)[:80] if isinstance(got, str | int | float) else None
        faults.append(Fault(parameter=parameter, detail=str(item["msg"]), got=shown))
    return unprocessable(faults)


def of_error(error: NcdsurvError, parameter: str | None = None) -> Problem:
    """An error of ours as a problem: a store that is not ready is 503, everything else is the request's fault."""
    if isinstance(error, StoreError):
        return Problem(503, str(error), headers={"Retry-After": "60"})
    got = None if error.got is None else str(error.got)
    detail = error.what + (f"; {error.do}" if error.do else "")
    allowed = None if error.allowed is None else [str(error.allowed)]
    return unprocessable([Fault(parameter=parameter, detail=detail, got=got, allowed=allowed)])


def add_handlers(app: FastAPI) -> None:
    """Answer every failure with problem+json; an unexpected one without a word about its inside."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(NcdsurvError)
    def _ours(request: Request, error: NcdsurvError) -> Response:
        given = dict(request.query_params)
        blamed = next((name for name, value in given.items() if value == str(error.got)), None)
        return answer(request, of_error(error, blamed))

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> Response:
        return answer(request, of_validation(error, _parameters(request.scope.get("route"))))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        near = None
        if error.status_code == 404:
            near = nearest(request.url.path, app.state.paths)
        detail = str(error.detail) + (f"; nearest path is {near}" if near else "")
        return answer(request, Problem(error.status_code, detail, headers=dict(error.headers or {})))

    @app.exception_handler(Exception)
    def _failure(request: Request, _: Exception) -> Response:
        return answer(request, Problem(500, "an unexpected failure; it was logged"))


def _parameters(route: APIRoute | Any) -> list[str]:
    """Names of the query parameters that a route takes."""
    names: list[str] = []
    for field in getattr(getattr(route, "dependant", None), "query_params", []):
        model = field.field_info.annotation
        own = getattr(model, "model_fields", None)
        names += [info.alias or name for name, info in own.items()] if own else [field.alias]
    return names
