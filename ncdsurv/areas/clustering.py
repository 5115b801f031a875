"""The verb `ns.clusters`: where neighbours are alike, or where the rate is higher or lower than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import polars as pl

from ncdsurv.areas.correct import (
    adjust_fdr,
    check_alpha,
    check_permutations,
    p_floor,
    permutations_needed,
    strict_threshold,
)
from ncdsurv.areas.draw import COLOURS, Scene, draw_kinds
from ncdsurv.areas.moran import GlobalMoran, global_moran, local_moran
from ncdsurv.areas.neighbours import QUEEN, Neighbours
from ncdsurv.areas.rates import standardise_rates
from ncdsurv.areas.result import AreaResult, whole
from ncdsurv.areas.smoothing import about_neighbours, find_neighbours, open_scene, set_apart
from ncdsurv.areas.take import USED
from ncdsurv.areas.words import exact, p_words, phrase, some
from ncdsurv.areas.words import method as limits
from ncdsurv.errors import StatisticsError, unknown
from ncdsurv.maps.asked import AreasAsked, Look, settle, takes
from ncdsurv.maps.wording import language, number

if TYPE_CHECKING:
    from ncdsurv.areas.scanning import ScanResult
    from ncdsurv.maps.result import MapResult

LOCAL_MORAN, GI_STAR, SCAN = "local_moran", "gi_star", "scan"
METHODS = (LOCAL_MORAN, GI_STAR, SCAN)
FDR, FDR_STRICT, NONE = "fdr", "fdr_strict", "none"
CORRECTIONS = (FDR, FDR_STRICT, NONE)
NOT_SIGNIFICANT, ISLAND = "not_significant", "island"
_KINDS = {
    LOCAL_MORAN: ("high_high", "low_low", "high_low", "low_high"),
    GI_STAR: ("hot", "cold"),
}
_ABOVE, _UNLIKE = ("high_high", "high_low", "hot"), ("high_low", "low_high")


@dataclass(frozen=True, repr=False)
class ClusterResult(AreaResult):
    """Clusters of neighbouring areas.

    Attributes:
        data: One row an area, in the kind of frame that was given: area_code, name, numerator, denominator, rate (in
            the unit of the values), z (standardised rate), lag (mean z of the neighbours), statistic, p_value
            (two-sided), p_folded (the smaller tail alone), p_adjusted, permutations, neighbours, kind. An area
            without neighbours, figure or people has kind `island`, `no_value` or `no_people` and no statistic.
        overall: Global Moran's I.
        method, correction, alpha, family: As used.
        neighbours: Who is whose neighbour, islands included.
        lang: Language of `.plot()`, `.table()` and `.explain()` unless they are told.
    """

    data: Any
    overall: GlobalMoran
    method: str
    correction: str
    alpha: float
    family: str
    neighbours: Neighbours
    lang: str
    permutations: int
    _scene: Scene
    _table: pl.DataFrame

    @property
    def islands(self) -> list[str]:
        """Codes of the areas without neighbours: not tested."""
        return [code for code, kind in self._table.select("area_code", "kind").iter_rows() if kind == ISLAND]

    @property
    def counts(self) -> dict[str, int]:
        """Number of areas of every kind."""
        found = self._table["kind"].to_list()
        every = (*_KINDS[self.method], NOT_SIGNIFICANT, ISLAND, "no_value", "no_people")
        return {kind: found.count(kind) for kind in every}

    @takes(Look)
    def plot(self, lang: str | None = None, **look: Unpack[Look]) -> MapResult:
        """A map of the clusters.

        Args:
            lang: `vi` or `en`.
            **look: See `ncdsurv.maps.asked.Look`.
        """
        lang = language(lang or self.lang)
        kinds = dict(self._table.select("area_code", "kind").iter_rows())
        order = (*_KINDS[self.method], NOT_SIGNIFICANT, ISLAND, "no_people", "no_value")
        entries = [(kind, *self._look(kind, lang)) for kind in order]
        text = {one: self.explain(one) for one in ("vi", "en")}
        notes = [
            self._correction(lang),
            self._permutations(lang),
            *about_neighbours(self.neighbours, lang)[:1],
        ]
        return draw_kinds(
            self._scene, kinds, entries, f"clusters.name.{self.method}", notes, text, lang, **look
        )

    def _look(self, kind: str, lang: str) -> tuple[str, str]:
        """Colour and legend of a kind: pale where the neighbours lie on the other side."""
        words = phrase(f"kind.{kind}", lang)
        if kind in COLOURS:
            return COLOURS[kind], words
        sides, high = self._scene.sides, kind in _ABOVE
        shades = sides.shades(high)
        return shades[-1] if kind in _UNLIKE else shades[0], sides.label(words, high, lang)

    def headline(self, lang: str | None = None) -> str:
        """How many areas are of which kind."""
        lang = language(lang or self.lang)
        parts = [
            f"{phrase(f'kind.{kind}', lang).lower()}: {number(n, lang)}"
            for kind, n in self.counts.items()
            if n
        ]
        return phrase("clusters.found", lang, parts="; ".join(parts))

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """All areas, the surest first; those that were not tested last, with the reason."""
        names = self._scene.names(lang)
        columns = self._columns(
            lang,
            ("area", "numerator", "denominator", "rate", "lag", "statistic", "p_value", "p_adjusted", "kind"),
        )
        ordered = self._table.sort("p_adjusted", "p_value", "area_code", nulls_last=True)
        return [
            dict(
                zip(
                    columns,
                    (
                        names[row["area_code"]],
                        whole(row["numerator"]),
                        whole(row["denominator"]),
                        *(row[name] for name in ("rate", "lag", "statistic", "p_value", "p_adjusted")),
                        phrase(f"kind.{row['kind']}", lang),
                    ),
                )
            )
            for row in ordered.iter_rows(named=True)
        ]

    def explain(self, lang: str | None = None) -> str:
        """What was found, how, with how many permutations and which correction, what was set apart."""
        lang = language(lang or self.lang)
        sure = self.overall.p_value <= self.alpha
        lines = [
            f"{self._scene.title(lang)}: {phrase(f'clusters.name.{self.method}', lang)}.",
            self.headline(lang),
            phrase(
                "clusters.moran", lang, statistic=number(self.overall.statistic, lang, 3),
                expected=number(self.overall.expected, lang, 4), p=p_words(self.overall.p_value, lang),
                meaning=phrase("clusters.alike" if sure else "clusters.not_alike", lang),
            ),
            phrase("clusters.rates", lang, family=phrase(f"family.{self.family}", lang)),
            self._permutations(lang),
            self._correction(lang),
            *about_neighbours(self.neighbours, lang),
        ]  # fmt: skip
        if self.islands:
            names = self._scene.names(lang)
            shown = some([names[code] for code in self.islands], lang)
            lines.append(phrase("clusters.islands", lang, n=len(self.islands), names=shown))
        last = [phrase("clusters.care", lang), self._scene.sides.explain(lang)]
        return "\n".join([*lines, *set_apart(self._scene.rows, lang), *last])

    @property
    def _tests(self) -> int:
        return self._table["p_value"].drop_nulls().len()

    def _permutations(self, lang: str) -> str:
        needed = permutations_needed(self._tests, self.alpha)
        floor = exact(p_floor(self.permutations), lang)
        if self.correction == NONE or needed <= self.permutations:
            return phrase(
                "clusters.permutations_enough", lang, n=number(self.permutations, lang), floor=floor
            )
        raised = int((self._table["permutations"] > self.permutations).sum())
        return phrase(
            "clusters.permutations", lang, n=number(self.permutations, lang), floor=floor,
            needed=number(needed, lang), raised=number(raised, lang),
        )  # fmt: skip

    def _correction(self, lang: str) -> str:
        return phrase(
            f"clusters.correction.{self.correction}", lang, n=number(self._tests, lang),
            alpha=exact(self.alpha, lang), chance=number(self.alpha * self._tests, lang),
        )  # fmt: skip

    def __repr__(self) -> str:
        found = ", ".join(f"{kind} {n}" for kind, n in self.counts.items() if n)
        return f"ClusterResult({self._scene.title('en')}, {self.method}: {found})"


@takes(AreasAsked)
def clusters(
    values: Any,
    *,
    method: str = LOCAL_MORAN,
    neighbours: str = QUEEN,
    k: int = 6,
    weights: Any = None,
    family: str | None = None,
    correction: str = FDR,
    alpha: float = 0.05,
    permutations: int | None = None,
    side: str = "both",
    max_share: float = 0.5,
    seed: int = 0,
    **asked: Unpack[AreasAsked],
) -> ClusterResult | ScanResult:
    """Clusters of areas whose rates are higher or lower than chance would have them.

    Args:
        values: polars or pandas frame with area_code, area_vintage, numerator, denominator (what
            `release.values(...)` returns has them).
        method: `local_moran` (an area and its neighbours both high, both low, or unlike), `gi_star` (hot and cold
            spots) or `scan` (Kulldorff's circles).
        neighbours, k, weights: As in `ns.smooth`; not for `scan`.
        family: `binomial` (Bernoulli for `scan`) or `poisson`; None: binomial for percent, else Poisson.
        correction: `fdr` (Benjamini-Hochberg), `fdr_strict` (PySAL's rule) or `none`; `scan` needs none.
        alpha: Level of the correction, or of the single test.
        permutations: For every area; 9,999 unless given (`scan`: 999). Where they are too few for one area alone to
            pass the correction, the areas near their floor are judged anew with enough.
        side: For `scan`: `high`, `low` or `both`.
        max_share: For `scan`: largest share of the people in a circle, up to 0.5.
        seed: Of the random numbers; the same seed and values give the same answer.
        **asked: See `ncdsurv.maps.asked.AreasAsked`.

    Returns:
        A `ClusterResult` (a `ScanResult` for `scan`) with `.data`, `.table()`, `.plot()`, `.explain()`.

    Raises:
        UsageError: Columns missing, a mixture, unknown codes or settings.
        StatisticsError: Too few areas or permutations, all rates equal, or counts that are no rates.
    """
    one = settle(AreasAsked, asked)
    lang = language(one["lang"])
    if method not in METHODS:
        raise unknown("method of finding clusters", str(method), METHODS)
    if correction not in CORRECTIONS:
        raise unknown("correction for many tests", str(correction), CORRECTIONS)
    fewest = limits()["fewest_to_scan" if method == SCAN else "fewest_to_cluster"]
    alpha = check_alpha(alpha)
    scene, family = open_scene(values, one, family=family, fewest=fewest)
    if method == SCAN:
        from ncdsurv.areas.scanning import scan_areas

        return scan_areas(
            scene, family, side=side, max_share=max_share, alpha=alpha, seed=seed, lang=lang,
            permutations=999 if permutations is None else permutations,
        )  # fmt: skip
    permutations = check_permutations(9999 if permutations is None else permutations, alpha)
    used = scene.rows.used
    who = find_neighbours(scene, used["area_code"].to_list(), neighbours, k, weights)
    linked = np.flatnonzero(who.counts > 0)
    if len(linked) < fewest:
        raise StatisticsError(
            "too few areas have neighbours",
            got=f"{len(linked)} of {used.height} areas",
            allowed=f"at least {fewest}",
            do='use neighbours="knn", or a larger territory',
        )
    matrix = who.matrix[linked][:, linked]
    z = standardise_rates(used["numerator"], used["denominator"], family)
    found = local_moran(
        z[linked], matrix, permutations=permutations, seed=seed, alpha=None if correction == NONE else alpha
    )
    overall = global_moran(z[linked], matrix, permutations=permutations, seed=seed)
    adjusted = found.p_value if correction == NONE else adjust_fdr(found.p_value)
    passes = adjusted <= alpha
    if correction == FDR_STRICT:
        passes = found.p_value <= strict_threshold(found.p_value, alpha)
    kinds = _kinds(method, passes, found.z, found.lag, found.gi_star)
    figures = pl.DataFrame(
        {
            "area_code": used["area_code"].gather(linked),
            "z": found.z,
            "lag": found.lag,
            "statistic": found.moran if method == LOCAL_MORAN else found.gi_star,
            "p_value": found.p_value,
            "p_folded": found.p_folded,
            "p_adjusted": adjusted,
            "permutations": found.permutations,
            "tested_kind": kinds,
        }
    )
    counts = pl.DataFrame({"area_code": used["area_code"], "neighbours": who.counts})
    table = _join(scene, figures, counts, lang)
    return ClusterResult(
        scene.rows.back(table),
        overall,
        method,
        correction,
        alpha,
        family,
        who,
        lang,
        permutations,
        scene,
        table,
    )


def _kinds(method: str, passes: Any, z: Any, lag: Any, gi_star: Any) -> list[str]:
    """Kind of every tested area; a Gi* whose neighbours point the other way is left undecided."""
    if method == LOCAL_MORAN:
        names = [
            f"{'high' if own > 0 else 'low'}_{'high' if near > 0 else 'low'}" for own, near in zip(z, lag)
        ]
    else:
        hot, cold = _KINDS[GI_STAR]
        names = [
            (hot if score > 0 else cold) if score * near > 0 else NOT_SIGNIFICANT
            for score, near in zip(gi_star, lag)
        ]
    return [name if sure else NOT_SIGNIFICANT for name, sure in zip(names, passes)]


def _join(scene: Scene, figures: pl.DataFrame, counts: pl.DataFrame, lang: str) -> pl.DataFrame:
    rows = scene.rows
    joined = rows.frame.join(figures, on="area_code", how="left", maintain_order="left")
    joined = joined.join(counts, on="area_code", how="left", maintain_order="left")
    kind = (
        pl.when(pl.col("status") != USED)
        .then(pl.col("status"))
        .otherwise(pl.col("tested_kind").fill_null(ISLAND))
    )
    rate = pl.when(pl.col("status") == USED).then(pl.col("numerator") / pl.col("denominator") * rows.scale)
    name = pl.col("area_code").replace_strict(scene.names(lang), default=None, return_dtype=pl.String)
    return joined.with_columns(name=name, rate=rate, kind=kind).select(
        "area_code", "name", "numerator", "denominator", "rate", "z", "lag", "statistic", "p_value", "p_folded",
        "p_adjusted", "permutations", "neighbours", "kind",
    )  # fmt: skip
