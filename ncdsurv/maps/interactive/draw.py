"""The verb: values of several periods in, one page with a map, a slider and the figure under the pointer out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.maps.explain import explain_map
from ncdsurv.maps.interactive.page import render_page
from ncdsurv.maps.interactive.payload import make_payload
from ncdsurv.maps.interactive.result import InteractiveMap
from ncdsurv.maps.interactive.series import Series, compose_series
from ncdsurv.maps.interactive.words import LANGUAGES, phrase
from ncdsurv.maps.wording import period_words
from ncdsurv.reference import is_invented

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference


def interactive_map(
    values: Any,
    *,
    level: str | None = None,
    vintage: str | None = None,
    within: str | None = None,
    lang: str = "vi",
    classes: str = "quantile",
    k: int = 5,
    breaks: Sequence[float] | None = None,
    release: Any = None,
    reference: Reference | None = None,
    catalog: Catalog | None = None,
) -> InteractiveMap:
    """Make a map of one indicator over several periods as one web page that needs no network.

    The page shows the figure, interval, counts and course of the area under the pointer, the finger or the keyboard,
    finds areas by name without diacritics, zooms, and switches between Vietnamese and English. The classes are
    worked out over all periods, so a colour means the same in each. It holds published values only: of an area
    whose value is suppressed nothing but that fact is written.

    Args:
        values: Values of one indicator, disease, preset, sex and age band in one or more periods of one length
            (polars or pandas).
        level: Level of the areas; may be left out when the values hold one.
        vintage: Vintage of the codes; may be left out when the values hold one.
        within: Code of the area to stay inside. Left out, values of communes or districts of a single province give
            that province's map, all others the nation's.
        lang: Language the page opens in, `vi` or `en`.
        classes: `quantile`, `natural` (Fisher-Jenks) or `target` (against the national target of the last period).
        k: Number of classes, 2 to 7 (not for `target`).
        breaks: Limits between the classes instead, such as the `.breaks` of another map.
        release: The release the values are of. With it, names and boundaries come from its reference, and the page
            says so when the people are invented. Without it only the reference can say that.
        reference: Boundaries and names; the release's, or the built-in pack, unless given.
        catalog: Names and definitions; the built-in catalog unless given.

    Returns:
        An `InteractiveMap`.

    Raises:
        UsageError: The values are a mixture, of another release, of periods of several lengths, or a setting is out
            of range.

    Example:
        >>> import ncdsurv as ns
        >>> release = ns.open_store("store").releases.latest()  # doctest: +SKIP
        >>> values = release.values("control_rate", disease="hypertension", level="province",
        ...                         preset="hearts", vintage="2025")  # doctest: +SKIP
        >>> ns.interactive_map(values, release=release).save("map.html")  # doctest: +SKIP
    """
    if release is not None and reference is None:
        reference = release.reference()
    series = compose_series(
        values, level=level, vintage=vintage, within=within, lang=lang, classes=classes, k=k, breaks=breaks,
        reference=reference, catalog=catalog,
    )  # fmt: skip
    last = series.last
    if release is not None and last.rows.identity["release"] != release.id:
        raise UsageError(
            "the values are not of the release given",
            got=str(last.rows.identity["release"]),
            allowed=release.id,
            do="pass release.values(...) of the same release, or leave release out",
        )
    payload = make_payload(series, lang=lang, invented=is_invented(release, last.reference))
    text = {one: _explain(series, one) for one in LANGUAGES}
    title = payload["texts"][lang]["page"]
    return InteractiveMap(render_page(payload), _table(series), title, last.classes.breaks, text, lang)


def _table(series: Series) -> Any:
    rows = [
        picture.areas.select(pl.lit(picture.rows.period).alias("period"), pl.all())
        for picture in series.pictures
    ]
    return series.back(pl.concat(rows))


def _explain(series: Series, lang: str) -> str:
    first, last = series.periods[0], series.periods[-1]
    told = explain_map(series.last, lang, []).splitlines()
    moving = phrase(
        "moving", lang, n=len(series.periods), first=period_words(first, lang), last=period_words(last, lang)
    )
    return "\n".join([told[0], moving, *told[1:], phrase("published", lang)])
