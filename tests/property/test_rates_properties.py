"""What must hold of every interval, funnel and index, on numbers drawn at random."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ncdsurv.indicators import rates

CONFIDENCE = st.floats(0.5, 0.999)
COUNT = st.integers(0, 100_000)
SMALL = settings(max_examples=40, deadline=None)


@st.composite
def areas(draw, fewest: int = 3):
    """Counts and totals of some areas."""
    totals = draw(st.lists(st.integers(1, 5000), min_size=fewest, max_size=12))
    return [draw(st.integers(0, total)) for total in totals], totals


@SMALL
@given(areas(1), CONFIDENCE)
def test_limits_bracket_their_value(drawn, confidence):
    count, total = drawn
    for found in (
        rates.proportion(count=count, total=total, confidence=confidence),
        rates.rate(count=count, population=total, confidence=confidence),
        rates.ratio_to_expected(count=count, expected=total, confidence=confidence),
        rates.proportion_difference(
            count=count, total=total, other_count=count[::-1], other_total=total[::-1], confidence=confidence
        ),
    ):
        slack = 1e-9 * np.abs(found.value)
        assert np.all(found.lower <= found.value + slack)
        assert np.all(found.value <= found.upper + slack)


@SMALL
@given(areas(1), CONFIDENCE)
def test_the_share_without_is_the_mirror_of_the_share_with(drawn, confidence):
    count, total = (np.array(part) for part in drawn)
    there = rates.proportion(count=count, total=total, multiplier=1, confidence=confidence)
    back = rates.proportion(count=total - count, total=total, multiplier=1, confidence=confidence)
    np.testing.assert_allclose(there.lower, 1 - back.upper, atol=1e-12)
    np.testing.assert_allclose(there.upper, 1 - back.lower, atol=1e-12)


@SMALL
@given(areas(2), CONFIDENCE)
def test_a_difference_and_a_ratio_turn_round_with_their_groups(drawn, confidence):
    (x, y), (n, m) = drawn[0][:2], drawn[1][:2]
    there = {"count": [x], "total": [n], "other_count": [y], "other_total": [m], "confidence": confidence}
    turned = {"count": [y], "total": [m], "other_count": [x], "other_total": [n], "confidence": confidence}
    first, second = rates.proportion_difference(**there), rates.proportion_difference(**turned)
    np.testing.assert_allclose([first.value, first.lower], [-second.value, -second.upper], atol=1e-9)
    if x and y:
        one, other = rates.proportion_ratio(**there), rates.proportion_ratio(**turned)
        np.testing.assert_allclose([one.value, one.lower], [1 / other.value, 1 / other.upper], rtol=1e-9)


@SMALL
@given(COUNT, COUNT, CONFIDENCE, CONFIDENCE)
def test_more_confidence_never_makes_an_interval_narrower(count, rest, one, two):
    assume(count + rest > 0)
    less, more = sorted((one, two))
    for function, arrays in (
        (rates.proportion, {"count": [count], "total": [count + rest]}),
        (rates.rate, {"count": [count], "population": [count + rest]}),
    ):
        narrow, wide = function(**arrays, confidence=less), function(**arrays, confidence=more)
        assert wide.lower[0] <= narrow.lower[0] + 1e-9
        assert narrow.upper[0] <= wide.upper[0] + 1e-9


@SMALL
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 9000), st.integers(1, 99)), min_size=2, max_size=8)
)
def test_a_standardised_rate_lies_between_its_bands_and_inside_both_kinds_of_limits(bands):
    count, population, weight = zip(*bands, strict=True)
    ages = [f"band {number}" for number in range(len(bands))]
    arrays = {
        "count": count,
        "population": population,
        "age": ages,
        "standard": dict(zip(ages, weight, strict=True)),
    }
    for method in ("dobson", "fay-feuer"):
        found = rates.standardised_rate(**arrays, per=1, method=method)
        if sum(count) < rates.FEWEST_EVENTS:
            assert np.isnan(found.value)
            continue
        by_band = [x / n for x, n in zip(count, population, strict=True)]
        assert min(by_band) - 1e-12 <= found.value <= max(by_band) + 1e-12
        assert found.lower <= found.value <= found.upper
    same = rates.standardised_ratio(
        count=count,
        population=population,
        age=ages,
        reference={age: (x, n) for age, x, n in zip(ages, count, population, strict=True)},
    )
    assert sum(count) == 0 or np.isclose(same.value, 100), "a population is as its own rates expect"


@SMALL
@given(
    st.integers(1, 100_000),
    st.integers(1, 100_000),
    st.floats(0.01, 0.99),
    st.floats(1, 9),
    st.floats(0, 0.1),
)
def test_funnel_limits_shrink_with_size_and_grow_with_dispersion(size, more, benchmark, phi, tau2):
    for statistic in ("proportion", "rate", "ratio"):
        lower, upper = rates.funnel_limits([size, size + more], benchmark, statistic=statistic)
        assert lower[0] <= lower[1] <= benchmark <= upper[1] <= upper[0]
        outer_lower, outer_upper = rates.funnel_limits(
            [size], benchmark, statistic=statistic, confidence=0.998
        )
        assert outer_lower[0] <= lower[0]
        assert upper[0] <= outer_upper[0]
        for wider in ({"phi": phi}, {"tau2": tau2}):
            low, high = rates.funnel_limits([size], benchmark, statistic=statistic, **wider)
            assert low[0] <= lower[0]
            assert upper[0] <= high[0]


@SMALL
@given(st.integers(0, 40), st.integers(1, 40), st.floats(0.05, 0.95))
def test_an_area_is_outside_an_exact_funnel_as_seldom_as_the_limit_says(count, total, benchmark):
    from math import comb

    count = min(count, total)
    found = rates.funnel_proportions(
        count=[count], total=[total], benchmark=benchmark, multiplier=1, method="exact"
    )
    chance = [comb(total, k) * benchmark**k * (1 - benchmark) ** (total - k) for k in range(total + 1)]
    high, low = sum(chance[count:]), sum(chance[: count + 1])
    assume(all(abs(tail - limit) > 1e-9 for tail in (high, low) for limit in (0.001, 0.025)))
    seldom = {"above 99.8": high < 0.001, "below 99.8": low < 0.001}
    seldom |= {"above 95": 0.001 < high < 0.025, "below 95": 0.001 < low < 0.025}
    assert found.position[0] == next((word for word, so in seldom.items() if so), "within")


def test_one_of_one_at_target_is_no_finding():
    found = rates.funnel_proportions(
        count=[1, 2, 0], total=[1, 2, 3], benchmark=0.366, multiplier=1, method="exact"
    )
    assert found.position.tolist() == ["within", "within", "within"]
    assert found.upper_998[0] < 1, "the interpolated curve of one person lies below 100 %"


@SMALL
@given(areas(2), st.floats(0, 0.4))
def test_dispersion_is_never_below_chance_and_drawing_in_never_adds_to_it(drawn, share):
    count, total = (np.array(part, dtype=float) for part in drawn)
    pooled = count.sum() / total.sum()
    assume(0 < pooled < 1)
    variance = pooled * (1 - pooled) / total
    phi, tau2 = rates.overdispersion(count / total, variance, pooled, share)
    assert phi >= 1
    assert tau2 >= 0
    z = (count / total - pooled) / np.sqrt(variance)
    assert np.ptp(rates.winsorised(z, share)) <= np.ptp(z) + 1e-12


@SMALL
@given(areas(), st.randoms(use_true_random=False))
def test_the_slope_index_rises_with_the_rank_and_turns_with_it(drawn, random):
    total = drawn[1]
    rank = random.sample(range(1, 100), len(total))
    value = [10 + 0.5 * place for place in rank]
    limits = {"lower": [figure - 1 for figure in value], "upper": [figure + 1 for figure in value]}
    rising = rates.inequality(value=value, population=total, rank=rank, **limits)
    falling = rates.inequality(value=value, population=total, rank=[-place for place in rank], **limits)
    assert rising["slope_index"].value > 0 > falling["slope_index"].value
    assert np.isclose(rising["slope_index"].value, -falling["slope_index"].value)
    for found in (rising["slope_index"], falling["slope_index"]):
        assert found.lower <= found.value <= found.upper
    flat = rates.inequality(
        value=[5] * len(total), population=total, rank=rank, lower=[4] * len(total), upper=[6] * len(total)
    )
    assert np.isclose(flat["slope_index"].value, 0, atol=1e-9)
    assert np.isclose(flat["relative_index"].value, 1)


@SMALL
@given(areas(1), st.floats(0, 100))
def test_the_words_of_a_comparison_agree_at_both_levels(drawn, target):
    count, total = drawn
    found = rates.compare(count=count, total=total, reference=target, polarity="high_good")
    near, far = found["comparison_95"], found["comparison_998"]
    assert np.all((far == "similar") | (far == near)), "what differs at 99.8 % differs at 95 %"
    good = {"lower": "worse", "similar": "similar", "higher": "better"}
    assert found["judgement_95"].tolist() == [good[word] for word in near.tolist()]
