"""The areas inside the report's area: a map, a table with intervals, and a caterpillar. Never a ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import NATION, Level
from ncdsurv.errors import NcdsurvError
from ncdsurv.reports.content.blocks import Block, heading, nothing, paragraph, picture, table
from ncdsurv.reports.content.quality import of_area
from ncdsurv.reports.content.refusals import reason_of
from ncdsurv.reports.content.report import Report, layout

if TYPE_CHECKING:
    import polars as pl


def inside(report: Report, level: str, vintage: str | None = None) -> pl.DataFrame:
    """Areas of a level that hold territory of the report's area, by code: the reference's frame.

    Args:
        report: The report.
        level: Level of the areas.
        vintage: Vintage of the areas; the report's own when None.
    """
    vintage = vintage or report.vintage
    areas = report.reference.areas(level=level, vintage=vintage).sort("code")
    if report.area == NATION:
        return areas
    own = report.reference.atom_areas(report.vintage)
    atoms = own.filter(own[report.level] == report.area)["atom"]
    wanted = report.reference.atom_areas(vintage)
    codes = wanted.filter(wanted["atom"].is_in(atoms.to_list()))[level].drop_nulls().unique()
    return areas.filter(areas["code"].is_in(codes.to_list()))


def name_of(report: Report, area: dict[str, Any]) -> str:
    """Name of an area of the reference's frame in the report's language."""
    return str((area.get("name_en") if report.lang == "en" else None) or area["name"])


def _values(report: Report, disease: str, level: str, indicator: str) -> Any:
    areas = inside(report, level)
    frame = report.values(indicator, disease, level=level, area=None)
    return areas, frame.filter(frame["area_code"].is_in(areas["code"].to_list()))


def place_map(report: Report, disease: str, level: str, indicator: str | None = None) -> Block:
    """A choropleth of the areas of a level; small numbers hatched, areas without data named as such."""
    text, name = report.text, indicator or layout()["control"]["indicator"]
    _, frame = _values(report, disease, level, name)
    top = heading(text("map.title", areas=text.say(f"level.{level}")), 3) + paragraph(text("map.prose"))
    note = allocated(report, level)
    return top + draw_places(report, level, frame) + (paragraph(note) if note else Block(""))


def draw_places(report: Report, level: str, frame: pl.DataFrame) -> Block:
    """The map of published values of one period, or why there is none."""
    from ncdsurv.maps import draw_map

    try:
        drawn = draw_map(
            frame,
            period=report.period,
            level=level,
            vintage=report.vintage,
            reference=report.reference,
            lang=report.lang,
        )
    except NcdsurvError as error:
        return nothing(report.text("map.none", why=reason_of(error, report.lang)))
    return picture(drawn.plot(), alt=drawn.alt_text, data=frame)


def map_course(report: Report, disease: str, level: str) -> Block:
    """The same map in a few months up to now, with the same classes, so that a change of colour is a change."""
    from ncdsurv.maps import small_multiples

    text, part = report.text, layout()["map_course"]
    name = layout()["control"]["indicator"]
    months = report.published_months(part["step"] * part["maps"])[:: -part["step"]][: part["maps"]]
    areas = inside(report, level)["code"].to_list()
    frame = report.values(name, disease, level=level, area=None, period=months)
    frame = frame.filter(frame["area_code"].is_in(areas)).drop_nulls("value")
    top = heading(text("map_course.title"), 3)
    shown = frame["period"].unique().sort().to_list()
    if len(shown) < 2:
        return top + nothing(text("map_course.none"))
    drawn = small_multiples(
        frame,
        shown,
        level=level,
        vintage=report.vintage,
        reference=report.reference,
        lang=report.lang,
        width=part["width"],
    )
    return (
        top + paragraph(text("map_course.prose")) + picture(drawn.plot(), alt=drawn.alt_text, data=drawn.data)
    )


def allocated(report: Report, level: str) -> str:
    """What a reader of small areas must know: how many people were placed by population share."""
    from ncdsurv.quality import load_metrics

    kinds = [metric.id for metric in load_metrics().values() if metric.kind == "allocated"]
    found = of_area(report)
    found = found.filter(found["metric"].is_in(kinds), found["numerator"] > 0)
    if found.is_empty() or level not in (Level.COMMUNE, Level.DISTRICT):
        return ""
    row = found.row(0, named=True)
    return report.text("places.allocated", share=report.text.percent(row["value"]), of=report.of(row))


def place_table(report: Report, disease: str, level: str) -> Block:
    """Counts and rates of every area of a level, in order of code."""
    text, part = report.text, layout()["overview"]
    areas = inside(report, level)
    frame = report.values([*part["counts"], *part["rates"]], disease, level=level, area=None)
    cells = {(row["area_code"], row["indicator"]): row for row in frame.iter_rows(named=True)}
    rows, marked = [], []
    for area in areas.iter_rows(named=True):
        found = {name: cells.get((area["code"], name)) for name in (*part["counts"], *part["rates"])}
        if not any(row is not None and row["value"] for row in found.values()):
            continue
        marked += [row for row in found.values() if row is not None]
        line = [area["code"], name_of(report, area)]
        line += [report.rate(row) if (row := found[name]) else "–" for name in part["counts"]]
        for name in part["rates"]:
            row = found[name]
            line.append(
                f"{report.rate(row)} ({text.interval(row['lower'], row['upper'])})"
                if row and row["value"] is not None
                else "–"
            )
        rows.append(line)
    header = [
        text("column.code"),
        text("column.area"),
        *(report.indicator_name(n) for n in (*part["counts"], *part["rates"])),
    ]
    note = " ".join(filter(None, [text("places.note"), report.small_note(marked), allocated(report, level)]))
    return heading(text("places.title", areas=text.say(f"level.{level}")), 3) + table(
        header,
        rows,
        caption=report.caption(disease, text("places.title", areas=text.say(f"level.{level}"))),
        note=note,
        text_columns=2,
        data=frame,
    )


def caterpillar(report: Report, disease: str, level: str = Level.PROVINCE) -> Block:
    """Each area's control rate with its interval, beside the rate of the whole; in order of code."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from ncdsurv.maps.style import FITTED, NOT_DEFINED, SOFT_INK, figure_style
    from ncdsurv.maps.wording import area_name

    text, name = report.text, layout()["control"]["indicator"]
    _, frame = _values(report, disease, level, name)
    frame = frame.drop_nulls("value").sort("area_code", descending=True)
    top = heading(text("caterpillar.title"), 3) + paragraph(text("caterpillar.prose"))
    if frame.is_empty():
        return top + nothing(text("note.nothing"))
    whole = report.one(name, disease)
    names = [
        area_name(report.reference, code, report.vintage, level, report.lang) for code in frame["area_code"]
    ]
    with figure_style():
        figure = Figure(figsize=(7.2, 0.26 * frame.height + 0.8))
        ax = figure.subplots()
        at = list(range(frame.height))
        if whole["value"] is not None:
            ax.axvspan(whole["lower"], whole["upper"], color=NOT_DEFINED, alpha=0.6, lw=0)
            ax.axvline(whole["value"], color=SOFT_INK, lw=0.8)
        errors = [(frame["value"] - frame["lower"]).to_list(), (frame["upper"] - frame["value"]).to_list()]
        ax.errorbar(frame["value"].to_list(), at, xerr=errors, fmt="o", ms=4, lw=1.2, color=FITTED)
        ax.set_yticks(at, names)
        ax.set_xlabel("%")
        ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        step = ax.get_xticks()[1] - ax.get_xticks()[0]
        ax.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: text.number(value, 0 if step >= 1 else 1))
        )
        ax.tick_params(axis="y", length=0)
    alt = "; ".join(f"{n} {text.percent(v)}" for n, v in zip(names, frame["value"], strict=True))
    return top + picture(
        figure,
        alt=alt,
        caption=text("caterpillar.figure", whole=report.area_name, value=report.rate(whole)),
        data=frame,
    )
