"""Mixtures of Student's t: what is known of a number when something beside it is averaged over. Arrays in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BISECTIONS = 36  # of the span between the single distributions: the rest is rounding


@dataclass(frozen=True)
class Mixture:
    """`weight` (parts,) sums to 1; `mean`, `scale` (parts, numbers) of Student's t on `freedom` degrees of freedom."""

    weight: Array
    mean: Array
    scale: Array
    freedom: int

    def cdf(self, x: Array) -> Array:
        """Probability of a value not above `x`, by number, shape (numbers,)."""
        import numpy as np
        from scipy.special import stdtr

        return np.asarray(self.weight @ stdtr(self.freedom, (x - self.mean) / self.scale))

    def quantile(self, p: float) -> Array:
        """The value that is not passed with probability `p`, by number, shape (numbers,).

        >>> import numpy as np
        >>> single = Mixture(np.ones(1), np.zeros((1, 1)), np.ones((1, 1)), freedom=10)
        >>> round(float(single.quantile(0.975)[0]), 3)
        2.228
        """
        import numpy as np
        from scipy.special import stdtrit

        single = self.mean + self.scale * stdtrit(self.freedom, p)
        low, high = (
            single.min(axis=0),
            single.max(axis=0),
        )  # that of the mixture lies between those of its parts
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)

    def error(self) -> Array:
        """Standard deviation by number, the t distributions counted by their scale, shape (numbers,)."""
        import numpy as np

        mean = self.weight @ self.mean
        return np.sqrt(self.weight @ (self.scale**2 + (self.mean - mean) ** 2))
