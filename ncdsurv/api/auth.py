"""Who asks, and what they may see. The row filter is applied where rows are read, not in the routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from ncdsurv.api.keys import SCOPES, Key, KeyFile
from ncdsurv.api.problems import Problem
from ncdsurv.catalog.vocabulary import NATION, Level, Vintage

if TYPE_CHECKING:
    import polars as pl

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ncdsurv"'}


@dataclass(frozen=True)
class Caller:
    """Who asks: name, scopes, and the areas that may be read (None: all)."""

    name: str
    scopes: tuple[str, ...]
    areas: tuple[str, ...] | None = None

    @property
    def view(self) -> str:
        """What this caller sees, for ETags and cursors: callers of one view get equal answers."""
        return "all" if self.areas is None else ",".join(sorted(self.areas))


ANYBODY = Caller("insecure-dev", SCOPES)


def caller_of(request: Request) -> Caller:
    """The caller by `Authorization: Bearer KEY` or `X-API-Key: KEY`.

    Raises:
        Problem: 401 without a valid key. Nothing is said about why a key is not valid.
    """
    service = request.app.state.service
    if service.insecure_dev:
        return ANYBODY
    token = _token(request)
    key = None
    if token is not None and service.keys is not None:
        key = service.keys.find(token, datetime.now(UTC))
    if key is None:
        told = "send a key as `Authorization: Bearer ncds_...` or `X-API-Key: ncds_...`"
        detail = told if token is None else f"the key is not known or has expired; {told}"
        raise Problem(401, detail, headers=_CHALLENGE)
    return _caller(key)


def _caller(key: Key) -> Caller:
    return Caller(key.name, key.scopes, key.areas)


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key")


def require(scope: str) -> Callable[[Request], Caller]:
    """A dependency: the caller, who must hold a scope.

    Raises:
        Problem: 401 without a valid key, 403 without the scope.
    """

    def allowed(request: Request) -> Caller:
        caller = caller_of(request)
        if scope not in caller.scopes:
            raise Problem(403, f"this key does not hold the scope {scope}")
        return caller

    return allowed


def visible_areas(claims: Iterable[str], reference: Any) -> pl.DataFrame:
    """Areas that claims (`vintage:code`) let a caller read: [area_vintage, area_code].

    An area is visible when all its land lies in the claimed areas, in whichever vintage they were given;
    the nation is visible to everybody.
    """
    import polars as pl

    homes = {vintage.value: _homes(reference, vintage.value) for vintage in Vintage}
    mine: set[int] = set()
    for claim in claims:
        vintage, _, code = claim.partition(":")
        inside = homes[vintage].filter(pl.col("area_code") == code)
        mine.update(inside["atom"].to_list())
    parts = [
        home.group_by("area_code")
        .agg(seen=pl.col("atom").is_in(list(mine)).all())
        .filter(pl.col("seen") | (pl.col("area_code") == NATION))
        .select(area_vintage=pl.lit(vintage), area_code="area_code")
        for vintage, home in homes.items()
    ]
    return pl.concat(parts).unique().sort("area_vintage", "area_code")


def _homes(reference: Any, vintage: str) -> pl.DataFrame:
    """Every area that each atom lies in: [atom, area_code]."""
    column = f"commune_{vintage}"
    joined = reference.atoms.select("atom", commune=column).join(reference.parents(vintage), on="commune")
    levels = [level.value for level in Level if level.value in joined.columns]
    long = joined.unpivot(levels, index="atom", value_name="area_code").drop_nulls("area_code")
    return long.select("atom", "area_code")


def find_keys(keys: KeyFile | str | Any) -> KeyFile | None:
    """A keys file from a path or as it is; None stays None."""
    if keys is None or isinstance(keys, KeyFile):
        return keys
    return KeyFile(keys)
