"""Requests made up from the API description: no failure of the server, no answer outside its own description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ncdsurv.api import create_app, create_key
from tests.small_release import SmallStore, write_release

schemathesis = pytest.importorskip("schemathesis", reason="generated requests need schemathesis")

PATHS = [
    "/healthz",
    "/readyz",
    "/v1/areas",
    "/v1/availability",
    "/v1/data",
    "/v1/forms",
    "/v1/forms/{form_id}",
    "/v1/indicators",
    "/v1/indicators/{code}",
    "/v1/maps/{level}",
    "/v1/periods",
    "/v1/quality",
    "/v1/releases",
    "/v1/releases/{release_id}",
    "/v1/trends",
]
# The key is sent with every request, so whether a missing one is refused is tested elsewhere; a code that the
# description calls a text and the release does not hold is refused on purpose.
LEFT_OUT = ("ignored_auth", "positive_data_acceptance")


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, str]]:
    """The description of a service, and the headers that open it."""
    folder: Path = tmp_path_factory.mktemp("generated")
    key = create_key("generator", keys=folder / "keys.json")
    app = create_app(SmallStore(write_release(folder)), keys=folder / "keys.json")
    headers = {"x-api-key": key}
    return schemathesis.openapi.from_asgi("/openapi.json", app, headers=headers), headers


def test_every_described_path_is_walked(access: tuple[Any, dict[str, str]]) -> None:
    assert sorted(access[0]) == PATHS


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_keeps_to_the_description(access: tuple[Any, dict[str, str]], path: str) -> None:
    schema, headers = access
    left_out = [schemathesis.checks.CHECKS.get_one(name) for name in LEFT_OUT]

    @given(case=schema[path]["GET"].as_strategy())
    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def walk(case: Any) -> None:
        case.call_and_validate(headers=headers, excluded_checks=left_out)

    walk()
