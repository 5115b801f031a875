"""Figures that are data here, as their sources print them; a slip of one digit moves every figure made with it.

Surveys: what is repeated by the secondary texts named in `prevalence.toml` (no survey report itself was seen).
Targets: Decision 376/QĐ-TTg of 20 March 2015, from secondary texts. Standard population: Ahmad et al., Age
standardization of rates: a new WHO standard, GPE Discussion Paper 31, WHO 2001.
"""

from __future__ import annotations

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sensitivity import load_variants
from tests.engine_story import rows

CATALOG = load_catalog()

SURVEYS = """
disease       | year | ages  | percent | lower | upper | expected cases rest on it
hypertension  | 2015 | 18-69 | 18.9    | 17.4  | 20.6  | no
hypertension  | 2021 | 18-69 | 26.2    | -     | -     | yes
hypertension  | 2020 | 25-64 | 28.3    | -     | -     | no
diabetes      | 2015 | 18-69 | 4.1     | -     | -     | no
diabetes      | 2021 | 18-69 | 7.06    | -     | -     | yes
copd          | 2010 | 40-   | 4.2     | -     | -     | yes
depression    | 2014 | 0-    | 2.45    | -     | -     | yes
anxiety       | 2014 | 0-    | 2.94    | -     | -     | yes
schizophrenia | 2014 | 0-    | 0.3     | -     | -     | yes
epilepsy      | 2014 | 0-    | 0.33    | -     | -     | yes
"""


def test_surveys_found_what_their_sources_say_among_people_of_these_ages():
    def text(number: float | None) -> str | None:
        return None if number is None else f"{number:g}"

    told = [
        {
            "disease": one.disease,
            "year": str(one.year),
            "ages": f"{one.age_from}-{'' if one.age_to is None else one.age_to}",
            "percent": text(one.percent),
            "lower": text(one.lower_percent),
            "upper": text(one.upper_percent),
            "expected cases rest on it": "yes" if one.default else "no",
        }
        for one in CATALOG.prevalence.values()
    ]
    assert told == rows(SURVEYS)


@pytest.mark.parametrize("disease", ["hypertension", "diabetes"])
@pytest.mark.parametrize("indicator", ["detection_rate", "management_rate"])
def test_the_strategy_to_2025_wants_half_detected_and_half_of_them_managed(disease, indicator):
    wanted = [t for t in CATALOG.targets.values() if (t.disease, t.indicator) == (disease, indicator)]
    assert [(target.percent, target.year) for target in wanted] == [(50, 2025)]


def test_the_variants_of_the_limit_are_those_that_their_names_say():
    told = {
        one.names.en: [
            (test.column, *bound) for test in one.readings["clinic"].tests for bound in test.bounds
        ]
        for one in load_variants().values()
    }
    assert told == {
        "Systolic < 138": [("dbp", "lt", 90), ("sbp", "lt", 138)],
        "Systolic < 130": [("dbp", "lt", 90), ("sbp", "lt", 130)],
    }


# From 0-4 years to 95-99, and 100 years and over.
WHO_WORLD = """
8.86 8.69 8.60 8.47 8.22 7.93 7.61 7.15 6.59 6.04 5.37 4.55 3.72 2.96 2.21 1.52 0.91 0.44 0.15 0.04 0.005
"""


def test_the_world_standard_has_the_printed_weight_for_every_five_years_of_age():
    standard = CATALOG.standard_population
    printed = {5 * group: float(weight) for group, weight in enumerate(WHO_WORLD.split())}
    assert dict(zip(standard.lower_ages, standard.weights, strict=True)) == printed
    assert sum(standard.weights) == pytest.approx(100.035)
