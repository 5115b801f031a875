"""What does not exist or does not fit is a problem that says so: never an empty success, never a traceback."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ncdsurv.api import create_app
from ncdsurv.api.problems import ProblemBody
from ncdsurv.errors import StoreError

SERIES = "indicator=control_rate&disease=hypertension&preset=tt37"
FORM = "/v1/forms/tt23_2025"


@pytest.mark.parametrize(
    ("path", "status", "parameter", "near"),
    [
        ("/v1/data?indicatr=control_rate", 422, "indicatr", "indicator"),
        ("/v1/data?indicator=control_rat", 422, "indicator", "control_rate"),
        ("/v1/data?disease=hypertention", 422, "disease", "hypertension"),
        ("/v1/data?preset=heart", 422, "preset", "hearts"),
        ("/v1/data?level=provinces", 422, "level", "province"),
        ("/v1/data?period=2026-13", 422, "period", "2026-03"),
        ("/v1/data?period=2031-01", 422, "period", None),
        ("/v1/data?sex=man", 422, "sex", None),
        ("/v1/data?age_band=18%2B", 422, "age_band", None),
        ("/v1/data?standardisation=crud", 422, "standardisation", "crude"),
        ("/v1/data?area=52", 422, "vintage", None),
        ("/v1/data?area=53&vintage=2025", 422, "area", "52"),
        ("/v1/data?area=64&vintage=2025", 422, "area", None),
        ("/v1/data?vintage=2026", 422, "vintage", None),
        ("/v1/data?from=June", 422, "from", None),
        ("/v1/data?from=2030-01", 422, "from", None),
        ("/v1/data?limit=0", 422, "limit", None),
        ("/v1/data?limit=10001", 422, "limit", None),
        ("/v1/data?limit=many", 422, "limit", None),
        ("/v1/data?cursor=zzz", 422, "cursor", None),
        ("/v1/data?format=xlsx", 422, "format", None),
        ("/v1/data?format=xml", 422, "format", None),
        ("/v1/data?release=2026-06-smal", 422, "release", "2026-06-small"),
        ("/v1/releases/2026-06-smal", 404, "release_id", "2026-06-small"),
        ("/v1/releases?page=2", 422, "page", None),
        ("/v1/indicators/control_rat", 404, "code", "control_rate"),
        ("/v1/indicators?lang=vi", 422, "lang", None),
        ("/v1/areas?level=provnce", 422, "level", "province"),
        ("/v1/areas?parent=52", 422, "vintage", None),
        ("/v1/areas?parent=53&vintage=2025", 422, "parent", "52"),
        ("/v1/availability?indicator=x", 422, "indicator", None),
        ("/v1/trends?indicator=control_rate", 422, "disease", None),
        (f"/v1/trends?{SERIES}&area=53&vintage=2025", 422, "area", "52"),
        (f"/v1/maps/provinces?{SERIES}&vintage=2025&period=2026-06", 404, "level", "province"),
        (f"/v1/maps/province?{SERIES}&vintage=2025&period=2026-07", 422, "period", None),
        ("/v1/forms/tt23?area=52&period=2026-06", 404, "form_id", "tt23_2025"),
        (f"{FORM}?area=53&period=2026-06", 422, "area", None),
        (f"{FORM}?area=52&period=2025-06", 422, "period", None),
        (f"{FORM}?area=52&period=2026-6", 422, "period", None),
        (f"{FORM}?area=52", 422, "period", None),
        (f"{FORM}?area=52&period=2026-06&lang=fr", 422, "lang", None),
        ("/v1/quality?metric=x", 422, "metric", None),
        ("/v1/quality?area=52", 422, "vintage", None),
    ],
)
def test_a_wrong_request_is_told(
    client: TestClient, path: str, status: int, parameter: str, near: str | None
) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = ProblemBody.model_validate(answer.json())
    assert problem.status == status
    fault = next((item for item in problem.errors if item.parameter == parameter), None)
    assert fault is not None, answer.text
    if near is not None:
        assert fault.nearest == near


def test_every_unknown_code_is_told_at_once(client: TestClient) -> None:
    answer = client.get("/v1/data?indicator=x,control_rate,y&disease=z&area=99&vintage=2025")
    assert [fault["got"] for fault in answer.json()["errors"]] == ["x", "y", "z", "99"]


def test_a_form_outside_its_validity_names_the_right_one(client: TestClient) -> None:
    answer = client.get(f"{FORM}?area=52&period=2025-06").json()
    assert "use form tt37_2019" in answer["detail"]
    answer = client.get("/v1/forms/tt37_2019?area=64&period=2026-06").json()
    assert "use form tt23_2025" in answer["detail"]


def test_known_codes_without_values_are_no_empty_success(client: TestClient) -> None:
    answer = client.get("/v1/data?level=district&vintage=2025")
    assert answer.status_code == 404
    assert "/v1/availability" in answer.json()["detail"]
    assert client.get("/v1/availability?level=district&vintage=2025").status_code == 404
    assert client.get("/v1/areas?level=district&vintage=2025").status_code == 404


@pytest.mark.parametrize("path", ["/v1/map", "/nothing", "/docs", "/redoc", "/v1/data/"])
def test_an_unknown_path(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_nearest_path_is_told(client: TestClient) -> None:
    assert "/v1/indicators" in client.get("/v1/indicator").json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(client: TestClient, method: str) -> None:
    answer = client.request(method, "/v1/data")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "GET"


def test_a_format_nobody_has(client: TestClient) -> None:
    answer = client.get("/v1/data", headers={"accept": "application/xml"})
    assert answer.status_code == 406
    assert client.get("/v1/data?limit=1", headers={"accept": "text/html,*/*;q=0.5"}).status_code == 200


class NoReleases:
    def ids(self) -> list[str]:
        return []

    def list(self) -> list[dict[str, str]]:
        return []

    def latest(self) -> None:
        raise StoreError("the registry has no release", do="build one")

    open = latest


def test_without_a_release_the_service_is_not_ready() -> None:
    client = TestClient(create_app(NoReleases(), insecure_dev=True))
    assert client.get("/healthz").status_code == 200
    for path in ("/readyz", "/v1/data", "/v1/releases"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert client.get("/openapi.json").status_code == 200


class Broken(NoReleases):
    def latest(self) -> None:
        raise RuntimeError("secret inside")

    open = latest


def test_an_unexpected_failure_says_nothing_of_its_inside() -> None:
    client = TestClient(create_app(Broken(), insecure_dev=True), raise_server_exceptions=False)
    answer = client.get("/v1/periods")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
