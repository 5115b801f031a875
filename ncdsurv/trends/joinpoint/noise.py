"""What the errors of a joinpoint model are like: unequal variances and first-order autocorrelation.

The model is fitted to whitened data: row i of data and design becomes `scale[i] * row[i] - carry[i] * row[i-1]`.
With weights w (reciprocal variances) and errors whose correlation over d months is rho ** d, ordinary least
squares on whitened rows is generalised least squares, gaps between months included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST = 0.95  # an estimate beyond this is a trend in disguise, and whitening would wipe the level out


@dataclass(frozen=True)
class Noise:
    """Multipliers that whiten a series; both of shape (n,)."""

    scale: Array
    carry: Array

    def whiten(self, rows: Array) -> Array:
        """Whitened rows.

        Args:
            rows: Data or design, shape (n,) or (n, columns).

        Returns:
            The same shape.
        """
        shape = (-1,) + (1,) * (rows.ndim - 1)
        out = self.scale.reshape(shape) * rows
        out[1:] -= self.carry[1:].reshape(shape) * rows[:-1]
        return out


def make_noise(months: Array, weights: Array, rho: float = 0.0) -> Noise:
    """Whitening for given weights and autocorrelation.

    Args:
        months: Ascending month indices, shape (n,); gaps are allowed.
        weights: Reciprocals of the variances up to a common factor, shape (n,).
        rho: Correlation of errors one month apart, between -1 and 1.

    Returns:
        The whitening.

    >>> import numpy as np
    >>> make_noise(np.arange(3.0), np.array([4.0, 1.0, 1.0])).whiten(np.ones(3)).tolist()
    [2.0, 1.0, 1.0]
    """
    import numpy as np

    weights = np.asarray(weights, dtype=float)
    root = np.sqrt(weights / weights.max())
    shared = np.zeros(len(root))
    if rho:
        shared[1:] = np.sign(rho) ** np.diff(months) * abs(rho) ** np.diff(months)
    free = np.sqrt(1.0 - shared**2)
    carry = np.zeros(len(root))
    carry[1:] = shared[1:] * root[:-1] / free[1:]
    return Noise(root / free * weights.max() ** 0.5, carry * weights.max() ** 0.5)


def lag_one(months: Array, weights: Array, residuals: Array) -> float:
    """Correlation of standardised residuals one month apart, kept within +-0.95.

    Args:
        months: Month indices, shape (n,).
        weights: Reciprocals of the variances, shape (n,).
        residuals: Observed less fitted, shape (n,).

    Returns:
        The estimate; 0 where a perfect fit leaves nothing but rounding.
    """
    import numpy as np

    standard = residuals * np.sqrt(weights)
    near = np.diff(months) == 1
    total = float(standard @ standard)
    if total <= np.finfo(float).eps or not near.any():
        return 0.0
    found = float((standard[1:] * standard[:-1])[near].sum() / near.sum()) / (total / len(standard))
    return float(np.clip(found, -MOST, MOST))
