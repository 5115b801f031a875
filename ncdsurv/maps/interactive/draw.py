"""The verb: values of several periods in, one page with a map, a slider and the figure under the pointer out."""

from __future__ import annotations

from typing import Any, Unpack

import polars as pl

from ncdsurv.errors import UsageError
from ncdsurv.maps.asked import MapsAsked, settle, takes
from ncdsurv.maps.explain import explain_map
from ncdsurv.maps.interactive.page import render_page
from ncdsurv.maps.interactive.payload import make_payload
from ncdsurv.maps.interactive.result import InteractiveMap
from ncdsurv.maps.interactive.series import Series, compose_series
from ncdsurv.maps.interactive.words import LANGUAGES, phrase
from ncdsurv.maps.wording import period_words
from ncdsurv.reference import is_invented


@takes(MapsAsked)
def interactive_map(values: Any, *, release: Any = None, **asked: Unpack[MapsAsked]) -> InteractiveMap:
    """Make a map of one indicator over several periods as one web page that needs no network.

    The page shows the figure, interval, counts and course of the area under the pointer, the finger or the keyboard,
    finds areas by name without diacritics, zooms, and switches between Vietnamese and English. The classes are
    worked out over all periods, so a colour means the same in each; a target is that of the last. It holds published
    values only: of an area whose value is suppressed nothing but that fact is written.

    Args:
        values: Values of one indicator, disease, preset, sex and age band in one or more periods of one length
            (polars or pandas).
        release: The release the values are of. With it, names and boundaries come from its reference, and the page
            says so when the people are invented. Without it only the reference can say that.
        **asked: See `ncdsurv.maps.asked.MapsAsked`.

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
    one = settle(MapsAsked, asked)
    if release is not None and one["reference"] is None:
        one["reference"] = release.reference()
    series = compose_series(values, one)
    lang = one["lang"]
    last = series.last
    if release is not None and last.rows.identity["release"] != release.id:
        raise UsageError(
            "the values are not of the release given",
            got=str(last.rows.identity["release"]),
            allowed=release.id,
            do="pass release.values(...) of the same release, or leave release out",
        )
    payload = make_payload(series, lang=lang, invented=is_invented(release, last.reference))
    text = {told: _explain(series, told) for told in LANGUAGES}
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
