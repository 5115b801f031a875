"""Kulldorff's scan over areas of a reference, as `ns.clusters(method="scan")` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from ncdsurv.areas.draw import COLOURS, Scene, draw_kinds
from ncdsurv.areas.neighbours import centroids_of
from ncdsurv.areas.rates import BINOMIAL, POISSON
from ncdsurv.areas.result import AreaResult, whole
from ncdsurv.areas.scan import Circle, scan_circles
from ncdsurv.areas.scan_drawings import BERNOULLI
from ncdsurv.areas.smoothing import set_apart
from ncdsurv.areas.take import USED
from ncdsurv.areas.words import exact, p_words, phrase
from ncdsurv.maps.asked import Look, takes
from ncdsurv.maps.wording import language, number

if TYPE_CHECKING:
    from ncdsurv.maps.result import MapResult

_METRES = 1000.0
_COLUMNS = (
    "cluster", "side", "centre", "areas", "radius", "numerator", "denominator", "expected", "relative", "log_ratio",
    "p_value",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class ScanResult(AreaResult):
    """Clusters found by the spatial scan.

    Attributes:
        data: One row an area, in the kind of frame that was given: area_code, name, numerator, denominator, rate (in
            the unit of the values), cluster (1 the most likely; null outside all that pass), kind.
        circles: All clusters found, the most likely first, whether they pass or not.
        model: `poisson` or `bernoulli`.
        side, max_share, alpha, permutations: As used.
        lang: Language of `.plot()`, `.table()` and `.explain()` unless they are told.
    """

    data: Any
    circles: list[Circle]
    model: str
    side: str
    max_share: float
    alpha: float
    permutations: int
    lang: str
    _scene: Scene
    _table: pl.DataFrame

    @property
    def found(self) -> list[Circle]:
        """The clusters whose p value is at most alpha."""
        return [circle for circle in self.circles if circle.p_value <= self.alpha]

    def headline(self, lang: str | None = None) -> str:
        """The most likely cluster that passes, or that none does."""
        lang = language(lang or self.lang)
        found = self._found(lang)
        return found[0] if found else phrase("scan.nothing", lang, alpha=exact(self.alpha, lang))

    def rows(self, lang: str) -> list[dict[str, Any]]:
        """All clusters found, the most likely first, whether they pass or not; the same numbers as `.circles`."""
        names, codes = self._scene.names(lang), self._scene.rows.used["area_code"]
        columns = self._columns(lang, _COLUMNS)
        return [
            dict(
                zip(
                    columns,
                    (
                        at,
                        phrase("scan.high" if one.high else "scan.low", lang),
                        names[codes[one.areas[0]]],
                        len(one.areas),
                        one.radius / _METRES,
                        whole(one.count),
                        whole(one.population),
                        one.expected,
                        one.relative,
                        one.log_ratio,
                        one.p_value,
                    ),
                )
            )
            for at, one in enumerate(self.circles, 1)
        ]

    def table(self, lang: str | None = None) -> Any:
        """As every result's; without any circle a frame of no rows."""
        if self.circles:
            return super().table(lang)
        return self._kind_given(pl.DataFrame(schema=self._columns(language(lang or self.lang), _COLUMNS)))

    @takes(Look)
    def plot(self, lang: str | None = None, **look: Unpack[Look]) -> MapResult:
        """A map of the clusters that pass.

        Args:
            lang: `vi` or `en`.
            **look: See `ncdsurv.maps.asked.Look`.
        """
        lang = language(lang or self.lang)
        entries, used, sides = [], {True: 0, False: 0}, self._scene.sides
        for at, one in enumerate(self.found, 1):
            shades = sides.shades(one.high)
            colour = shades[used[one.high] % len(shades)]
            used[one.high] += 1
            label = phrase(
                "scan.label", lang, number=at,
                side=sides.label(phrase("scan.high" if one.high else "scan.low", lang), one.high, lang),
                relative=number(one.relative, lang, 2), p=p_words(one.p_value, lang, 3),
            )  # fmt: skip
            entries.append((f"cluster_{at}", colour, label.replace(" = ", "\u00a0=\u00a0")))
        for kind in ("outside", "no_people", "no_value"):
            entries.append((kind, COLOURS[kind], phrase(f"kind.{kind}", lang)))
        kinds = dict(self._table.select("area_code", "kind").iter_rows())
        text = {one: self.explain(one) for one in ("vi", "en")}
        codes = self._scene.rows.used["area_code"]
        marks = {codes[one.areas[0]]: str(at) for at, one in enumerate(self.found, 1)}
        notes = [self._how(lang), phrase("scan.shape", lang)]
        return draw_kinds(
            self._scene,
            kinds,
            entries,
            "scan.name",
            notes,
            text,
            lang,
            legend="legend.scan",
            marks=marks,
            **look,
        )

    def explain(self, lang: str | None = None) -> str:
        """What was found, how, what was set apart and how far to trust it."""
        lang = language(lang or self.lang)
        lines = [
            f"{self._scene.title(lang)}: {phrase('scan.name', lang)}.",
            *(self._found(lang) or [self.headline(lang)]),
            self._how(lang),
            phrase("scan.spread", lang),
            phrase("scan.shape", lang),
            *set_apart(self._scene.rows, lang),
        ]
        return "\n".join([*lines, phrase("clusters.care", lang), self._scene.sides.explain(lang)])

    def _found(self, lang: str) -> list[str]:
        names, codes = self._scene.names(lang), self._scene.rows.used["area_code"]
        return [
            phrase(
                "scan.found", lang, number=at, side=phrase("scan.high" if one.high else "scan.low", lang),
                areas=number(len(one.areas), lang), centre=names[codes[one.areas[0]]],
                radius=number(one.radius / _METRES, lang), count=number(one.count, lang),
                expected=number(one.expected, lang, 1), relative=number(one.relative, lang, 2),
                p=p_words(one.p_value, lang, 3),
            )
            for at, one in enumerate(self.found, 1)
        ]  # fmt: skip

    def _how(self, lang: str) -> str:
        return phrase(
            "scan.how", lang, share=number(100 * self.max_share, lang), model=phrase(f"model.{self.model}", lang),
            n=number(self.permutations, lang), floor=exact(1 / (self.permutations + 1), lang),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"ScanResult({self._scene.title('en')}, {self.model}: {len(self.found)} clusters)"


def scan_areas(
    scene: Scene,
    family: str,
    *,
    side: str,
    max_share: float,
    alpha: float,
    permutations: int,
    seed: int,
    lang: str,
) -> ScanResult:
    """Scan the areas of a scene around their centroids."""
    rows = scene.rows
    used = rows.used
    model = BERNOULLI if family == BINOMIAL else POISSON
    areas = scene.reference.areas(rows.level, rows.vintage)
    where = dict(zip(areas["code"], zip(areas["lon"], areas["lat"])))
    x, y = centroids_of(used["area_code"].to_list(), where)
    circles = scan_circles(
        used["numerator"], used["denominator"], x, y, model=model, side=side, max_share=max_share,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    member = {
        used["area_code"][place]: at
        for at, one in enumerate(circles, 1)
        if one.p_value <= alpha
        for place in one.areas
    }
    cluster = pl.Series([member.get(code) for code in rows.frame["area_code"]], dtype=pl.Int64)
    kind = (
        pl.when(pl.col("status") != USED)
        .then(pl.col("status"))
        .when(pl.col("cluster").is_null())
        .then(pl.lit("outside"))
        .otherwise(pl.format("cluster_{}", "cluster"))
    )
    rate = pl.when(pl.col("status") == USED).then(pl.col("numerator") / pl.col("denominator") * rows.scale)
    name = pl.col("area_code").replace_strict(scene.names(lang), default=None, return_dtype=pl.String)
    table = rows.frame.with_columns(cluster=cluster).with_columns(name=name, rate=rate, kind=kind)
    table = table.select("area_code", "name", "numerator", "denominator", "rate", "cluster", "kind")
    return ScanResult(
        rows.back(table), circles, model, side, max_share, alpha, permutations, lang, scene, table
    )
