"""One number everywhere: the report, the statutory form, the values file and the HTTP answer say the same.

For every pilot province and preset, the control rate of hypertension in the last month of the samples.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.reference import load_reference
from tests.conftest import AS_OF

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from ncdsurv.registry import Store
    from ncdsurv.store import Release

CATALOG = load_catalog()
PILOTS = load_reference().pilot_provinces().sort("code").select("code", "code_2025").rows()
QUESTION = {"indicator": "control_rate", "disease": "hypertension", "level": "province", "period": AS_OF}


@pytest.fixture(scope="module")
def client(sample_store: Store) -> TestClient:
    from starlette.testclient import TestClient

    from ncdsurv.api import create_app

    return TestClient(create_app(sample_store.releases, insecure_dev=True))


@pytest.fixture(scope="module")
def reports(sample_reports: Path) -> list[dict[str, Any]]:
    """What the province reports of the pilot provinces say, one mapping of named figures for each."""
    pages = (sample_reports / "reports").rglob("province_report.*.json")
    whole = [path for path in pages if path.with_suffix(".html").is_file()]
    return [json.loads(path.read_text(encoding="utf-8")) for path in whole]


def _value(release: Release, preset: str, area: str, vintage: str) -> dict[str, Any]:
    found = release.values(preset=preset, vintage=vintage, area=area, **QUESTION)
    assert found.height == 1
    return found.row(0, named=True)


@pytest.mark.parametrize("preset", list(CATALOG.presets))
@pytest.mark.parametrize("province", PILOTS, ids=lambda pair: "-".join(pair))
def test_values_http_json_and_csv_are_equal(
    sample_release: Release, client: TestClient, province: tuple[str, str], preset: str
) -> None:
    for area, vintage in zip(province, ("2024", "2025")):
        value = _value(sample_release, preset, area, vintage)
        assert value["denominator"] > 0
        query = {**QUESTION, "preset": preset, "area": area, "vintage": vintage}
        row = client.get("/v1/data", params=query).json()["data"][0]
        for column in ("numerator", "denominator", "value", "lower", "upper"):
            assert row[column] == value[column]
        text = client.get("/v1/data", params={**query, "format": "csv"}).text
        line = next(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
        assert float(line["value"]) == value["value"]
        assert line["area_code"] == area


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_the_reports_say_the_same(
    sample_release: Release, reports: list[dict[str, Any]], preset: str
) -> None:
    assert len(reports) == len(PILOTS)
    reported = set()
    for said in reports:
        rate = said[f"control_{QUESTION['disease']}_{preset}"]
        value = _value(sample_release, preset, rate["area_code"], rate["area_vintage"])
        for column in ("numerator", "denominator", "value", "lower", "upper", "period"):
            assert rate[column] == value[column]
        reported.add(rate["area_code"])
    assert reported in ({old for old, _ in PILOTS}, {new for _, new in PILOTS})


@pytest.mark.parametrize("province", PILOTS, ids=lambda pair: "-".join(pair))
def test_the_form_says_the_same_under_its_own_preset(
    sample_release: Release, client: TestClient, province: tuple[str, str]
) -> None:
    from ncdsurv.forms import fill_form

    definition = max(CATALOG.forms.values(), key=lambda form: form.valid_from)
    area, vintage = province[1], str(definition.vintage)
    form = fill_form(definition.id, area=area, period=AS_OF, release=sample_release)
    figures = form.data.filter(disease=QUESTION["disease"], unit_code=area)
    managed, at_target = (figures.filter(measure=name)["value"].item(0) for name in ("managed", "at_target"))
    value = _value(sample_release, definition.preset, area, vintage)
    assert (at_target, managed) == (value["numerator"], value["denominator"])
    answer = client.get(f"/v1/forms/{definition.id}", params={"area": area, "period": AS_OF})
    assert answer.status_code == 200
    assert f'"value":{managed}' in answer.text.replace(" ", "")
