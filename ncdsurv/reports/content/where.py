"""Where is it different? Areas outside the limits of chance, a map safe from small numbers, clusters if any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.errors import NcdsurvError
from ncdsurv.reports.content.blocks import Block, heading, items, nothing, paragraph, picture, table
from ncdsurv.reports.content.places import allocated, draw_places, inside, name_of
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout

if TYPE_CHECKING:
    import polars as pl


def where(report: Report, disease: str, level: str, indicator: str | None = None) -> Block:
    """The areas of a level inside the report's area: who stands out, the map, and clusters where there are some."""
    text, name = report.text, indicator or layout()["control"]["indicator"]
    areas = text.say(f"level.{level}")
    top = heading(text("where.title", areas=areas), 3)
    frame = report.values(name, disease, level=level, area=None)
    frame = frame.filter(frame["area_code"].is_in(inside(report, level)["code"].to_list()))
    if frame["value"].null_count() == frame.height:
        return top + nothing(text("note.nothing"))
    notes = [note for note in (clusters(report, disease, frame), allocated(report, level)) if note]
    return (
        top
        + stand_out(report, disease, level, name, frame)
        + area_map(report, level, frame)
        + (items(notes, "small") if notes else Block(""))
    )


def stand_out(report: Report, disease: str, level: str, indicator: str, frame: pl.DataFrame) -> Block:
    """The funnel around the figure of the report's area, and by name those outside its 99.8 % limits."""
    import polars as pl

    import ncdsurv
    from ncdsurv.areas.words import phrase

    text, lang = report.text, report.lang
    own = report.values(indicator, disease)
    try:
        # Normal limits: interpolated exact ones would name an area with 1 of 1 person at target.
        funnel = ncdsurv.funnel(
            pl.concat([frame, own]), target=report.area, method="normal", **_of(report, level)
        )
    except NcdsurvError as error:
        return nothing(text("where.no_funnel", why=reason_of(error, lang)))
    seen = funnel.dispersion
    report.tell(
        f"funnel_{disease}",
        {
            "target": funnel.target.value,
            "phi": seen.phi,
            "overdispersion": seen.used,
            **funnel.counts,
            "outside": funnel.outside,
        },
    )
    drawn = picture(
        funnel.plot(lang=lang), alt=f"{funnel.title(lang)}: {funnel.headline(lang)}", data=funnel.data
    )
    widened = text(f"where.{'chance' if seen.used == 'none' else 'widened'}", phi=text.number(seen.phi, 1))
    return (
        paragraph(f"{funnel.headline(lang)}. {widened}")
        + drawn
        + _named(report, level, frame, funnel)
        + paragraph(phrase("funnel.care", lang), "note")
    )


def _named(report: Report, level: str, frame: pl.DataFrame, funnel: Any) -> Block:
    """Areas outside the 99.8 % limits with their published figures, farthest first; nothing where there is none."""
    from ncdsurv.areas.words import phrase

    text, most = report.text, layout()["where"]["named"]
    if not funnel.outside:
        return Block("")
    published = {row["area_code"]: row for row in frame.iter_rows(named=True)}
    position = dict(funnel.data.select("area_code", "position").iter_rows())
    names = {area["code"]: name_of(report, area) for area in inside(report, level).iter_rows(named=True)}
    rows = []
    for code in funnel.outside[:most]:
        row = published[code]
        rows.append(
            [
                names[code],
                report.of(row),
                report.rate(row),
                text.interval(row["lower"], row["upper"]),
                phrase(f"funnel.position.{position[code]}", report.lang),
            ]
        )
    more = len(funnel.outside) - most
    return table(
        [
            text(name)
            for name in ("column.area", "column.of_short", "column.rate", "column.interval", "where.side")
        ],
        rows,
        caption=text("where.outside", areas=text.say(f"level.{level}")),
        note=" ".join(
            filter(
                None,
                [
                    text.say("more", n=more) + "." if more > 0 else "",
                    report.small_note([published[code] for code in funnel.outside[:most]]),
                ],
            )
        ),
        text_columns=(0, 4),
        data=frame.filter(frame["area_code"].is_in(funnel.outside)),
    )


def mostly_small(frame: pl.DataFrame) -> bool:
    """Whether raw rates would mostly show chance: more areas of small numbers than the layout allows."""
    known = frame.drop_nulls("value")
    small = known.filter(known["flag"] == Flag.SMALL_NUMBER).height
    return bool(small > layout()["where"]["most_small"] * known.height)


def area_map(report: Report, level: str, frame: pl.DataFrame) -> Block:
    """The published rates, or the smoothed ones where numbers are mostly small; the annex has the published ones."""
    if not mostly_small(frame):
        return draw_places(report, level, frame)
    import ncdsurv

    text = report.text
    try:
        # Smoothing answers what the hatching of small numbers warns of; the words say how many there are.
        smoothed = ncdsurv.smooth(frame.drop("flag"), **_of(report, level))
    except NcdsurvError as error:
        why = paragraph(text("where.not_smoothed", why=reason_of(error, report.lang)), "note")
        return draw_places(report, level, frame) + why
    drawn = smoothed.plot()
    known = frame.drop_nulls("value")
    small = known.filter(known["flag"] == Flag.SMALL_NUMBER).height
    said = text(
        "where.smoothed",
        small=text.number(small),
        all=text.number(known.height),
        areas=text.say(f"level.{level}"),
    )
    return paragraph(said) + picture(drawn.plot(), alt=drawn.alt_text, data=smoothed.data)


def clusters(report: Report, disease: str, frame: pl.DataFrame) -> str:
    """Neighbours that are high or low together, by name and with the caveat; empty where none can be shown."""
    import ncdsurv
    from ncdsurv.areas.words import phrase, some

    level = str(frame["area_level"][0])
    try:
        found: Any = ncdsurv.clusters(frame, **_of(report, level))
    except NcdsurvError:
        return ""  # too few areas or no variance: there is nothing to say about clusters
    report.tell(f"clusters_{disease}", {"moran_p_value": found.overall.p_value, **found.counts})
    told = []
    for kind in layout()["where"]["clusters"]:
        names = found.data.filter(found.data["kind"] == kind)["name"].to_list()
        if names:
            told.append(
                f"{phrase(f'kind.{kind}', report.lang).lower()} ({len(names)}): {some(names, report.lang)}"
            )
    if not told:
        return ""
    return f"{report.text('where.clusters', told='; '.join(told))} {phrase('clusters.care', report.lang)}"


def _of(report: Report, level: str) -> dict[str, Any]:
    return {
        "period": report.period,
        "level": level,
        "vintage": report.vintage,
        "reference": report.reference,
        "catalog": report.catalog,
        "lang": report.lang,
    }
