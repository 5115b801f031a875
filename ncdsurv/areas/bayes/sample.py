"""Draws from the BYM2 model by the No-U-Turn sampler of nutpie, and whether they are to be trusted. Arrays only.

A Vehtari et al., Bayesian Anal 2021;16:667-718: rank-normalised split R-hat, effective sample sizes of the bulk and
the tails; any divergence means that the sampler could not follow the density somewhere.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.areas.bayes.model import Model
from ncdsurv.areas.bayes.prior import share_prior, spread_rate
from ncdsurv.areas.bayes.structure import make_structure
from ncdsurv.areas.rates import POISSON, check_counts
from ncdsurv.areas.words import method as limits
from ncdsurv.errors import StatisticsError, UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix

_TARGET_ACCEPT = 0.95  # smaller steps than is usual: where sigma nears 0 the density narrows
_NEEDED = ("nutpie", "arviz", "numba")


@dataclass(frozen=True)
class Checks:
    """Whether the chains agree.

    Attributes:
        r_hat: The largest R-hat of all rates and of level, sigma and phi; near 1 where the chains agree.
        bulk, tail: The smallest effective sample sizes.
        divergences: Steps that went astray after the warm-up.
        trusted: All of them within the limits of `bayes.toml`.
    """

    r_hat: float
    bulk: float
    tail: float
    divergences: int
    trusted: bool


@dataclass(frozen=True)
class Posterior:
    """What the data say of n areas.

    Attributes:
        raw: count / population, Float64 (n,).
        smoothed, lower, upper: Posterior mean and 95 % interval of the rate per person, Float64 (n,).
        sigma: Mean, lower and upper of the standard deviation between areas (of log rates, or log odds of shares).
        phi: The same of the share of it that is spatial.
        checks: Whether to trust all this.
        scales: What the structure matrix of every connected part was multiplied with.
        parts: Number of connected parts of two areas or more.
        islands: Places of the areas without neighbours.
        neighbours: Neighbours of every area, links counted in both directions, Int64 (n,).
        draws, chains, seed: As used.
    """

    raw: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    sigma: tuple[float, float, float]
    phi: tuple[float, float, float]
    checks: Checks
    scales: tuple[float, ...]
    parts: int
    islands: tuple[int, ...]
    neighbours: NDArray[np.int64]
    draws: int
    chains: int
    seed: int


def fit_bym2(
    count: ArrayLike,
    population: ArrayLike,
    neighbours: csr_matrix,
    *,
    family: str = POISSON,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
) -> Posterior:
    """Rates under the BYM2 model (Besag, York and Mollié as written anew by Riebler et al. 2016).

    Priors: sigma exponential with P(sigma > 1) = 0.01; phi by its distance from no spatial spread, P(phi < 0.5) = 2/3;
    the level normal about the overall rate, standard deviation 5 (of logs or log odds).

    Args:
        count: Events or people with the attribute, >= 0, shape (n,).
        population: People at risk, > 0, shape (n,); expected events give relative risks.
        neighbours: Sparse (n, n), nonzero where two areas are neighbours; a link in one direction counts for both.
        family: `poisson` or `binomial`.
        draws: Kept of every chain; as many more come before, to find their step.
        chains: At least two, or nothing can be compared.
        seed: Of the random numbers; the same seed and data give the same answer.

    Returns:
        A `Posterior`; look at `.checks.trusted` first.

    Raises:
        UsageError: The sampler is not installed, or settings out of range.
        StatisticsError: Counts that cannot be rates, no case at all, or no area with a neighbour.
    """
    require_sampler()
    _check_settings(draws, chains, seed)
    e, b = check_counts(count, population, family)
    if not e.sum() > 0 or (family != POISSON and e.sum() == b.sum()):
        raise StatisticsError(
            "every rate is 0 or every share is 1, so nothing varies",
            got=f"{len(b)} areas",
            do="choose another indicator or period",
        )
    rules = limits()["bayes"]
    if len(e) > rules["most_areas"]:
        raise StatisticsError(
            "too many areas for the sampler",
            got=f"{len(e)} areas",
            allowed=f"up to {rules['most_areas']}",
            do='take one province, a coarser level, or method="spatial"',
        )
    if neighbours.shape != (len(e), len(e)):
        raise StatisticsError(
            "weights and values differ in size",
            got=f"{neighbours.shape} for {len(e)} values",
            do="give one row an area",
        )
    structure = make_structure(neighbours)
    if not structure.parts:
        raise StatisticsError(
            "no area has a neighbour, so nothing is spatial",
            got=f"{len(e)} areas",
            do='use neighbours="knn", or method="global"',
        )
    model = Model(
        e, b, family, structure,
        spread_rate(rules["sigma_upper"], rules["sigma_above"]),
        share_prior(structure.variances[~structure.levels], rules["phi_middle"], rules["phi_below"]),
        rules["level_spread"],
    )  # fmt: skip
    found = _sample(model, draws, chains, seed)
    rates = found["rate"].reshape(-1, len(e))
    lower, upper = np.quantile(rates, [0.025, 0.975], axis=0)
    return Posterior(
        e / b, rates.mean(axis=0), lower, upper, _summary(found["sigma"]), _summary(found["phi"]),
        _judge(found), structure.scales, len(structure.parts), tuple(structure.islands.tolist()),
        structure.neighbours, draws, chains, seed,
    )  # fmt: skip


def require_sampler() -> None:
    """The extra that samples is installed.

    Raises:
        UsageError: It is not; says what to install.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            "BYM2 needs a sampler that is not installed",
            got=f"no {', no '.join(missing)}",
            do='pip install "ncdsurv[bayes]", or smooth with method="spatial", which needs nothing more',
        )


def _check_settings(draws: int, chains: int, seed: int) -> None:
    rules = limits()["bayes"]
    for name, given, least in (
        ("draws", draws, rules["fewest_draws"]),
        ("chains", chains, rules["fewest_chains"]),
        ("seed", seed, 0),
    ):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
            raise UsageError(f"{name} of the sampler out of range", got=given, allowed=f"{least} or more")


def _sample(model: Model, draws: int, chains: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Draws by name, (chains, draws, ...), and `diverging`."""
    with _quiet():
        import nutpie
        from nutpie.compiled_pyfunc import from_pyfunc

    n = len(model.count)
    model.log_density(np.zeros(model.size))  # compiled once, before the chains start side by side

    def start(seed: int) -> NDArray[np.float64]:
        return np.random.default_rng(seed).uniform(-0.5, 0.5, model.size)

    compiled = from_pyfunc(
        model.size,
        lambda: model.log_density,
        lambda *_: model.read,
        [np.dtype("float64")] * 4,
        [(n,), (), (), ()],
        ["rate", "level", "sigma", "phi"],
        make_initial_point_fn=start,
    )
    with _quiet():
        trace = nutpie.sample(
            compiled, draws=draws, tune=draws, chains=chains, seed=seed, progress_bar=False, save_warmup=False,
            target_accept=_TARGET_ACCEPT,
        )  # fmt: skip
    found = {name: np.asarray(trace.posterior[name].values) for name in ("rate", "level", "sigma", "phi")}
    return found | {"diverging": np.asarray(trace.sample_stats["diverging"].values)}


def _judge(found: dict[str, NDArray[np.float64]]) -> Checks:
    with _quiet():
        import arviz

        data = arviz.convert_to_dataset({name: found[name] for name in ("rate", "level", "sigma", "phi")})
        r_hat = _extreme(arviz.rhat(data), np.max)
        bulk = _extreme(arviz.ess(data, method="bulk"), np.min)
        tail = _extreme(arviz.ess(data, method="tail"), np.min)
    diverging = int(found["diverging"].sum())
    rules = limits()["bayes"]
    least = rules["fewest_effective_per_chain"] * found["sigma"].shape[0]
    trusted = r_hat <= rules["r_hat_limit"] and min(bulk, tail) >= least and diverging == 0
    return Checks(r_hat, bulk, tail, diverging, bool(trusted))


def _extreme(table: Any, which: Any) -> float:
    return float(which([which(table[name].values) for name in table.data_vars]))


def _summary(draws: NDArray[np.float64]) -> tuple[float, float, float]:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return float(draws.mean()), float(lower), float(upper)


def _quiet() -> warnings.catch_warnings:
    """arviz announces its own future on import."""
    return warnings.catch_warnings(action="ignore", category=FutureWarning)
