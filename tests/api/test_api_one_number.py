"""One number everywhere: the values file, the HTTP answer and the statutory form of the sample registry agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from ncdsurv.api import create_app
from ncdsurv.catalog import load_catalog

if TYPE_CHECKING:
    from ncdsurv.registry import Store

AS_OF = "2026-06"
HYPERTENSION, CONTROL = "hypertension", "control_rate"


@pytest.fixture(scope="module")
def http(sample_store: Store) -> TestClient:
    return TestClient(create_app(sample_store.releases, insecure_dev=True))


@pytest.mark.parametrize("preset", list(load_catalog().presets))
def test_pilot_provinces_have_the_rate_of_the_values_file(
    http: TestClient, sample_store: Store, preset: str
) -> None:
    release = sample_store.releases.latest()
    for code in release.reference().pilot_provinces()["code"]:
        query = {"indicator": CONTROL, "disease": HYPERTENSION, "preset": preset, "period": AS_OF}
        rows = http.get("/v1/data", params={**query, "area": code, "vintage": "2024"}).json()["data"]
        expected = release.values(
            CONTROL, disease=HYPERTENSION, preset=preset, period=AS_OF, area=code, vintage="2024"
        )
        assert [(row["numerator"], row["denominator"], row["value"]) for row in rows] == expected.select(
            "numerator", "denominator", "value"
        ).rows()
        assert len(rows) == 1


def test_the_form_holds_the_rate_of_its_preset(http: TestClient, sample_store: Store) -> None:
    form_id, form = next(
        (form_id, form) for form_id, form in load_catalog().forms.items() if form.vintage == "2025"
    )
    block = next(block.id for block in form.blocks if block.counted_as == HYPERTENSION)
    for code in sample_store.releases.latest().reference().pilot_provinces()["code_2025"]:
        filled = http.get(f"/v1/forms/{form_id}", params={"area": code, "period": AS_OF}).json()
        cells = {c["measure"]: c["value"] for c in filled["rows"][0]["cells"] if c["disease"] == block}
        query = {"indicator": CONTROL, "disease": HYPERTENSION, "preset": form.preset, "period": AS_OF}
        value = http.get("/v1/data", params={**query, "area": code, "vintage": "2025"}).json()["data"][0]
        assert (cells["at_target"], cells["managed"]) == (value["numerator"], value["denominator"])
        assert filled["findings"] == []


def test_every_example_of_the_description_is_answered(http: TestClient) -> None:
    description = http.get("/openapi.json").json()
    for path, item in description["paths"].items():
        response = item["get"]["responses"]["200"]
        if path.startswith("/v1/"):
            assert any("example" in content for content in response["content"].values()), path
