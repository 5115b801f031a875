"""Smoothed rates, Moran, local Moran, Gi* and the scan against R's spdep; script and calls stand in `areas/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from ncdsurv.areas import (
    adjust_fdr,
    global_moran,
    local_moran,
    scan_circles,
    smooth_rates,
    standardise_rates,
    strict_threshold,
)

FOLDER = Path(__file__).parent / "areas"
COUNTIES = pl.read_csv(FOLDER / "counties.csv", schema_overrides={"code": pl.String})
LINKS = pl.read_csv(FOLDER / "links.csv")
AREAS = pl.read_csv(FOLDER / "expected_areas.csv", comment_prefix="#", schema_overrides={"code": pl.String})
FROM_R = dict(pl.read_csv(FOLDER / "expected_r.csv", comment_prefix="#").iter_rows())
COUNT, POPULATION = COUNTIES["count"].to_numpy(), COUNTIES["population"].to_numpy()
N = len(COUNT)
MATRIX = csr_matrix((np.ones(LINKS.height), (LINKS["from"].to_numpy(), LINKS["to"].to_numpy())), shape=(N, N))
HAS = np.diff(MATRIX.indptr) > 0
PART = MATRIX[HAS][:, HAS]
Z = standardise_rates(COUNT, POPULATION)[HAS]


def expected(column: str) -> np.ndarray:
    return AREAS[column].to_numpy()


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("global_poisson", {}),
        ("global_binomial", {"family": "binomial"}),
        ("local", {"method": "local", "neighbours": MATRIX}),
        ("spatial", {"method": "spatial", "neighbours": MATRIX}),
    ],
)
def test_smoothed_rates_equal_spdep(column: str, options: dict):
    found = smooth_rates(COUNT, POPULATION, **options)
    wanted = expected(column).astype(float)
    known = ~np.isnan(
        wanted
    )  # spdep divides 0 by 0 for an island without a case; here its rate is its own, 0
    np.testing.assert_allclose(found.smoothed[known], wanted[known], rtol=1e-10)
    assert (found.smoothed[~known] == 0).all()


def test_standardised_rates_and_morans_i_equal_spdep():
    np.testing.assert_allclose(standardise_rates(COUNT, POPULATION), expected("standardised"), rtol=1e-10)
    found = global_moran(Z, PART, permutations=9999)
    assert found.statistic == pytest.approx(FROM_R["moran"], rel=1e-10)
    assert found.expected == pytest.approx(FROM_R["moran_expected"], rel=1e-10)


def test_moran_of_empirical_bayes_rates_equals_spdep():
    found = global_moran(standardise_rates(COUNT[HAS], POPULATION[HAS]), PART, permutations=9999)
    assert found.statistic == pytest.approx(FROM_R["eb_moran"], rel=1e-10)
    assert abs(found.p_value - FROM_R["eb_moran_p"]) < 4 * np.sqrt(FROM_R["eb_moran_p"] / 9999) + 2e-4


def test_local_moran_and_gi_star_equal_spdep():
    found = local_moran(Z, PART, permutations=9999, seed=3)
    np.testing.assert_allclose(found.moran, expected("local_moran")[HAS], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.gi_star, expected("gi_star")[HAS], rtol=1e-9, atol=1e-12)


def test_local_p_values_equal_spdep_within_the_error_of_both_simulations():
    found = local_moran(Z, PART, permutations=9999, seed=3)
    for column, p in (("p_two_sided", found.p_value), ("p_folded", found.p_folded)):
        wanted = expected(column)[HAS]
        error = np.sqrt(2 * np.maximum(wanted, 1e-3) / 9999)
        assert (np.abs(p - wanted) < 6 * error).all(), column


def test_the_false_discovery_rate_equals_p_adjust():
    np.testing.assert_allclose(adjust_fdr(expected("p_two_sided")[HAS]), expected("fdr")[HAS], rtol=1e-12)


@pytest.mark.parametrize("model", ["poisson", "bernoulli"])
def test_the_scan_equals_circles_written_out_in_r(model: str):
    found = scan_circles(
        COUNT,
        POPULATION,
        COUNTIES["x"],
        COUNTIES["y"],
        model=model,
        permutations=999 if model == "poisson" else 19,
    )
    for rank in (1, 2, 3):
        circle = found[rank - 1]
        assert circle.log_ratio == pytest.approx(FROM_R[f"{model}_llr_{rank}"], rel=1e-9)
        assert circle.count == FROM_R[f"{model}_count_{rank}"]
        assert len(circle.areas) == FROM_R[f"{model}_areas_{rank}"]
        assert sum(circle.areas) + len(circle.areas) == FROM_R[f"{model}_code_sum_{rank}"]
        if model == "poisson":
            p = FROM_R[f"poisson_p_{rank}"]
            assert abs(circle.p_value - p) < 4 * np.sqrt(2 * max(p * (1 - p), 1e-3) / 999)


def test_smoothed_rates_of_st_louis_equal_pysal():
    counties = pl.read_csv(
        FOLDER / "st_louis.csv", comment_prefix="#", schema_overrides={"neighbours": pl.String}
    )
    rows = [[int(at) for at in near.split()] for near in counties["neighbours"]]
    pairs = [(at, other) for at, near in enumerate(rows) for other in near]
    matrix = csr_matrix((np.ones(len(pairs)), tuple(zip(*pairs))), shape=(len(rows), len(rows)))
    count, population = counties["count"], counties["population"]
    found = smooth_rates(count, population)
    np.testing.assert_allclose(
        found.smoothed[:3], [2.36718950e-05, 4.54539167e-05, 4.78114019e-05], rtol=1e-8
    )
    np.testing.assert_allclose(found.smoothed, counties["global_bayes"], rtol=1e-9)
    around = smooth_rates(count, population, method="spatial", neighbours=matrix)
    np.testing.assert_allclose(around.smoothed, counties["spatial_bayes"], rtol=1e-9)


def test_standardised_rates_of_the_papers_rule_equal_pysal_where_the_variance_estimate_is_negative():
    count, population = [30, 25, 25, 15, 33, 21, 30, 20], [100, 100, 110, 90, 100, 90, 110, 90]
    found = standardise_rates(count, population, clamp=False)
    np.testing.assert_allclose(found[:4], [1.03843594, -0.04099089, -0.56250375, -1.73061861], rtol=1e-7)
    assert np.abs(standardise_rates(count, population)).max() < np.abs(found).max()


def test_the_strict_threshold_equals_esda_fdr():
    nothing_passes = np.full(78, 0.5)
    assert round(strict_threshold(nothing_passes, 0.10), 6) == 0.001282
    assert round(strict_threshold(nothing_passes, 0.05), 6) == 0.000641
