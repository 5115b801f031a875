"""The verb `ns.smooth`: rates of small areas, steadied by what other areas show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ncdsurv.areas.draw import Scene, draw_rates
from ncdsurv.areas.neighbours import QUEEN, Neighbours, make_neighbours, take_neighbours
from ncdsurv.areas.rates import GLOBAL, METHODS, Smoothed, smooth_rates
from ncdsurv.areas.result import AreaResult, whole
from ncdsurv.areas.take import NO_PEOPLE, NO_VALUE, USED, AreaRows, take_areas
from ncdsurv.areas.words import method as limits
from ncdsurv.areas.words import phrase, some
from ncdsurv.errors import unknown
from ncdsurv.maps.asked import AreasAsked, RatesAsked, settle, takes
from ncdsurv.maps.picture import packs
from ncdsurv.maps.wording import language, number, with_unit

if TYPE_CHECKING:
    from ncdsurv.areas.bayes.result import BayesResult
    from ncdsurv.maps.result import MapResult

BYM2 = "bym2"


@dataclass(frozen=True, repr=False)
class SmoothResult(AreaResult):
    """Smoothed rates.

    Attributes:
        data: One row an area, in the kind of frame that was given: area_code, name, numerator, denominator, raw,
            smoothed, drawn_to (in the unit of the values), weight (0 to 1: how much of the area's own deviation is
            kept), neighbours, status (`smoothed`, `island`, `no_value`, `no_people`).
        method, family: As used.
        neighbours: Who is whose neighbour; None for the global method.
        lang: Language of `.plot()`, `.table()` and `.explain()` unless they are told.
    """

    data: Any
    method: str
    family: str
    neighbours: Neighbours | None
    lang: str
    _scene: Scene
    _found: Smoothed

    def headline(self, lang: str | None = None) -> str:
        """The range of the rates before and after, and how much of an area's own figure is kept."""
        lang = language(lang or self.lang)
        rows, found = self._scene.rows, self._found

        def shown(value: float) -> str:
            return with_unit(float(value) * rows.scale, rows.identity["unit"], lang)

        return phrase(
            "smooth.range", lang, raw_low=shown(found.raw.min()), raw_high=shown(found.raw.max()),
            low=shown(found.smoothed.min()), high=shown(found.smoothed.max()),
            weight=number(float(pl.Series(found.weight).median() or 0.0), lang, 2),  # type: ignore[arg-type]
        )  # fmt: skip

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """Areas with a rate, by code: counts, raw and smoothed rate, what it was drawn to and how much it kept."""
        used, found, scale = self._scene.rows.used, self._found, self._scene.rows.scale
        names = self._scene.names(lang)
        columns = self._columns(
            lang, ("area", "numerator", "denominator", "raw", "smoothed", "drawn_to", "weight")
        )
        figures = zip(found.raw * scale, found.smoothed * scale, found.mean * scale, found.weight)
        counts = used.select("area_code", "numerator", "denominator").iter_rows()
        return [
            dict(zip(columns, (names[code], whole(n), whole(d), *map(float, of_area))))
            for (code, n, d), of_area in zip(counts, figures)
        ]

    @takes(RatesAsked)
    def plot(
        self, column: str = "smoothed", lang: str | None = None, **asked: Unpack[RatesAsked]
    ) -> MapResult:
        """A map of the smoothed rates.

        Args:
            column: `smoothed`, or `raw` to compare.
            lang: `vi` or `en`.
            **asked: See `ncdsurv.maps.asked.RatesAsked`.
        """
        if column not in ("smoothed", "raw"):
            raise unknown("column to map", str(column), ("smoothed", "raw"))
        lang = language(lang or self.lang)
        rows = self._scene.rows
        values = getattr(self._found, column) * rows.scale
        table = pl.DataFrame({"area_code": rows.used["area_code"], "value": values})
        how = f"smooth.name.{self.method}" if column == "smoothed" else "smooth.raw"
        text = {one: self.explain(one) for one in ("vi", "en")}
        notes = []
        if column == "smoothed":
            notes = [
                phrase(f"smooth.how.{self.method}", lang, family=phrase(f"family.{self.family}", lang)),
                phrase("smooth.care", lang),
            ]
        return draw_rates(self._scene, table, how, notes, text, lang, **asked)

    def explain(self, lang: str | None = None) -> str:
        """Why, how, what changed, what was set apart, how far to trust it; one statement a line."""
        lang = language(lang or self.lang)
        rows, found = self._scene.rows, self._found
        lines = [
            f"{self._scene.title(lang)}: {phrase(f'smooth.name.{self.method}', lang)}.",
            self.headline(lang),
            phrase("smooth.why", lang),
            phrase(f"smooth.how.{self.method}", lang, family=phrase(f"family.{self.family}", lang)),
        ]
        if self.neighbours is not None:
            lines += about_neighbours(self.neighbours, lang)
            if self.neighbours.islands:
                lines.append(_islands("smooth.islands", self.neighbours.islands, self._scene, lang))
        apart = found.clamped & (self.neighbours.counts > 0 if self.neighbours is not None else True)
        if self.method == GLOBAL and apart.all():
            lines.append(phrase("smooth.clamped_all", lang))
        elif apart.any():
            lines.append(phrase("smooth.clamped_some", lang, n=number(int(apart.sum()), lang)))
        return "\n".join([*lines, *set_apart(rows, lang), phrase("smooth.care", lang)])

    def __repr__(self) -> str:
        return f"SmoothResult({self._scene.title('en')}, {self.method}, {len(self._found.raw)} areas)"


@takes(AreasAsked)
def smooth(
    values: Any,
    *,
    method: str = GLOBAL,
    neighbours: str = QUEEN,
    k: int = 6,
    weights: Any = None,
    family: str | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    **asked: Unpack[AreasAsked],
) -> SmoothResult | BayesResult:
    """Rates of small areas, steadied: empirical Bayes, or the full Bayesian spatial model.

    Args:
        values: polars or pandas frame with area_code, area_vintage, numerator, denominator (what
            `release.values(...)` returns has them).
        method: `global`: towards the overall rate. `local`, `spatial`: towards the area and its neighbours; see
            `ncdsurv.areas.smooth_rates`. `bym2`: the full Bayesian spatial model with intervals, see
            `ncdsurv.areas.fit_bym2`; needs the extra `bayes` and some ten seconds for a province.
        neighbours: `queen` (shared border or corner) or `knn` (`k` nearest centroids), for all but
            `global`.
        k: Number of nearest neighbours.
        weights: Neighbours of your own instead: `Neighbours`, a mapping code -> codes, PySAL's W, or a matrix in the
            order of the sorted codes of areas with a rate.
        family: `binomial` or `poisson`; None: binomial for percent, else Poisson.
        draws, chains, seed: For `bym2`: draws kept of every chain, number of chains, and the seed; the same seed and
            values give the same answer.
        **asked: See `ncdsurv.maps.asked.AreasAsked`.

    Returns:
        A `SmoothResult` with `.data`, `.table()`, `.plot()` and `.explain()`. An area without a figure or with a
        denominator of 0 stays in `.data` with a null rate and its status. An area without neighbours keeps its own
        rate. For `bym2` a `BayesResult` with the same, and `.trusted`: whether the chains agree.

    Raises:
        UsageError: Columns missing, a mixture, unknown codes or settings, or `bym2` without its sampler.
        StatisticsError: Fewer than two areas with a rate, all rates equal, or counts that are no rates.

    >>> import polars as pl
    >>> v = pl.DataFrame({"area_code": ["01", "79", "48"], "area_vintage": "2025", "numerator": [10, 60, 2],
    ...                   "denominator": [100, 200, 40]})
    >>> smooth(v).data["weight"].round(2).to_list()
    [0.82, 0.64, 0.9]
    """
    one = settle(AreasAsked, asked)
    lang = language(one["lang"])
    if method not in (*METHODS, BYM2):
        raise unknown("smoothing method", str(method), (*METHODS, BYM2))
    if method == BYM2:
        from ncdsurv.areas.bayes.sample import require_sampler

        require_sampler()
    scene, family = open_scene(values, one, family=family, fewest=limits()["fewest_to_smooth"])
    rows = scene.rows
    used = rows.used
    who = None
    if method != GLOBAL:
        who = find_neighbours(scene, used["area_code"].to_list(), neighbours, k, weights)
    if method == BYM2 and who is not None:
        from ncdsurv.areas.bayes.verb import smooth_bayes

        return smooth_bayes(scene, family, who, draws=draws, chains=chains, seed=seed, lang=lang)
    found = smooth_rates(
        used["numerator"], used["denominator"], method=method, family=family,
        neighbours=None if who is None else who.matrix,
    )  # fmt: skip
    if who is not None:
        found = _keep_islands(found, who)
    return SmoothResult(rows.back(_table(scene, found, who, lang)), method, family, who, lang, scene, found)


def open_scene(
    values: Any, asked: AreasAsked, *, family: str | None, fewest: int, alike: bool = False
) -> tuple[Scene, str]:
    """Checked rows with the packs and names they need, and the family of rates; see `take_areas`."""
    catalog, reference = packs(asked["catalog"], asked["reference"])
    rows, family = take_areas(
        values, reference, period=asked["period"], level=asked["level"], vintage=asked["vintage"], family=family,
        fewest=fewest, alike=alike,
    )  # fmt: skip
    return Scene(rows, reference, catalog), family


def find_neighbours(scene: Scene, codes: list[str], kind: str, k: int, weights: Any) -> Neighbours:
    """Neighbours the caller brings, else from the reference."""
    if weights is not None:
        return take_neighbours(weights, codes)
    return make_neighbours(scene.reference, scene.rows.level, scene.rows.vintage, codes, kind=kind, k=k)


def about_neighbours(neighbours: Neighbours, lang: str) -> list[str]:
    """Who counts as a neighbour, and how far to trust that."""
    lines = [phrase(f"neighbours.{neighbours.kind}", lang, k=neighbours.k)]
    return [*lines, phrase("neighbours.schematic", lang)] if neighbours.schematic else lines


def set_apart(rows: AreaRows, lang: str) -> list[str]:
    """How many areas have no rate, by reason; nothing where all have one."""
    counts = {
        status: rows.frame.filter(pl.col("status") == status).height for status in (NO_VALUE, NO_PEOPLE)
    }
    return [phrase("apart", lang, **counts)] if any(counts.values()) else []


def _islands(key: str, codes: list[str], scene: Scene, lang: str) -> str:
    names = scene.names(lang)
    return phrase(key, lang, n=len(codes), names=some([names[code] for code in codes], lang))


def _keep_islands(found: Smoothed, who: Neighbours) -> Smoothed:
    """An area without neighbours has only itself to be drawn to: its rate stays, with the whole weight."""
    import numpy as np

    alone = who.counts == 0
    return Smoothed(
        found.raw,
        np.where(alone, found.raw, found.smoothed),
        np.where(alone, 1.0, found.weight),
        found.mean,
        found.between,
        found.clamped & ~alone,
    )


def _table(scene: Scene, found: Smoothed, who: Neighbours | None, lang: str) -> pl.DataFrame:
    rows, names = scene.rows, scene.names(lang)
    counts = [None] * len(found.raw) if who is None else who.counts.tolist()
    figures = pl.DataFrame(
        {
            "area_code": rows.used["area_code"],
            "raw": found.raw * rows.scale,
            "smoothed": found.smoothed * rows.scale,
            "drawn_to": found.mean * rows.scale,
            "weight": found.weight,
            "neighbours": pl.Series(counts, dtype=pl.Int64),
        }
    )
    joined = rows.frame.join(figures, on="area_code", how="left", maintain_order="left")
    status = (
        pl.when(pl.col("status") != USED)
        .then(pl.col("status"))
        .when(pl.col("neighbours") == 0)
        .then(pl.lit("island"))
        .otherwise(pl.lit("smoothed"))
    )
    return joined.with_columns(
        name=pl.col("area_code").replace_strict(names, default=None, return_dtype=pl.String), status=status
    ).select(
        "area_code", "name", "numerator", "denominator", "raw", "smoothed", "drawn_to", "weight", "neighbours", "status"
    )  # fmt: skip
