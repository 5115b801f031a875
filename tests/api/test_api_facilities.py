"""Facilities and source systems over HTTP: given when asked for, and only those a key may see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from ncdsurv.api import create_app, create_key
from ncdsurv.api.reading import only_visible

if TYPE_CHECKING:
    from ncdsurv.registry import Store

ASKED = {"indicator": "under_care", "preset": "hearts", "vintage": "2025", "period": "2026-06"}


@pytest.fixture(scope="module")
def http(sample_store: Store) -> TestClient:
    return TestClient(create_app(sample_store.releases, insecure_dev=True))


def rows(http: TestClient, key: str | None = None, **asked: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    answer = http.get("/v1/data", params={**ASKED, **asked, "limit": "10000"}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_facilities_and_sources_are_given_when_asked_for_and_add_up_to_the_nation(http: TestClient) -> None:
    assert not {row["area_level"] for row in rows(http)} & {"facility", "source"}
    nation = {row["disease"]: row["value"] for row in rows(http, level="nation") if row["value"]}
    for level in ("facility", "source"):
        found = rows(http, level=level)
        assert {row["area_level"] for row in found} == {level}
        sums: dict[str, float] = {}
        for row in found:
            sums[row["disease"]] = sums.get(row["disease"], 0) + row["value"]
        assert {disease: value for disease, value in sums.items() if value} == nation
    both = {row["area_level"] for row in rows(http, level="nation,source")}
    assert both == {"nation", "source"}


def test_one_facility_is_asked_for_by_its_code_and_an_unknown_one_refused(http: TestClient) -> None:
    code = rows(http, level="facility")[0]["area_code"]
    assert {row["area_code"] for row in rows(http, level="facility", area=code)} == {code}
    wrong = http.get("/v1/data", params={**ASKED, "level": "facility", "area": "no such station"})
    assert wrong.status_code == 422
    assert "no such station" in wrong.text


def test_what_can_be_asked_of_facilities_is_listed(http: TestClient) -> None:
    listed = http.get("/v1/availability", params={"level": "facility"}).json()["data"]
    assert {row["period_kind"] for row in listed} == {"month"}
    assert {"under_care", "control_rate"} <= {row["indicator"] for row in listed}


def test_a_key_of_one_province_reads_the_facilities_that_lie_in_it(
    sample_store: Store, tmp_path: Path, http: TestClient
) -> None:
    release = sample_store.releases.latest()
    lies = release.quality().filter(pl.col("facility").is_not_null(), area_vintage="2025")
    chain = release.reference().parents("2025").select(area_code="commune", province="province")
    homes = lies.select("facility", "area_code").unique().join(chain, on="area_code")
    province = homes["province"].drop_nulls().sort()[0]
    mine = set(homes.filter(province=province)["facility"])
    keys = tmp_path / "keys.json"
    key = create_key("one province", keys=keys, areas=[f"2025:{province}"])
    guarded = TestClient(create_app(sample_store.releases, keys=keys))
    everything = {row["area_code"] for row in rows(http, level="facility")}
    seen = {row["area_code"] for row in rows(guarded, key, level="facility")}
    assert seen == everything & mine
    assert 0 < len(seen) < len(everything)
    hidden = guarded.get(
        "/v1/data", params={**ASKED, "level": "source"}, headers={"authorization": f"Bearer {key}"}
    )
    assert hidden.status_code == 404, "a source system reaches over all areas"


def test_a_facility_is_not_shown_for_having_the_code_of_an_area_one_may_see() -> None:
    values = pl.LazyFrame(
        {
            "area_vintage": ["2025"] * 3,
            "area_level": ["commune", "facility", "facility"],
            "area_code": ["00001", "00001", "A"],
        }
    )
    allowed = pl.DataFrame({"area_vintage": ["2025"], "area_code": ["00001"]})
    shown = only_visible(values, allowed, frozenset({"A"})).collect()
    assert shown.select("area_level", "area_code").rows() == [("commune", "00001"), ("facility", "A")]
