"""Standardised rates among the published values: weights, few events, bands without people."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ncdsurv.indicators import publish_values, standardised_rate
from ncdsurv.indicators.standard import band_weights
from tests.counts_support import CATALOG, PROVINCE, REFERENCE, VINTAGE, measures, values


def test_the_standardised_rate_is_that_of_the_bands_weighted_by_the_who_standard():
    table = """
        month   | age_band | sex    | detected
        2026-06 | 0-17     | female | 50
        2026-06 | 40-49    | female | 30
        2026-06 | 60-69    | male   | 45
        2026-06 | 80+      | female | 20
        """
    chosen = {"indicator": "detected_prevalence", "preset": "hearts"}
    bands = [band for band in CATALOG.age_bands if band.lower >= 18]
    people = [
        REFERENCE.population_at_ages(b.lower, b.upper, vintage=VINTAGE, level="province", year=2026)
        .filter(code=PROVINCE)["population"]
        .sum()
        for b in bands
    ]
    counts = [{"40-49": 30, "60-69": 45, "80+": 20}.get(band.id, 0) for band in bands]
    weights = band_weights(CATALOG.standard_population, CATALOG.age_bands)
    figures = standardised_rate(
        count=counts,
        population=people,
        age=[band.id for band in bands],
        standard={band.id: weights[band.id] for band in bands},
    )
    wanted = [float(figure) for figure in figures[:3]]
    adjusted = values(table, standardisation=CATALOG.standard_population.id, **chosen).row(0, named=True)
    assert [adjusted[name] for name in ("value", "lower", "upper")] == pytest.approx(wanted)
    assert (adjusted["ci_method"], adjusted["numerator"]) == ("dobson", 95.0)
    crude = values(table, **chosen).row(0, named=True)
    assert crude["value"] == pytest.approx(1e5 * 95 / sum(people))
    assert crude["ci_method"] == "poisson"
    assert np.isclose(crude["denominator"], sum(people))


def test_a_standardised_rate_of_fewer_than_ten_events_is_withheld():
    table = "month | detected\n2026-06 | 9"
    chosen = {"indicator": "detected_prevalence", "preset": "hearts"}
    adjusted = values(table, standardisation=CATALOG.standard_population.id, **chosen)
    assert adjusted.select("value", "lower", "upper", "flag").rows() == [(None, None, None, "too_few_events")]
    assert values(table, **chosen)["flag"].to_list() == ["ok"]


def test_a_month_without_bands_has_no_standardised_rate():
    table = """
        month   | sex    | age_band | detected
        2025-05 | female | 60-69    | 40
        2025-06 | female | 60-69    | 41
        """
    span = {"indicator": "detected_prevalence", "first": "2025-01", "last": "2025-06"}
    standard = {"standardisation": CATALOG.standard_population.id, **span}
    assert values(table, period="2025-05", **span)["numerator"].to_list() == [40.0]
    assert values(table, period="2025-05", **standard).is_empty()
    assert values(table, period="2025-06", **standard)["numerator"].to_list() == [41.0]


def lacking(band: int, sex: str | None = None):
    """The reference with nobody of a sex (or of both) from that age on in the nation and the province."""
    asked = type(REFERENCE).population_at_age_bases

    def people(self, bases, **where):
        found = asked(self, bases, **where)
        of_sex = pl.lit(sex is None) | (pl.col("sex") == (sex or ""))
        old = [str(place) for place, (lower, _) in enumerate(bases) if lower >= band]
        return found.with_columns(pl.when(of_sex).then(0.0).otherwise(name).alias(name) for name in old)

    return people


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("events", [0, 20])
def test_an_age_band_without_people_leaves_the_standardised_rate_empty_and_says_so(monkeypatch, events):
    """Events among nobody would be an infinite rate, none among nobody no rate at all."""
    table = f"month | age_band | sex | detected\n2026-06 | 60-69 | male | 45\n2026-06 | 80+ | male | {events}"
    monkeypatch.setattr(type(REFERENCE), "population_at_age_bases", lacking(80, "male"))
    standard = CATALOG.standard_population.id
    chosen = {"indicator": "detected_prevalence", "preset": "hearts", "standardisation": standard}
    shown = ("numerator", "value", "lower", "upper", "flag")
    men = values(table, sex="male", **chosen)
    assert men.select(shown).rows() == [(45.0 + events, None, None, None, "no_denominator")]
    both = values(table, **chosen).row(0, named=True)
    assert both["flag"] == "ok"
    assert both["lower"] < both["value"] < both["upper"] < np.inf
    band = values(table, sex="male", age_band="80+", indicator="detected_prevalence", preset="hearts")
    assert band.select("value", "flag").rows() == ([(None, "no_denominator")] if events else [])


def test_how_few_events_withhold_a_standardised_rate_is_data():
    few = {
        name: one.model_copy(update={"standardisation_fewest_events": 5})
        for name, one in CATALOG.publication.items()
    }
    lenient = CATALOG.model_copy(update={"publication": few})
    months = {"first_month": 2026 * 12 + 6, "last_month": 2026 * 12 + 6}
    chosen = {"indicator": "detected_prevalence", "preset": "hearts", "area_code": PROVINCE, "sex": "both"}
    chosen |= {"standardisation": CATALOG.standard_population.id, "age_band": "all", "area_vintage": VINTAGE}
    for count, flag in ((4, "too_few_events"), (5, "ok"), (9, "ok")):
        counted = measures(f"month | detected\n2026-06 | {count}")
        row = publish_values(counted, REFERENCE, lenient, "spec", **months).filter(**chosen, period="2026-06")
        assert row["flag"].to_list() == [flag]
        assert row["value"].null_count() == row["lower"].null_count() == (flag != "ok")
