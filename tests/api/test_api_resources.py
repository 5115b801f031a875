"""Each resource answers with what its model says, from the release and nothing else."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from pydantic import BaseModel
from starlette.testclient import TestClient

from ncdsurv.api import models, models_reports
from ncdsurv.api.cards import card_of
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.cards import card as printed_card
from ncdsurv.catalog.cards import words
from tests.small_release import SILENT_COMMUNE, SmallStore

CATALOG = load_catalog()
SERIES = "indicator=control_rate&disease=hypertension&preset=tt37"


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/healthz", models_reports.Health),
        ("/readyz", models_reports.Health),
        ("/v1/releases", models.ReleaseList),
        ("/v1/releases/2026-05-small", models.ReleaseDetail),
        ("/v1/releases/latest", models.ReleaseDetail),
        ("/v1/indicators", models.IndicatorList),
        ("/v1/indicators/control_rate", models.IndicatorDetail),
        ("/v1/areas?level=province,commune&vintage=2025", models.AreaList),
        ("/v1/areas?parent=52&vintage=2025", models.AreaList),
        ("/v1/periods", models.PeriodList),
        ("/v1/availability?level=province", models.AvailabilityList),
        (f"/v1/data?{SERIES}&area=52&vintage=2025", models.ValueList),
        (f"/v1/trends?{SERIES}&area=52&vintage=2025&season=false", models_reports.TrendAnswer),
        ("/v1/forms", models_reports.FormList),
        ("/v1/forms/tt23_2025?area=52&period=2026-06", models_reports.FormAnswer),
        ("/v1/quality", models_reports.QualityList),
    ],
)
def test_every_resource_answers_in_its_own_shape(
    client: TestClient, path: str, model: type[BaseModel]
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    model.model_validate_json(answer.content, strict=True, extra="forbid")


def test_an_indicator_shows_its_card_in_both_languages(client: TestClient) -> None:
    card = client.get("/v1/indicators/detection_gap").json()["card"]
    defined = CATALOG.indicators["detection_gap"]
    both = {"definition": defined.definition, "rationale": defined.rationale}
    both |= {"numerator": defined.counts, "denominator": defined.among}
    assert {name: card[name] for name in both} == {
        name: {"vi": text.vi, "en": text.en} for name, text in both.items()
    }
    assert card["polarity"] == {"vi": "càng thấp càng tốt", "en": "lower is better"}
    assert card["unit"] == {"vi": "%", "en": "%"}
    assert card["method"] == {
        "vi": "số cuối kỳ (tháng cuối của kỳ); khoảng tin cậy Wilson 95%",
        "en": "stock, as of the period's last month; 95% interval by Wilson",
    }
    assert card["source"] == {
        "vi": f"{defined.source.vi} (chưa đối chiếu)",
        "en": f"{defined.source.en} (unverified)",
    }
    assert [text["vi"] for text in card["caveats"]] == [text.vi for text in defined.caveats]
    assert card["version"] == defined.version


def test_the_card_over_http_says_what_the_printed_card_says(client: TestClient) -> None:
    for item in client.get("/v1/indicators").json()["data"]:
        for lang in ("vi", "en"):
            say, printed = words(lang), printed_card(CATALOG.indicators[item["id"]], CATALOG, lang)
            for name in ("definition", "rationale", "polarity", "unit", "method", "source"):
                assert item["card"][name][lang] == printed[say[name]]
            counted = say["counts"] if item["card"]["denominator"] else say["number"]
            assert item["card"]["numerator"][lang] == printed[counted]
            assert (item["card"]["denominator"] or {}).get(lang) == printed.get(say["among"])
            assert " ".join(f"{text[lang]}." for text in item["card"]["caveats"]) == printed[say["caveats"]]
            assert str(item["card"]["version"]) == printed[say["version"]]


def test_what_rests_on_a_survey_says_which_and_that_it_is_unverified(client: TestClient) -> None:
    used = client.get("/v1/indicators/detection_rate").json()["prevalence_data"]
    assert used == client.get("/v1/indicators/estimated_cases").json()["prevalence_data"]
    assert (used["hypertension"]["percent"], used["hypertension"]["verified"]) == (26.2, False)
    assert set(used) == {name for name in CATALOG.diseases if CATALOG.default_prevalence(name)}
    assert client.get("/v1/indicators/control_rate").json()["prevalence_data"] == {}


def test_a_release_of_an_older_package_shows_what_it_holds() -> None:
    catalog = CATALOG.model_dump(mode="json")
    older = {
        name: part
        for name, part in catalog["indicators"]["control_rate"].items()
        if name not in ("rationale", "counts", "among", "caveats", "version")
    }
    card = card_of({**older, "polarity": "unheard_of"}, catalog)
    assert card["definition"] == older["definition"]
    assert card["unit"] == {"vi": "%", "en": "%"}
    assert card["caveats"] == []
    nothing = ("rationale", "numerator", "denominator", "polarity", "method", "source", "version")
    assert [card[name] for name in nothing] == [None] * len(nothing)


def test_values_are_those_of_the_release(client: TestClient, store: SmallStore) -> None:
    rows = client.get(f"/v1/data?{SERIES}&area=52&vintage=2025").json()["data"]
    expected = store.latest().values(
        "control_rate", disease="hypertension", preset="tt37", area="52", vintage="2025"
    )
    assert [row["value"] for row in rows] == expected["value"].to_list()
    assert [row["period"] for row in rows] == expected["period"].to_list()
    assert {row["area_name"] for row in rows} == {"Gia Lai"}


def test_the_newest_release_answers_when_none_is_named(client: TestClient) -> None:
    assert client.get("/v1/periods").json()["release"] == "2026-06-small"
    assert client.get("/v1/periods?release=latest").json()["release"] == "2026-06-small"
    assert client.get("/v1/periods?release=2026-05-small").json()["release"] == "2026-05-small"
    assert [r["id"] for r in client.get("/v1/releases").json()["data"]] == ["2026-06-small", "2026-05-small"]


def test_an_empty_denominator_is_null_with_a_flag(client: TestClient) -> None:
    rows = client.get(f"/v1/data?area={SILENT_COMMUNE}&vintage=2025&indicator=control_rate").json()["data"]
    assert [(row["value"], row["flag"]) for row in rows] == [(None, "no_denominator")]
    text = client.get(f"/v1/data?area={SILENT_COMMUNE}&vintage=2025&indicator=control_rate&format=csv").text
    row = next(csv.DictReader(io.StringIO(text)))
    assert (row["value"], row["numerator"], row["flag"]) == ("", "0.0", "no_denominator")


def test_the_same_code_is_two_provinces(client: TestClient) -> None:
    names = {
        vintage: client.get(f"/v1/data?{SERIES}&area=52&vintage={vintage}&period=2026-06").json()["data"]
        for vintage in ("2024", "2025")
    }
    assert names["2024"][0]["area_name"] == "Bình Định"
    assert names["2025"][0]["area_name"] == "Gia Lai"
    assert names["2024"][0]["denominator"] < names["2025"][0]["denominator"]


def test_lists_may_be_repeated_or_separated_by_commas(client: TestClient) -> None:
    one = client.get("/v1/data?disease=copd,asthma&level=nation&period=2026-06&vintage=2025")
    two = client.get("/v1/data?disease=copd&disease=asthma&level=nation&period=2026-06&vintage=2025")
    assert one.json()["data"] == two.json()["data"]
    assert {row["disease"] for row in one.json()["data"]} == {"copd", "asthma"}


def test_months_between(client: TestClient) -> None:
    rows = client.get(f"/v1/data?{SERIES}&area=52&vintage=2025&from=2025-Q4&to=2026-02").json()["data"]
    assert [row["period"] for row in rows] == ["2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]


@pytest.mark.parametrize("ask", [{"params": {"format": "csv"}}, {"headers": {"accept": "text/csv"}}])
def test_csv_has_the_rows_of_json(client: TestClient, ask: dict[str, dict[str, str]]) -> None:
    path = "/v1/data"
    filters = {"indicator": "control_rate", "level": "province", "period": "2026-06", "preset": "tt37"}
    answer = client.get(path, params={**filters, **ask.get("params", {})}, headers=ask.get("headers"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = client.get(path, params=filters).json()["data"]
    read = pl.read_csv(answer.content, schema_overrides={"area_code": pl.String, "area_vintage": pl.String})
    assert read.drop("release").to_dicts() == [
        {name: value for name, value in row.items() if name != "release"} for row in rows
    ]


def test_a_trend_says_how_sure_it_is(client: TestClient) -> None:
    answer = client.get(f"/v1/trends?{SERIES}&area=52&vintage=2025&season=false&lang=en").json()
    assert answer["lower"] <= answer["annual_change_percent"] <= answer["upper"]
    assert answer["months"] == len(answer["data"]) == 18
    assert answer["explanation"]
    # The family of counts is chosen by a test, and the answer says which, how and with what result.
    assert answer["family"] == "quasi_poisson"
    assert answer["test"]["name"] == "cameron_trivedi"
    assert answer["test"]["reason"] == "test_linear"
    assert 0.05 < answer["test"]["p_value"] <= 1
    assert answer["dispersion"] > 0
    assert answer["window_months"] == 1


def test_a_map_has_a_feature_for_each_area(client: TestClient) -> None:
    answer = client.get(f"/v1/maps/province?{SERIES}&vintage=2025&period=2026-06")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    models_reports.FeatureCollection.model_validate(answer.json())


def test_a_map_may_stay_inside_an_area(client: TestClient) -> None:
    path = f"/v1/maps/commune?{SERIES}&vintage=2024&period=2026-06"
    inside = client.get(f"{path}&within=622").json()["features"]
    assert {feature["properties"]["area_code"] for feature in inside} == {"23542", "23545"}
    answer = client.get(f"{path}&within=621")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["nearest"] in ("622", "623")


def test_the_form_over_http_is_the_form(client: TestClient, store: SmallStore) -> None:
    from ncdsurv.forms import fill_form
    from ncdsurv.forms.xlsx import form_bytes

    form = fill_form("tt23_2025", "52", "2026-06", store.latest())
    answer = client.get("/v1/forms/tt23_2025?area=52&period=2026-06")
    cells = [cell for row in answer.json()["rows"] for cell in row["cells"]]
    assert [cell["value"] for cell in cells] == form.data["value"].to_list()
    assert [cell["state"] for cell in cells] == form.data["state"].to_list()
    xlsx = client.get("/v1/forms/tt23_2025?area=52&period=2026-06&format=xlsx")
    assert xlsx.content == form_bytes(form)
    assert 'filename="tt23_2025_52_2026-06.xlsx"' in xlsx.headers["content-disposition"]
    rows = client.get("/v1/forms/tt23_2025?area=52&period=2026-06&format=csv").text.splitlines()
    assert len(rows) == form.data.height + 1


def test_the_form_and_the_values_agree(client: TestClient) -> None:
    form = client.get("/v1/forms/tt23_2025?area=52&period=2026-06").json()
    total = {
        cell["measure"]: cell["value"]
        for cell in form["rows"][0]["cells"]
        if cell["disease"] == "hypertension"
    }
    value = client.get(f"/v1/data?{SERIES}&area=52&vintage=2025&period=2026-06").json()["data"][0]
    assert (total["at_target"], total["managed"]) == (value["numerator"], value["denominator"])


def test_availability_names_only_what_has_values(client: TestClient) -> None:
    rows = client.get("/v1/availability?indicator=control_rate&disease=diabetes").json()["data"]
    assert {row["area_level"] for row in rows} == {"commune", "district", "province", "region", "nation"}
    assert {(row["first_period"], row["last_period"]) for row in rows} == {("2025-01", "2026-06")}
    for row in rows:
        ask = {"indicator": row["indicator"], "preset": row["preset"], "disease": row["disease"]}
        ask |= {"level": row["area_level"], "vintage": row["area_vintage"], "period": row["last_period"]}
        assert client.get("/v1/data", params=ask).json()["page"]["count"] == row["areas"]


def test_security_headers_and_a_request_id(client: TestClient) -> None:
    first, second = client.get("/v1/periods"), client.get("/healthz")
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
