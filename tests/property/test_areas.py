"""What holds for any counts: smoothing, p values, the correction and the scan."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from ncdsurv.areas import (
    adjust_fdr,
    local_moran,
    scan_circles,
    smooth_rates,
    standardise_rates,
    strict_threshold,
)
from ncdsurv.areas.correct import fewest_at_floor, p_floor, permutations_needed
from ncdsurv.areas.scan import make_zones
from ncdsurv.areas.scan_drawings import Work, best_of_drawings

SMALL = settings(max_examples=40, deadline=None)
PAIRS = st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=4, max_size=25)


def counts(pairs: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    population = np.array([people for people, _ in pairs])
    return np.array([round(people * share) for people, share in pairs]), population


def ring(n: int) -> csr_matrix:
    at = np.arange(n)
    rows, columns = np.concatenate([at, at]), np.concatenate([(at + 1) % n, (at - 1) % n])
    return csr_matrix((np.ones(2 * n), (rows, columns)), shape=(n, n))


@SMALL
@given(PAIRS, st.sampled_from(["poisson", "binomial"]), st.sampled_from(["global", "local", "spatial"]))
def test_a_smoothed_rate_lies_between_the_raw_rate_and_the_mean(pairs, family, method):
    count, population = counts(pairs)
    found = smooth_rates(count, population, family=family, method=method, neighbours=ring(len(count)))
    low, high = np.minimum(found.raw, found.mean), np.maximum(found.raw, found.mean)
    assert (found.smoothed >= low - 1e-12).all()
    assert (found.smoothed <= high + 1e-12).all()
    assert ((found.weight >= 0) & (found.weight <= 1)).all()
    assert (found.between >= 0).all()
    assert (found.between[found.clamped] == 0).all()
    assert np.allclose(found.smoothed[found.clamped], found.mean[found.clamped])


@SMALL
@given(PAIRS, st.integers(2, 5))
def test_scores_do_not_change_when_every_area_is_written_in_another_order(pairs, seed):
    count, population = counts(pairs)
    if count.sum() == 0:
        return
    order = np.random.default_rng(seed).permutation(len(count))
    z = standardise_rates(count, population)
    assert np.allclose(standardise_rates(count[order], population[order]), z[order])


@SMALL
@given(st.integers(10, 40), st.sampled_from([19, 99, 499]), st.integers(0, 9))
def test_no_p_value_is_below_its_floor_and_none_is_zero(n, permutations, seed):
    values = np.random.default_rng(seed).normal(size=n)
    found = local_moran(values, ring(n), permutations=permutations, seed=seed)
    assert (found.p_value >= p_floor(permutations)).all()
    assert (found.p_value <= 1).all()
    assert np.allclose(found.p_value, np.minimum(1, 2 * found.p_folded))
    assert np.allclose(found.moran, found.z * found.lag)


def test_p_values_equal_all_deals_counted_out():
    values = np.array([5.0, 1.0, 2.5, 7.0, 0.5, 3.0, 9.0])
    found = local_moran(values, ring(7), permutations=19_999, seed=2)
    for area in range(7):
        others = np.delete(found.z, area)
        deals = np.array([(one + two) / 2 for one, two in combinations(others, 2)])
        tails = [(deals >= found.lag[area] - 1e-9).mean(), (deals <= found.lag[area] + 1e-9).mean()]
        assert abs(found.p_folded[area] - min(tails)) < 0.015


@SMALL
@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=60), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_strict_rule_never_finds_more_than_benjamini_hochberg(p_values, alpha):
    p = np.array(p_values)
    passes = adjust_fdr(p) <= alpha + 1e-12
    assert (adjust_fdr(p) >= p - 1e-15).all()
    assert not ((p < strict_threshold(p, alpha)) & ~passes).any()
    # From its definition: the largest rank whose p value is at most rank x alpha / n.
    ordered = np.sort(p)
    ranks = np.flatnonzero(ordered <= np.arange(1, len(p) + 1) * alpha / len(p) + 1e-15)
    assert passes.sum() == (np.sum(p <= ordered[ranks[-1]]) if len(ranks) else 0)


@SMALL
@given(st.integers(1, 20_000), st.sampled_from([0.01, 0.05, 0.1]))
def test_one_permutation_fewer_than_needed_lets_no_lone_area_pass(tests, alpha):
    needed = permutations_needed(tests, alpha)
    assert p_floor(needed) * tests <= alpha * (1 + 1e-9)
    assert p_floor(needed - 1) * tests > alpha * (1 - 1e-9)
    assert fewest_at_floor(tests, needed, alpha) == 1


@settings(max_examples=25, deadline=None)
@given(
    PAIRS,
    st.sampled_from(["poisson", "bernoulli"]),
    st.sampled_from(["high", "low", "both"]),
    st.integers(0, 99),
)
def test_the_scan_does_not_depend_on_the_order_of_areas_and_takes_zero_cells(pairs, model, side, seed):
    count, population = counts(pairs)
    count[0] = 0
    if count.sum() in (0, population.sum()) or population.max() > population.sum() / 2:
        return
    rng = np.random.default_rng(seed)
    x, y = rng.permutation(len(count)) * 3.7, rng.random(len(count))
    order = rng.permutation(len(count))
    options = {"model": model, "side": side, "permutations": 9}
    first = scan_circles(count, population, x, y, **options)
    again = scan_circles(count[order], population[order], x[order], y[order], **options)
    assert [round(one.log_ratio, 8) for one in first[:1]] == [round(one.log_ratio, 8) for one in again[:1]]
    taken: set[int] = set()
    for circle in first:
        assert not taken & set(circle.areas)
        taken |= set(circle.areas)
        assert population[list(circle.areas)].sum() <= population.sum() / 2 + 1e-9
        assert 0.1 <= circle.p_value <= 1
        assert circle.count == count[list(circle.areas)].sum()
        assert side == "both" or circle.high is (side == "high")


def test_under_no_effect_the_false_positives_keep_their_level():
    from benchmarks.clusters import moran_studies, scan_studies

    for study in [*moran_studies(60, 8, 299), *scan_studies(60, 7, 99)]:
        assert study.share <= study.promised + 3.5 * study.error, study.line()
        if study.name.endswith("uncorrected: areas"):
            assert study.share >= study.promised - 3.5 * study.error, study.line()


def test_the_smaller_tail_alone_breaks_the_level_so_the_study_can_fail():
    from benchmarks.clusters import moran_studies

    areas = [one for one in moran_studies(40, 8, 299, folded=True) if one.name.endswith("uncorrected: areas")]
    assert len(areas) == 2
    assert all(study.share > 1.5 * study.promised for study in areas)


@settings(max_examples=30, deadline=None)
@given(
    PAIRS,
    st.sampled_from(["poisson", "bernoulli"]),
    st.sampled_from(["high", "low", "both"]),
    st.integers(0, 99),
)
def test_the_compiled_walk_of_the_scan_gives_the_same_drawings_as_the_plain_one(pairs, model, side, seed):
    pytest.importorskip("numba", reason="the compiled walk needs numba")
    count, population = counts(pairs)
    if count.sum() in (0, population.sum()) or population.max() > population.sum() / 2:
        return
    rng = np.random.default_rng(seed)
    people = population.astype(float)
    zones = make_zones(people, rng.integers(0, 6, len(people)) * 1.0, rng.random(len(people)), 0.5)
    work = Work(zones, people, int(count.sum()), model, side)
    plain, compiled = (
        best_of_drawings(work, 70, np.random.default_rng(seed), compiled=form) for form in (False, True)
    )
    np.testing.assert_allclose(compiled, plain, rtol=1e-9, atol=1e-12)


def test_the_clocks_of_the_benchmark_run():
    from benchmarks.clusters import measure_times

    names = [name for name, *_ in measure_times(permutations=99, drawings=3, level="province")]
    assert any(name.startswith("local Moran") for name in names)
    assert sum(name.startswith("scan") for name in names) == 2
