"""Who borders whom as a prior: the intrinsic autoregression, scaled, part by part. Arrays only.

A Riebler, SH Sørbye, D Simpson, H Rue, Stat Methods Med Res 2016;25:1145-65: the structure matrix is scaled so that
the geometric mean of the marginal variances is 1, and the standard deviation then means the same on every map.
A Freni-Sterrantino, M Ventrucci, H Rue, Spat Spatiotemporal Epidemiol 2018;26:25-34: every connected part is scaled by
itself and sums to zero by itself; an area without neighbours has a standard normal of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Structure:
    """The scaled spatial covariance of n areas, as patterns and their variances.

    Attributes:
        patterns: Eigenvectors, Float64 (n, n), one a column.
        variances: Their eigenvalues, Float64 (n,); 0 for the level of a connected part, 1 for an area without
            neighbours.
        levels: Which patterns are levels, Boolean (n,).
        parts: Places of the areas of every connected part of two or more, each ascending.
        islands: Places of the areas without neighbours.
        scales: What the structure matrix (neighbours on the diagonal, -1 for each link) of every part was multiplied
            with: the geometric mean of the variances before.
        neighbours: Of every area, Int64 (n,).
    """

    patterns: NDArray[np.float64]
    variances: NDArray[np.float64]
    levels: NDArray[np.bool_]
    parts: tuple[NDArray[np.int64], ...]
    islands: NDArray[np.int64]
    scales: tuple[float, ...]
    neighbours: NDArray[np.int64]

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The scaled covariance itself, (n, n)."""
        return (self.patterns * self.variances) @ self.patterns.T


def make_structure(neighbours: csr_matrix) -> Structure:
    """The scaled structure of some neighbours.

    Args:
        neighbours: Sparse (n, n), nonzero where two areas are neighbours; a link in one direction counts for both.

    >>> from scipy.sparse import csr_matrix
    >>> found = make_structure(csr_matrix([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    >>> [round(one, 6) for one in found.scales], found.islands.tolist(), found.covariance.round(6)[0].tolist()
    ([0.25], [2], [1.0, -1.0, 0.0])
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    links = csr_matrix(neighbours)
    links = csr_matrix(((links != 0) + (links.T != 0)).astype(np.float64))
    links.setdiag(0)
    links.eliminate_zeros()
    n = links.shape[0]
    _, label = connected_components(links, directed=False)
    patterns, variances, levels = np.zeros((n, n)), np.ones(n), np.zeros(n, dtype=bool)
    parts, scales = [], []
    for at in np.unique(label):
        areas = np.flatnonzero(label == at)
        if len(areas) == 1:
            patterns[areas, areas] = 1.0
            continue
        scale, found, vectors = _scale(links[areas][:, areas].toarray())
        patterns[np.ix_(areas, areas)] = vectors
        variances[areas] = found
        levels[areas[0]] = True  # `_scale` lists it first
        parts.append(areas)
        scales.append(scale)
    alone = np.flatnonzero(np.bincount(label)[label] == 1)
    near = np.diff(links.indptr).astype(np.int64)
    return Structure(patterns, variances, levels, tuple(parts), alone, tuple(scales), near)


def _scale(links: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Geometric mean of the variances of one part, and its scaled variances and patterns, the level first."""
    from scipy.linalg import eigh

    values, vectors = eigh(np.diag(links.sum(axis=1)) - links)
    inverse = np.concatenate([[0.0], 1 / values[1:]])  # the first is the level, 0 but for rounding
    scale = float(np.exp(np.log((vectors**2) @ inverse).mean()))
    return scale, inverse / scale, vectors
