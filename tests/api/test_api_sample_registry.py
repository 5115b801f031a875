"""The service over the sample registry: every example of its description is a real answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from ncdsurv.api import create_app
from ncdsurv.catalog import load_catalog

if TYPE_CHECKING:
    from ncdsurv.registry import Store


@pytest.fixture(scope="module")
def http(sample_store: Store) -> TestClient:
    return TestClient(create_app(sample_store.releases, insecure_dev=True))


def test_every_resource_shows_an_example(http: TestClient) -> None:
    description = http.get("/openapi.json").json()
    for path, item in description["paths"].items():
        response = item["get"]["responses"]["200"]
        if path.startswith("/v1/"):
            assert any("example" in content for content in response["content"].values()), path


def test_forms_of_the_pilot_provinces_keep_their_checks(http: TestClient, sample_store: Store) -> None:
    reference = sample_store.releases.latest().reference()
    for form in load_catalog().forms.values():
        pilots = reference.pilot_provinces()["code" if form.vintage == "2024" else "code_2025"]
        period = min(form.valid_to, "2026-06")
        for code in pilots:
            answer = http.get(f"/v1/forms/{form.id}", params={"area": code, "period": period})
            assert answer.status_code == 200, answer.text
            assert answer.json()["findings"] == []
