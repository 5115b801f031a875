"""BYM2 against R: scaling by MASS::ginv, a posterior by another sampler; the script is `areas/make_bym2.R`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from ncdsurv.areas.bayes.prior import share_prior
from ncdsurv.areas.bayes.structure import make_structure

FOLDER = Path(__file__).parent / "areas"
FROM_R = dict(pl.read_csv(FOLDER / "expected_bym2.csv", comment_prefix="#").iter_rows())
LIP = pl.read_csv(FOLDER / "lip.csv")
N = LIP.height


def matrix(file: str, n: int) -> csr_matrix:
    links = pl.read_csv(FOLDER / file)
    return csr_matrix(
        (np.ones(links.height), (links["from"].to_numpy(), links["to"].to_numpy())), shape=(n, n)
    )


def test_the_scaling_equals_the_generalised_inverse_of_mass():
    counties = make_structure(matrix("links.csv", 100))
    assert len(counties.islands) == 2
    assert counties.scales == pytest.approx((FROM_R["nc_scale_1"],), rel=1e-9)
    districts = make_structure(matrix("lip_links.csv", N))
    assert districts.scales == pytest.approx((FROM_R["lip_scale_1"],), rel=1e-9)
    assert len(districts.islands) == FROM_R["lip_islands"]
    prior = share_prior(districts.variances[~districts.levels], 0.5, 2 / 3)
    assert prior.rate == pytest.approx(FROM_R["lip_phi_rate"], rel=1e-6)


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("nutpie", "arviz", "numba")),
    reason="the sampler is not installed (extra bayes)",
)
def test_the_posterior_of_lip_cancer_equals_that_of_another_sampler_within_their_errors():
    from ncdsurv.areas import fit_bym2

    found = fit_bym2(LIP["count"], LIP["expected"], matrix("lip_links.csv", N), draws=1000, chains=4, seed=1)
    assert found.checks.divergences == 0
    assert found.checks.r_hat < 1.02
    assert FROM_R["lip_r_hat"] < 1.02
    risks = [f"r[{at}]" for at in range(1, N + 1)]
    wanted, error, lower, upper = (
        np.array([FROM_R[f"{name}_{part}"] for name in risks]) for part in ("mean", "error", "lower", "upper")
    )
    spread = (upper - lower) / 4  # nearly a standard deviation of the posterior
    own = spread / np.sqrt(found.checks.bulk)
    assert (np.abs(found.smoothed - wanted) < 5 * np.hypot(error, own)).all()
    # Ends of intervals vary more from run to run than means.
    assert np.abs((found.lower - lower) / spread).max() < 0.4
    assert np.abs((found.upper - upper) / spread).max() < 0.4
    for name, summary in (("sigma", found.sigma), ("phi", found.phi)):
        width = FROM_R[f"{name}_upper"] - FROM_R[f"{name}_lower"]
        for part, value in zip(("mean", "lower", "upper"), summary):
            assert abs(value - FROM_R[f"{name}_{part}"]) < 0.08 * width, (name, part)
