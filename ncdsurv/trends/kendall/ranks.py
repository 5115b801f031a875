"""The Mann-Kendall test, its seasonal forms, corrections for autocorrelation, and Sen's slope. Arrays in, numbers out.

Mann 1945 (Econometrica 13:245), Kendall (Rank Correlation Methods); Sen 1968 (Journal of the American Statistical
Association 63:1379) for the slope and its interval; Hirsch, Slack and Smith 1982 and Hirsch and Slack 1984 (Water
Resources Research) for seasons and for seasons that depend on each other; Hamed and Rao 1998 (Journal of Hydrology
204:182) and Yue and Wang 2004 (Water Resources Management 18:201) for serial correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROUNDING = 1e-12  # of the largest value
EXACT_UP_TO = 10  # points without ties: below, the normal approximation is poor


@dataclass(frozen=True)
class Kendall:
    """A Mann-Kendall test and Sen's slope; slopes are in the unit of the series a year.

    `score` is S, `variance` its variance after any correction, `factor` what the correction multiplied it by,
    `lags` the lags that the correction used.
    """

    score: float
    variance: float
    tau: float
    statistic: float
    p_value: float
    exact: bool
    slope: float
    lower: float
    upper: float
    intercept: float
    factor: float
    lags: list[int]


def mann_kendall_test(
    months: Array,
    values: Array,
    *,
    season: bool = False,
    correction: str = "none",
    lags: int = 1,
    confidence: float = 0.95,
) -> Kendall:
    """Test a series for a monotone trend.

    Args:
        months: Ascending month indices, shape (n,); gaps are allowed without a serial correction.
        values: The series, shape (n,).
        season: Compare only same calendar months with each other.
        correction: `none`; `hamed_rao` or `yue_wang` for a series without season; `hirsch_slack` for one with.
        lags: Serial corrections look at autocorrelations up to this many months.
        confidence: Of the slope's interval, and of the significance of autocorrelations in `hamed_rao`.

    Returns:
        The test.

    Raises:
        StatisticsError: The correction gives no positive variance, or needs months that are not there.

    >>> import numpy as np
    >>> found = mann_kendall_test(np.arange(12.0), np.arange(12.0) / 12)
    >>> found.score, round(found.slope, 6), found.tau
    (66.0, 1.0, 1.0)
    """
    import numpy as np
    from scipy import stats

    months, values = np.asarray(months, dtype=float), np.asarray(values, dtype=float)
    if correction == "hirsch_slack":
        months, values = _whole_years(months, values)
    groups = (
        [months % MONTHS_PER_YEAR == at for at in range(MONTHS_PER_YEAR)] if season else [months >= months[0]]
    )
    groups = [group for group in groups if group.sum() > 1]
    score = sum(_score(values[group]) for group in groups)
    plain = sum(_variance(values[group]) for group in groups)
    pairs = sum(int(group.sum() * (group.sum() - 1) / 2) for group in groups)
    slopes = np.sort(np.concatenate([_slopes(months[group], values[group]) for group in groups]))
    slope = float(np.median(slopes))
    factor = 1.0
    used: list[int] = []
    if correction == "hirsch_slack":
        factor = (plain + 2 * _covariances(values.reshape(-1, MONTHS_PER_YEAR))) / plain if plain else 1.0
    elif correction != "none":
        factor, used = _serial_factor(months, values, slope, correction, lags, confidence)
    variance = plain * factor
    if plain > 0 and not variance > 0:
        raise StatisticsError(
            "the correction leaves no variance",
            got=f"a factor of {factor:.3f} with {lags} lags",
            do="lower the lag, or use another correction",
        )
    statistic = (score - np.sign(score)) / np.sqrt(variance) if variance > 0 else 0.0
    exact = len(values) <= EXACT_UP_TO and correction == "none" and not season and _untied(values)
    p_value = float(2 * stats.norm.sf(abs(statistic)))
    if exact:
        p_value = float(stats.kendalltau(months, values, method="exact").pvalue)
    lower, upper = _interval(slopes, np.sqrt(variance) * stats.norm.ppf(0.5 + confidence / 2))
    return Kendall(
        score=float(score),
        variance=float(variance),
        tau=float(score / pairs),
        statistic=float(statistic),
        p_value=min(p_value, 1.0),
        exact=exact,
        slope=slope,
        lower=lower,
        upper=upper,
        intercept=float(np.median(values - slope * (months - months[0]) / MONTHS_PER_YEAR)),
        factor=float(factor),
        lags=used,
    )


def _score(values: Array) -> float:
    import numpy as np

    return float(np.triu(np.sign(values[None, :] - values[:, None]), 1).sum())


def _variance(values: Array) -> float:
    """Variance of the score of a series without trend, ties counted."""
    import numpy as np

    counts = np.r_[len(values), np.unique(values, return_counts=True)[1]]
    terms = counts * (counts - 1) * (2 * counts + 5)
    return float(terms[0] - terms[1:].sum()) / 18


def _slopes(months: Array, values: Array) -> Array:
    import numpy as np

    first, second = np.triu_indices(len(values), 1)
    return (values[second] - values[first]) / (months[second] - months[first]) * MONTHS_PER_YEAR


def _interval(slopes: Array, reach: float) -> tuple[float, float]:
    """The slopes that enclose the middle ones that the test would not reject (Sen 1968), rounded outwards."""
    from math import ceil, floor

    many = len(slopes)
    low, high = floor((many - reach) / 2) - 1, ceil((many + reach) / 2)
    return float(slopes[max(low, 0)]), float(slopes[min(high, many - 1)])


def _serial_factor(
    months: Array, values: Array, slope: float, correction: str, lags: int, confidence: float
) -> tuple[float, list[int]]:
    """What serial correlation multiplies the variance by, and the lags that entered."""
    import numpy as np
    from scipy import stats

    n = len(values)
    if months[-1] - months[0] != n - 1:
        raise StatisticsError(
            "a serial correction needs every month",
            got=f"{n} of {int(months[-1] - months[0]) + 1} months",
            do="start after the gap, or pass correction='none'",
        )
    if _variance(values) == 0:
        return 1.0, []
    rest = values - slope * (months - months[0]) / MONTHS_PER_YEAR
    floor = ROUNDING * float(np.abs(values).max())  # a straight line leaves rounding, which has no ranks
    at: NDArray[np.int64] = np.arange(1, min(lags, n - 1) + 1, dtype=np.int64)
    if correction == "yue_wang":
        return float(1 + 2 * ((1 - at / n) * _autocorrelations(rest, at, floor)).sum()), at.tolist()
    ranks = stats.rankdata(np.where(np.abs(rest - rest.mean()) > floor, rest, rest.mean()))
    found = _autocorrelations(ranks, at, floor)
    clear = np.abs(found) > stats.norm.ppf(0.5 + confidence / 2) / np.sqrt(n)
    weight = (n - at) * (n - at - 1) * (n - at - 2)
    factor = 1 + 2 / (n * (n - 1) * (n - 2)) * float((weight * found)[clear].sum())
    return factor, at[clear].tolist()


def _autocorrelations(values: Array, lags: NDArray[np.int64], floor: float) -> Array:
    """Autocorrelations; 0 where no value is further than `floor` from the mean."""
    import numpy as np

    centred = values - values.mean()
    if np.abs(centred).max() <= floor:  # a straight line: nothing is left to correlate
        return np.zeros(len(lags))
    return np.array([float(centred[lag:] @ centred[:-lag]) for lag in lags]) / float(centred @ centred)


def _covariances(table: Array) -> float:
    """Sum of the covariances of the scores of all pairs of seasons (Hirsch and Slack 1984); a row a year."""
    import numpy as np

    years = len(table)
    later = np.sign(table[None, :, :] - table[:, None, :])  # [i, j, season]: year j against year i
    ranks = (years + 1 + later.sum(axis=0)) / 2
    above = np.triu(np.ones((years, years)), 1)[:, :, None] * later
    total = 0.0
    for one in range(table.shape[1]):
        for other in range(one + 1, table.shape[1]):
            agreed = float((above[:, :, one] * later[:, :, other]).sum())
            shared = 4 * float(ranks[:, one] @ ranks[:, other]) - years * (years + 1) ** 2
            total += (agreed + shared) / 3
    return total


def _whole_years(months: Array, values: Array) -> tuple[Array, Array]:
    n = len(values)
    if months[-1] - months[0] != n - 1:
        raise StatisticsError(
            "seasons that depend on each other need every month",
            got=f"{n} of {int(months[-1] - months[0]) + 1} months",
            do="start after the gap, or pass correction='none'",
        )
    first = n % MONTHS_PER_YEAR  # an incomplete year at the beginning is left out
    return months[first:], values[first:]


def _untied(values: Array) -> bool:
    import numpy as np

    return len(np.unique(values)) == len(values)
