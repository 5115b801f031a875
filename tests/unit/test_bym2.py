"""The full Bayesian spatial model: structure, priors, gradient, recovered truth, checks, words; skipped without it."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

import ncdsurv as ns
from ncdsurv.areas.bayes.prior import share_prior, spread_rate
from ncdsurv.areas.bayes.structure import make_structure
from ncdsurv.errors import NcdsurvError, UsageError
from ncdsurv.reference import load_reference

REFERENCE = load_reference()
CODES = REFERENCE.codes_within("79", "2025", "commune")
sampler = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("nutpie", "arviz", "numba")),
    reason="the sampler is not installed (extra bayes)",
)


def square(side: int) -> sp.csr_matrix:
    """Queen neighbours of a square."""
    line = sp.diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(side, side))
    found = sp.csr_matrix(sp.kron(line, line))
    found.setdiag(0)
    found.eliminate_zeros()
    return found


# A square, an island, a smaller square: three parts of the map that are not connected.
APART = sp.csr_matrix(sp.block_diag([square(5), sp.csr_matrix((1, 1)), square(3)]))


def drawn(matrix: sp.csr_matrix, sigma: float, phi: float, people: int, family: str, seed: int):
    """(count, people, true rate) of a map drawn from the model itself."""
    rng = np.random.default_rng(seed)
    structure = make_structure(matrix)
    n = matrix.shape[0]
    u = structure.patterns @ (np.sqrt(structure.variances) * rng.standard_normal(n))
    swing = sigma * (np.sqrt(1 - phi) * rng.standard_normal(n) + np.sqrt(phi) * u)
    at_risk = rng.integers(people // 4, people, n)
    if family == "binomial":
        rate = 1 / (1 + np.exp(0.4 - swing))
        return rng.binomial(at_risk, rate), at_risk, rate
    rate = 0.02 * np.exp(swing)
    return rng.poisson(at_risk * rate), at_risk, rate


def test_every_connected_part_is_scaled_by_itself_and_sums_to_zero():
    found = make_structure(APART)
    assert [len(part) for part in found.parts] == [25, 9]
    assert found.islands.tolist() == [25]
    variance = np.diag(found.covariance)
    for part in found.parts:
        assert np.exp(np.log(variance[part]).mean()) == pytest.approx(1)
        np.testing.assert_allclose(found.covariance[part].sum(axis=1)[: len(part)], 0, atol=1e-10)
    assert variance[25] == 1
    assert found.covariance[25, :25].tolist() == [0] * 25
    laplacian = np.diag(np.asarray(APART.sum(axis=1)).ravel()) - APART.toarray()
    block = laplacian[:25, :25] * found.scales[0]
    np.testing.assert_allclose(found.covariance[:25, :25], np.linalg.pinv(block), atol=1e-10)


def test_a_link_in_one_direction_counts_for_both():
    upper = sp.csr_matrix(sp.triu(square(4)))
    np.testing.assert_allclose(
        make_structure(upper).covariance, make_structure(square(4)).covariance, atol=1e-12
    )


def test_the_priors_hold_what_they_promise():
    assert np.exp(-spread_rate(1.0, 0.01) * 1.0) == pytest.approx(0.01)
    structure = make_structure(APART)
    prior = share_prior(structure.variances[~structure.levels], 0.5, 2 / 3)
    assert prior.below(0.5) == pytest.approx(2 / 3)
    assert prior.below(1.0) == pytest.approx(1)
    covariance = structure.covariance[:25, :25]
    n = 25
    for phi in (0.2, 0.7):  # the distance as it is defined, over the part without its level
        mixed = (1 - phi) * np.eye(n) + phi * covariance
        values = np.linalg.eigvalsh(mixed)
        level = 1 - phi
        kept = np.delete(values, np.argmin(np.abs(values - level)))
        alone = share_prior(make_structure(square(5)).variances[1:], 0.5, 2 / 3)
        assert alone.distance(phi) ** 2 == pytest.approx((kept - 1 - np.log(kept)).sum())


def test_without_the_sampler_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    from ncdsurv.areas.bayes import sample

    monkeypatch.setattr(sample, "find_spec", lambda name: None if name == "nutpie" else object())
    with pytest.raises(
        UsageError,
        match=r'BYM2 needs a sampler that is not installed: got no nutpie; do: pip install "ncdsurv\[bayes\]"',
    ):
        ns.smooth(values(), method="bym2", reference=REFERENCE)


def values(codes: list[str] = CODES[:40], **columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    people = rng.integers(40, 400, len(codes))
    share = 1 / (1 + np.exp(0.3 - 0.4 * rng.standard_normal(len(codes))))
    frame = pl.DataFrame(
        {"area_code": codes, "numerator": rng.binomial(people, share) * 1.0, "denominator": people * 1.0}
    )
    named = {"area_vintage": "2025", "unit": "percent", "period": "2026-06"} | columns
    return frame.with_columns(pl.lit(value).alias(name) for name, value in named.items())


@sampler
@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_the_gradient_is_that_of_the_density(family: str):
    from scipy.optimize import approx_fprime

    from ncdsurv.areas.bayes.model import Model

    structure = make_structure(APART)
    count, people, _ = drawn(APART, 0.5, 0.6, 300, family, 1)
    prior = share_prior(structure.variances[~structure.levels], 0.5, 2 / 3)
    model = Model(count * 1.0, people * 1.0, family, structure, spread_rate(1, 0.01), prior, 5.0)
    for seed in range(3):
        x = 0.6 * np.random.default_rng(seed).standard_normal(model.size)
        _, gradient = model.log_density(x)
        numeric = approx_fprime(x, lambda at: model.log_density(at)[0], 1e-6)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=5e-3)


@sampler
def test_the_density_of_phi_is_the_derivative_of_its_prior():
    from ncdsurv.areas.bayes.kernel import share_density

    structure = make_structure(APART)
    prior = share_prior(structure.variances[~structure.levels], 0.5, 2 / 3)
    excess = structure.variances - 1
    at = np.array([0.02, 0.3, 0.6, 0.95])
    dense = [share_density(phi, excess, structure.levels, prior.rate)[0] for phi in at]
    numeric = [np.log((prior.below(phi + 1e-6) - prior.below(phi - 1e-6)) / 2e-6) for phi in at]
    np.testing.assert_allclose(np.diff(dense), np.diff(numeric), rtol=1e-4)


@sampler
@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_intervals_of_simulated_maps_hold_the_truth_and_the_mean_beats_the_raw_rate(family: str):
    from ncdsurv.areas import fit_bym2

    inside, sound, gains, spreads = [], [], [], []
    for seed in range(6):
        count, people, rate = drawn(APART, 0.5, 0.7, 300 if family == "poisson" else 100, family, seed)
        found = fit_bym2(count, people, APART, family=family, draws=250, chains=2, seed=seed)
        inside.append(((found.lower <= rate) & (rate <= found.upper)).mean())
        gains.append(np.mean((found.smoothed - rate) ** 2) / np.mean((found.raw - rate) ** 2))
        spreads.append(found.sigma[1] <= 0.5 <= found.sigma[2])
        sound.append(found.checks.divergences <= 1 and found.checks.r_hat < 1.06)
        assert found.islands == (25,)
    assert 0.88 <= np.mean(inside) <= 0.99
    assert np.mean(gains) < 0.8
    assert sum(spreads) >= 5
    assert sum(sound) >= 5


@sampler
def test_the_same_seed_gives_the_same_answer_and_the_kind_of_frame_stays():
    options: dict[str, Any] = {"method": "bym2", "draws": 150, "chains": 2, "reference": REFERENCE}
    first, second = (ns.smooth(values(), seed=5, **options) for _ in range(2))
    assert first.data.equals(second.data)
    other = ns.smooth(values().to_pandas(), seed=6, **options)
    assert isinstance(other.data, pd.DataFrame)
    assert isinstance(other.table(), pd.DataFrame)
    assert np.abs(other.data["smoothed"].to_numpy() - first.data["smoothed"].to_numpy()).max() < 2


@sampler
def test_the_answer_says_whether_to_trust_it_and_what_was_set_apart():
    frame = values([*CODES[:38], "26732"]).with_columns(  # Côn Đảo has no neighbour
        numerator=pl.when(pl.col("area_code") == CODES[4]).then(None).otherwise(pl.col("numerator"))
    )
    result = ns.smooth(frame, method="bym2", draws=1000, chains=2, reference=REFERENCE, lang="en")
    status = dict(result.data.select("area_code", "status").iter_rows())
    assert (status["26732"], status[CODES[4]]) == ("island", "no_value")
    assert result.data["lower"].null_count() == 1
    said = result.explain()
    assert "Con Dao" in said
    assert "P(sigma > 1.0) = 0.01; P(phi < 0.5) = 0.67" in said
    assert result.trusted, said
    assert "Convergence checks passed" in said
    inside = result.data.drop_nulls()
    assert ((inside["lower"] < inside["smoothed"]) & (inside["smoothed"] < inside["upper"])).all()
    assert result.table("vi").columns[5].startswith("Cận dưới khoảng tin cậy Bayes 95%")
    assert "R-hat" in " ".join(text.get_text() for text in result.plot(lang="vi").figure.texts)
    assert result.plot("upper").data["value"].drop_nulls().min() > result.plot("lower").data["value"].min()


@sampler
def test_chains_that_are_too_short_are_not_trusted():
    result = ns.smooth(values(), method="bym2", draws=100, chains=2, reference=REFERENCE)
    assert not result.trusted
    assert "DO NOT TRUST" in result.explain("en")
    assert "KHÔNG NÊN TIN" in result.headline("vi")
    assert "NOT to be trusted" in repr(result)


@sampler
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"draws": 10}, "draws of the sampler out of range: got 10; allowed: 100 or more"),
        ({"chains": 1}, "chains of the sampler out of range: got 1; allowed: 2 or more"),
        ({"seed": -1}, "seed of the sampler out of range: got -1; allowed: 0 or more"),
        ({"weights": np.zeros((40, 40))}, "no area has a neighbour, so nothing is spatial: got 40 areas"),
    ],
)
def test_settings_out_of_range_are_refused(options: dict[str, Any], sentence: str):
    with pytest.raises(NcdsurvError, match=sentence):
        ns.smooth(values(), method="bym2", reference=REFERENCE, **options)


@sampler
def test_counts_that_say_nothing_and_maps_that_are_too_large_are_refused():
    from ncdsurv.areas import fit_bym2

    with pytest.raises(NcdsurvError, match="every rate is 0 or every share is 1, so nothing varies"):
        fit_bym2([0] * 25, [9] * 25, square(5))
    with pytest.raises(NcdsurvError, match="weights and values differ in size: got .25, 25. for 9 values"):
        fit_bym2([1] * 9, [9] * 9, square(5))
    with pytest.raises(
        NcdsurvError, match="too many areas for the sampler: got 1600 areas; allowed: up to 1200"
    ):
        fit_bym2([1] * 1600, [9] * 1600, square(40))
