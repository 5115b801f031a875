"""Who is whose neighbour: contiguity from boundaries or nearest centroids; islands are declared, never zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import UsageError, unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from ncdsurv.reference import Reference

QUEEN, KNN, GIVEN = "queen", "knn", "given"
KINDS = (QUEEN, KNN)
TOUCH_DEGREES = 1e-6  # a tenth of a metre: corners that were rounded apart still touch


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of areas.

    Attributes:
        codes: Area codes, one a row.
        matrix: Sparse (n, n) of weights before row standardisation, zero diagonal.
        kind: `queen` (a shared border or corner), `knn` (nearest centroids) or `given`.
        k: Neighbours of every area, for `knn`.
        schematic: Whether the borders they rest on are schematic.
    """

    codes: tuple[str, ...]
    matrix: csr_matrix
    kind: str = GIVEN
    k: int | None = None
    schematic: bool = False

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of neighbours of every area."""
        return np.diff(self.matrix.indptr).astype(np.int64)

    @property
    def islands(self) -> list[str]:
        """Codes of the areas without a neighbour."""
        return [self.codes[at] for at in np.flatnonzero(self.counts == 0)]

    def of(self, code: str) -> list[str]:
        """Codes of the neighbours of an area."""
        if code not in self.codes:
            raise unknown("area code among the neighbours", code, self.codes)
        at = self.codes.index(code)
        return [
            self.codes[i] for i in self.matrix.indices[self.matrix.indptr[at] : self.matrix.indptr[at + 1]]
        ]

    def among(self, codes: Sequence[str]) -> Neighbours:
        """The neighbours within some of the areas, in their order.

        Raises:
            UsageError: A code has no row.
        """
        place = {code: at for at, code in enumerate(self.codes)}
        missing = sorted(set(codes) - set(place))
        if missing:
            raise UsageError(
                "areas without a row in the weights",
                got=", ".join(missing[:6]) + (f", ... ({len(missing)} in all)" if len(missing) > 6 else ""),
                allowed="a row for every area of the values, empty for an island",
                do="build the weights from the same vintage and level",
            )
        at = np.array([place[code] for code in codes], dtype=np.int64)
        return Neighbours(tuple(codes), self.matrix[at][:, at].tocsr(), self.kind, self.k, self.schematic)


def make_neighbours(
    reference: Reference, level: str, vintage: str, codes: Sequence[str], *, kind: str = QUEEN, k: int = 6
) -> Neighbours:
    """Neighbours among areas of a reference.

    Args:
        reference: Where boundaries and centroids come from.
        level, vintage: Which areas.
        codes: The areas; neighbours are sought among them only.
        kind: `queen`: areas whose boundaries touch; an area without a boundary or that touches none is an island.
            `knn`: the `k` areas with the nearest centroids, so that no area is an island.
        k: For `knn`; at least 1, fewer than there are areas.

    Raises:
        UsageError: Unknown kind, k out of range, or an area without a centroid.
    """
    if kind not in KINDS:
        raise unknown("kind of neighbours", str(kind), KINDS)
    if kind == KNN:
        areas = reference.areas(level, vintage)
        where = dict(zip(areas["code"], zip(areas["lon"], areas["lat"])))
        return nearest(codes, *centroids_of(codes, where), k)
    import shapely

    table = reference.boundary_table(level, vintage)
    held = dict(zip(table["code"], table["geometry"]))
    shapes = shapely.from_wkb([held.get(code) for code in codes])
    return touching(codes, shapes, schematic=bool(table["schematic"][0]))


def touching(codes: Sequence[str], shapes: Any, *, schematic: bool = False) -> Neighbours:
    """Queen contiguity of shapes in degrees; a missing or empty shape has no neighbour."""
    import shapely
    from scipy.sparse import coo_matrix

    shapes = np.asarray(shapes, dtype=object)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_DEGREES)
    apart = left != right
    left, right = left[apart], right[apart]
    matrix = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(shapes), len(shapes))).tocsr()
    matrix.sort_indices()
    return Neighbours(tuple(codes), matrix, QUEEN, None, schematic)


def nearest(codes: Sequence[str], x: Any, y: Any, k: int) -> Neighbours:
    """The k nearest points of every point, coordinates in metres; at equal distance the earlier one."""
    from scipy.sparse import csr_matrix

    n = len(codes)
    if isinstance(k, bool) or not 1 <= k < n:
        raise UsageError(
            "number of nearest neighbours out of range", got=k, allowed=f"1 to {n - 1}", do="give 6"
        )
    points = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    found = np.empty((n, k), dtype=np.int64)
    for at in range(n):
        distance = ((points - points[at]) ** 2).sum(axis=1)
        distance[at] = np.inf
        near = np.flatnonzero(distance <= np.partition(distance, k - 1)[k - 1])
        found[at] = near[np.argsort(distance[near], kind="stable")][:k]
    matrix = csr_matrix(
        (np.ones(n * k), np.sort(found, axis=1).ravel(), np.arange(0, n * k + 1, k)), shape=(n, n)
    )
    return Neighbours(tuple(codes), matrix, KNN, k)


def take_neighbours(weights: Any, codes: Sequence[str]) -> Neighbours:
    """Neighbours a caller brings: a `Neighbours`, a mapping code -> codes, PySAL's W, or a matrix in `codes`' order.

    Raises:
        UsageError: Another kind of thing, a code that is not among the areas, or a matrix of another size.
    """
    from scipy.sparse import csr_matrix, issparse, lil_matrix

    if isinstance(weights, Neighbours):
        return weights.among(codes)
    listed = weights if isinstance(weights, Mapping) else getattr(weights, "neighbors", None)
    if isinstance(listed, Mapping):
        place = {code: at for at, code in enumerate(codes)}
        matrix = lil_matrix((len(codes), len(codes)))
        given = getattr(weights, "weights", None)
        for code, others in listed.items():
            strengths = given[code] if isinstance(given, Mapping) else [1.0] * len(others)
            for other, strength in zip(others, strengths):
                if code in place and other in place and code != other:
                    matrix[place[code], place[other]] = strength
        missing = [code for code in codes if code not in listed]
        if missing:
            Neighbours(tuple(map(str, listed)), csr_matrix((len(listed), len(listed)))).among(codes)
        return Neighbours(tuple(codes), matrix.tocsr())
    if issparse(weights) or (isinstance(weights, np.ndarray) and weights.ndim == 2):
        sparse = csr_matrix(weights, dtype=np.float64)
        if sparse.shape != (len(codes), len(codes)):
            raise UsageError(
                "the matrix of weights has another size",
                got=f"{sparse.shape[0]} x {sparse.shape[1]}",
                allowed=f"{len(codes)} x {len(codes)}, in the order of the values",
            )
        sparse.setdiag(0)
        sparse.eliminate_zeros()
        return Neighbours(tuple(codes), sparse)
    raise UsageError(
        "weights are of an unknown kind",
        got=type(weights).__name__,
        allowed="Neighbours, a mapping of codes, a matrix, or PySAL's W",
        do='leave weights out and say neighbours="queen" or "knn"',
    )


def centroids_of(
    codes: Sequence[str], where: Mapping[str, tuple[float | None, float | None]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centroids in metres (equal-area projection of the maps).

    Raises:
        UsageError: An area has none.
    """
    from ncdsurv.maps.layers import project_points

    missing = [code for code in codes if where.get(code, (None, None))[0] is None]
    if missing:
        raise UsageError(
            "areas without a centroid in the reference",
            got=", ".join(missing[:6]),
            do="add a pack that has them",
        )
    return project_points([where[code][0] for code in codes], [where[code][1] for code in codes])
