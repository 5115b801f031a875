"""Keys: seen once, kept as hashes, refused when wrong or old, and never wider than their claim."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ncdsurv.api import KeyFile, create_app, create_key
from ncdsurv.api.keys import READ_INDICATORS
from ncdsurv.api.server import prepare
from ncdsurv.errors import StoreError, UsageError
from tests.small_release import SmallStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PATHS = [
    "/v1/releases",
    "/v1/releases/latest",
    "/v1/indicators",
    "/v1/indicators/control_rate",
    "/v1/areas?level=province",
    "/v1/periods",
    "/v1/availability",
    "/v1/data?limit=1",
    "/v1/forms",
    "/v1/forms/tt23_2025?area=52&period=2026-06",
    "/v1/quality",
]
SERIES = "indicator=control_rate&disease=hypertension&preset=tt37"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_answered(guarded: TestClient, key: str, path: str) -> None:
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert guarded.get(path, headers=bearer(key)).status_code == 200
    assert guarded.get(path, headers={"x-api-key": key}).status_code == 200


def test_health_needs_no_key(guarded: TestClient) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200


def test_an_app_without_a_keys_file_refuses_everybody(store: SmallStore, key: str) -> None:
    client = TestClient(create_app(store))
    assert client.get("/v1/periods", headers=bearer(key)).status_code == 401


def test_wrong_keys_are_refused_alike(guarded: TestClient, key: str) -> None:
    head, key_id, secret = key.split("_")
    wrong = [
        f"{head}_{key_id}_{'A' * len(secret)}",
        f"{head}_{'0' * 12}_{secret}",
        f"{head}_{key_id}_{secret[:-1]}",
        key.upper(),
        "",
        "x" * 5000,
    ]
    details = {
        guarded.get("/v1/periods", headers={"x-api-key": token}).json()["detail"] for token in wrong if token
    }
    assert len(details) == 1
    assert all(guarded.get("/v1/periods", headers={"x-api-key": token}).status_code == 401 for token in wrong)
    assert guarded.get("/v1/periods", headers={"authorization": f"Basic {key}"}).status_code == 401


def test_only_a_hash_is_kept_in_a_file_of_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    key = create_key("WHO pilot team", keys=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text("utf-8")
    assert key not in text
    assert key.split("_")[2] not in text
    record = json.loads(text)["keys"][0]
    assert record["name"] == "WHO pilot team"
    assert len(record["sha256"]) == 64
    assert [item.name for item in path.parent.iterdir()] == ["keys.json"]


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_key("a", keys=path)
    path.chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        KeyFile(path).keys()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{", "utf-8")
    path.chmod(0o600)
    with pytest.raises(StoreError, match="damaged"):
        KeyFile(path).keys()


def test_a_key_expires(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = create_key("a", keys=path, days=30)
    keys = KeyFile(path)
    now = datetime.now(UTC)
    assert keys.find(key, now) is not None
    assert keys.find(key, now + timedelta(days=29, hours=23)) is not None
    assert keys.find(key, now + timedelta(days=30)) is None


def test_a_removed_key_stops_at_once(tmp_path: Path, store: SmallStore) -> None:
    path = tmp_path / "keys.json"
    first, second = create_key("a", keys=path), create_key("b", keys=path)
    client = TestClient(create_app(store, keys=path))
    assert client.get("/v1/periods", headers=bearer(first)).status_code == 200
    kept = [item for item in json.loads(path.read_text("utf-8"))["keys"] if item["name"] == "b"]
    path.write_text(json.dumps({"keys": kept}), "utf-8")
    assert client.get("/v1/periods", headers=bearer(first)).status_code == 401
    assert client.get("/v1/periods", headers=bearer(second)).status_code == 200


def test_a_key_without_the_forms_scope(guarded: TestClient, keys: Path) -> None:
    key = create_key("indicators only", keys=keys, scopes=[READ_INDICATORS])
    assert guarded.get("/v1/periods", headers=bearer(key)).status_code == 200
    answer = guarded.get("/v1/forms/tt23_2025?area=52&period=2026-06", headers=bearer(key))
    assert answer.status_code == 403
    assert "forms:read" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "a", "scopes": ["form:read"]}, "try forms:read"),
        ({"name": "a", "areas": ["79"]}, "needs its vintage"),
        ({"name": "a", "days": 0}, "at least a day"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(tmp_path: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        create_key(**options, keys=tmp_path / "keys.json")
    assert not (tmp_path / "keys.json").exists()


# --- a key of some areas ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pleiku(keys: Path) -> dict[str, str]:
    """Reads the old province of Gia Lai only, which is part of the new one."""
    return bearer(create_key("Gia Lai (before July 2025)", keys=keys, areas=["2024:64"]))


def test_rows_are_those_of_its_areas_and_the_nation(guarded: TestClient, pleiku: dict[str, str]) -> None:
    answer = guarded.get(f"/v1/data?{SERIES}&period=2026-06", headers=pleiku)
    seen = {(row["area_vintage"], row["area_code"]) for row in answer.json()["data"]}
    assert seen == {
        ("2024", "VN"),
        ("2025", "VN"),
        ("2024", "64"),
        ("2024", "622"),
        ("2024", "623"),
        ("2024", "23542"),
        ("2024", "23545"),
        ("2024", "23722"),
        ("2025", "23575"),
        ("2025", "23722"),
    }


def test_other_areas_are_refused_by_name(guarded: TestClient, pleiku: dict[str, str], key: str) -> None:
    for area, vintage in (("52", "2024"), ("52", "2025"), ("21553", "2025")):
        path = f"/v1/data?{SERIES}&area={area}&vintage={vintage}"
        assert guarded.get(path, headers=pleiku).status_code == 403
        assert guarded.get(path, headers=bearer(key)).status_code == 200


def test_trends_maps_forms_and_quality_are_filtered_too(guarded: TestClient, pleiku: dict[str, str]) -> None:
    trend = f"/v1/trends?{SERIES}&season=false"
    assert guarded.get(f"{trend}&area=64&vintage=2024", headers=pleiku).status_code == 200
    assert guarded.get(f"{trend}&area=52&vintage=2024", headers=pleiku).status_code == 403
    form = "/v1/forms/tt37_2019?period=2025-06"
    assert guarded.get(f"{form}&area=64", headers=pleiku).status_code == 200
    assert guarded.get(f"{form}&area=52", headers=pleiku).status_code == 403
    form = "/v1/forms/tt23_2025?period=2026-06"
    assert guarded.get(f"{form}&area=23575", headers=pleiku).status_code == 200
    assert guarded.get(f"{form}&area=52", headers=pleiku).status_code == 403
    rows = guarded.get("/v1/quality", headers=pleiku).json()["data"]
    assert {row["area_code"] for row in rows} == {"23575"}
    hidden = guarded.get(f"/v1/maps/region?{SERIES}&vintage=2025&period=2026-06", headers=pleiku)
    assert hidden.status_code == 404


def test_two_views_never_share_an_etag_or_a_cursor(
    guarded: TestClient, pleiku: dict[str, str], key: str
) -> None:
    path = f"/v1/data?{SERIES}&limit=2"
    mine, theirs = guarded.get(path, headers=pleiku), guarded.get(path, headers=bearer(key))
    assert mine.headers["etag"] != theirs.headers["etag"]
    cursor = theirs.json()["page"]["next"]
    assert guarded.get(f"{path}&cursor={cursor}", headers=pleiku).status_code == 422


# --- starting --------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path: Path, store: SmallStore) -> Path:
    (tmp_path / "releases").mkdir()
    for release in store.releases.values():
        (tmp_path / "releases" / release.id).symlink_to(release.folder)
    return tmp_path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "ncd.example.vn"])
def test_without_keys_only_this_machine_is_served(registry: Path, host: str) -> None:
    with pytest.raises(UsageError, match="this machine only"):
        prepare(registry, host, None, insecure_dev=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_insecure_dev_starts_on_loopback(registry: Path, host: str) -> None:
    app = prepare(registry, host, None, insecure_dev=True)
    for name in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        assert TestClient(app, base_url=f"http://{name}").get("/v1/periods").status_code == 200


def test_insecure_dev_answers_no_other_name(registry: Path) -> None:
    app = prepare(registry, "127.0.0.1", None, insecure_dev=True)
    assert TestClient(app, base_url="http://elsewhere.example").get("/v1/periods").status_code == 400


def test_the_service_does_not_start_without_a_key(registry: Path) -> None:
    with pytest.raises(StoreError, match="ncdsurv key create"):
        prepare(registry, "127.0.0.1", None, insecure_dev=False)
    key = create_key("a", store=registry)
    app = prepare(registry, "0.0.0.0", None, insecure_dev=False)
    assert TestClient(app).get("/v1/periods", headers=bearer(key)).status_code == 200


def test_the_service_does_not_start_without_a_release(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no release"):
        prepare(tmp_path, "127.0.0.1", None, insecure_dev=True)
