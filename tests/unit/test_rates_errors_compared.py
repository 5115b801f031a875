"""What funnels and comparisons refuse, word for word."""

from __future__ import annotations

import pytest

from tests.rates_support import refused, two

SENTENCES = [
    # funnels
    (
        two("funnel_limits", size=[10], benchmark=1.0),
        "benchmark out of range: got 1.0; allowed: above 0, below 1",
    ),
    (
        two("funnel_limits", size=[10], benchmark=0.5, statistic="mean"),
        "unknown statistic: got mean; allowed: proportion, rate, ratio",
    ),
    (
        two("funnel_limits", size=[10.5], benchmark=0.5, method="exact"),
        "exact limits of a total that is not whole: allowed: the normal method",
    ),
    (
        two("funnel_limits", size=[10], benchmark=0.5, method="exact", phi=2),
        "exact limits with over-dispersion: allowed: the normal method",
    ),
    (
        two("funnel_proportions", count=[4], total=[9], benchmark=120),
        "benchmark out of range: got 120; allowed: above 0, below 100",
    ),
    (
        two("funnel_rates", count=[4], population=[9], benchmark="60"),
        "benchmark out of range: got '60'; allowed: a number above 0",
    ),
    (
        two("funnel_rates", count=[0, 0], population=[9, 9]),
        "no benchmark can be had from these areas: got no event in any of them; do: give a benchmark",
    ),
    (
        two("funnel_proportions", count=[9, 9], total=[9, 9]),
        "no benchmark can be had from these areas: got everybody has the attribute in all of them; do: give a "
        "benchmark",
    ),
    (
        two("funnel_rates", count=[4, 5], population=[0, 9]),
        "events in an empty population: got 1 row; do: check the population",
    ),
    (
        two("funnel_ratios", count=[4, 5], expected=[0, 9]),
        "events where none are expected: do: check the reference rates",
    ),
    (
        two("funnel_limits", size=[10], benchmark="half"),
        "benchmark out of range: got half; allowed: above 0, below 1",
    ),
    (
        two("winsorised", z=[1, 2], share="tenth"),
        "share to winsorise out of range: got tenth; allowed: 0 to below 0.5",
    ),
    (
        two("overdispersion", value=[0.1, 0.2], variance=[1, 1], benchmark=None),
        "a benchmark that is no number: do: give the common value",
    ),
    (two("funnel_proportions", count=[0], total=[0]), "a funnel of no areas: do: give areas with people"),
    (
        two("funnel_proportions", count=[1], total=[9], overdispersion="additive"),
        "too few areas to judge dispersion: got 1; allowed: 2 or more",
    ),
    (
        two("funnel_rates", count=[1], population=[9], overdispersion="some"),
        "unknown over-dispersion: got some; allowed: none, multiplicative, additive",
    ),
    (
        two("winsorised", z=[1, 2], share=0.5),
        "share to winsorise out of range: got 0.5; allowed: 0 to below 0.5",
    ),
    # comparison
    (
        two("compare", count=[1], total=[2]),
        "one thing to compare with is needed: got neither; allowed: reference (a target or value) or parent (names of "
        "areas)",
    ),
    (
        two("compare", count=[1], total=[2], reference=5, parent=["a"]),
        "one thing to compare with is needed: got both; allowed: reference (a target or value) or parent (names of "
        "areas)",
    ),
    (
        two("compare", count=[1, 1], total=[2, 2], reference=[5]),
        "arrays of different lengths: got count (2,), reference (1,); do: give one entry a row in each",
    ),
    (
        two("compare", count=[1, 1], total=[2, 2], parent=["a"]),
        "arrays of different lengths: got count (2,), parent (1,); do: give one entry a row in each",
    ),
    (
        two("compare", count=[1], total=[2], reference=5, polarity="good"),
        "unknown polarity: got good; allowed: high_good, low_good, no_judgement",
    ),
    (
        two("compare", count=[1], total=[2], reference="target"),
        "a reference that is no number: do: give a column of numbers",
    ),
    (
        two("compare", count=[1], total=[2], reference=-5),
        "a negative reference: got 1 row; do: check the column",
    ),
    (
        two("judge", comparison=["similar", "up"], polarity="low_good"),
        "unknown comparison: got up; allowed: lower, similar, higher",
    ),
    (
        two("compare_limits", lower=[5], upper=[4], reference=1),
        "a lower limit above its upper limit: do: check the order of the columns",
    ),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES, ids=[sentence[:60] for _, sentence in SENTENCES])
def test_what_is_refused_is_said_in_these_words(call, sentence):
    assert refused(call) == sentence
