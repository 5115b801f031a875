"""The API description: stable names, problems described, examples that are real answers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from starlette.testclient import TestClient

OPERATIONS = {
    "/healthz": "get_health",
    "/readyz": "get_readiness",
    "/v1/areas": "list_areas",
    "/v1/availability": "get_availability",
    "/v1/data": "get_data",
    "/v1/forms": "list_forms",
    "/v1/forms/{form_id}": "get_form",
    "/v1/indicators": "list_indicators",
    "/v1/indicators/{code}": "get_indicator",
    "/v1/maps/{level}": "get_map",
    "/v1/periods": "list_periods",
    "/v1/quality": "get_quality",
    "/v1/releases": "list_releases",
    "/v1/releases/{release_id}": "get_release",
    "/v1/trends": "get_trend",
}


@pytest.fixture(scope="module")
def description(client: TestClient) -> dict[str, object]:
    return client.get("/openapi.json").json()


def test_operations_keep_their_names(description: dict) -> None:
    assert {path: item["get"]["operationId"] for path, item in description["paths"].items()} == OPERATIONS
    assert all(list(item) == ["get"] for item in description["paths"].values())


def test_failures_are_problems_everywhere(description: dict) -> None:
    for path, item in description["paths"].items():
        for status, response in item["get"]["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (path, status)
    assert "HTTPValidationError" not in json.dumps(description)


def test_every_reference_resolves(description: dict) -> None:
    parts = description["components"]["schemas"]
    text = json.dumps(description)
    named = {piece.split('"')[0] for piece in text.split("#/components/schemas/")[1:]}
    assert named <= set(parts)


def test_operations_under_key_say_so(description: dict) -> None:
    for path, item in description["paths"].items():
        assert bool(item["get"].get("security")) == path.startswith("/v1/")


def test_examples_are_real_answers(client: TestClient, description: dict) -> None:
    without = []
    for path, item in description["paths"].items():
        operation = item["get"]
        places = {p["name"]: p["example"] for p in operation.get("parameters", []) if "example" in p}
        content = operation["responses"]["200"]["content"]
        example = next(iter(content.values())).get("example")
        if example is None:
            without.append(path)
            continue
        inside = {p["name"] for p in operation["parameters"] if p["in"] == "path"} if places else set()
        query = {name: value for name, value in places.items() if name not in inside}
        answer = client.get(path.format(**places), params=query)
        assert answer.status_code == 200, (path, answer.text)
        body = answer.json()
        for name in example:
            if name in ("data", "rows", "features"):
                assert example[name] == body[name][: len(example[name])]
            else:
                assert example[name] == body[name]
    assert set(without) <= {"/healthz", "/readyz", "/v1/trends"}, without


def test_the_card_is_described_and_its_example_is_a_real_one(client: TestClient, description: dict) -> None:
    wanted = {"definition", "rationale", "numerator", "denominator", "polarity", "unit", "method", "source"}
    wanted |= {"caveats", "version"}
    assert set(description["components"]["schemas"]["IndicatorCard"]["properties"]) == wanted
    shown = description["paths"]["/v1/indicators/{code}"]["get"]["responses"]["200"]["content"]
    example = shown["application/json"]["example"]
    assert set(example["card"]) == wanted
    assert example["card"]["numerator"]["vi"] != example["card"]["numerator"]["en"]
    assert example["card"] == client.get(f"/v1/indicators/{example['id']}").json()["card"]


def test_without_a_key_the_description_shows_no_figure(guarded: TestClient, key: str) -> None:
    open_one = guarded.get("/openapi.json")
    assert open_one.status_code == 200
    assert '"example"' not in open_one.text
    with_key = guarded.get("/openapi.json", headers={"x-api-key": key})
    assert '"example"' in with_key.text


def test_the_service_starts_without_plotting_or_modelling_libraries() -> None:
    code = (
        "import sys; from ncdsurv.api import create_app, serve; create_app(None, insecure_dev=True);"
        "heavy = {'pandas', 'geopandas', 'statsmodels', 'matplotlib', 'mapclassify', 'scipy', 'papermill'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
