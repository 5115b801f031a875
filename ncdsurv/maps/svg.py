"""An inline SVG map whose areas are links, for pages that work without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.maps.layers import Extent, Layer, project_points
from ncdsurv.maps.selection import SHOWN
from ncdsurv.maps.style import FONT, HATCH, INK, PAPER, SOFT_INK, luminance, sequential
from ncdsurv.maps.wording import number, say, with_unit

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.maps.draw import Picture
    from ncdsurv.reference import Reference

HEIGHT, PANEL, RIM = 760.0, 250.0, 10.0
_PIXEL = 0.6  # boundaries are simplified to about this many units of the picture
_OUTLINE = "#5F5F5F"

Links = Mapping[str, str] | Callable[[str], "str | None"]


def map_svg_links(
    values: Any,
    href: Links,
    *,
    period: str | None = None,
    level: str | None = None,
    vintage: str | None = None,
    reference: Reference | None = None,
    within: str | None = None,
    lang: str = "vi",
    classes: str = "quantile",
    k: int = 5,
    catalog: Catalog | None = None,
    names: bool = True,
) -> str:
    """A choropleth as an `<svg>` element to be placed in an HTML page.

    Args:
        values: Values of one indicator (polars or pandas).
        href: Area code -> address of its page (relative); a mapping, or a function that gives None for no link.
        period, level, vintage, reference, within, lang, classes, k, catalog: As in `draw_map`.
        names: Write the names of linked areas.

    Returns:
        One `<svg>` element with title and description for screen readers. Every area with an address is an `<a>`
        that can be reached by keyboard; nothing is fetched from elsewhere.

    Raises:
        UsageError: As `draw_map`.
    """
    from ncdsurv.maps.explain import explain_map, heading_of
    from ncdsurv.maps.picture import compose

    picture = compose(
        values, period=period, level=level, vintage=vintage, reference=reference, within=within, lang=lang,
        classes=classes, k=k, catalog=catalog,
    )  # fmt: skip
    link = href if callable(href) else href.get
    canvas = _Canvas(picture.layer)
    heading = heading_of(picture)
    mark = "m" + sha256(f"{heading}|{picture.rows.identity['release']}|{lang}".encode()).hexdigest()[:8]
    parts = [
        f'<svg class="ncdsurv-map" viewBox="0 0 {canvas.width:.0f} {canvas.height:.0f}" role="group" lang="{lang}"'
        f' aria-labelledby="{mark}-t {mark}-d" font-family="{FONT}, Verdana, sans-serif">',
        f'<title id="{mark}-t">{escape(heading)}</title>',
        f'<desc id="{mark}-d">{escape(" ".join(explain_map(picture, lang, []).splitlines()[1:4]))}</desc>',
        f"<style>.ncdsurv-map a:hover path,.ncdsurv-map a:focus path{{stroke:{INK};stroke-width:2.4}}"
        ".ncdsurv-map a:focus{outline:none}.ncdsurv-map text{pointer-events:none}</style>",
        _patterns(mark),
        *_areas(picture, canvas, link, mark),
        *_insets(picture, canvas),
    ]
    if names:
        parts += _names(picture, canvas, link)
    parts += [*_legend(picture, canvas, mark), "</svg>"]
    return "\n".join(parts)


class _Canvas:
    """Metres to picture units, y downwards; the panel with legend and insets stands to the right."""

    def __init__(self, layer: Layer) -> None:
        west, south, east, north = layer.extent
        self.scale = (HEIGHT - 2 * RIM) / max(north - south, (east - west) * 0.9)
        self.west, self.north = west, north
        self.map_width = (east - west) * self.scale + 2 * RIM
        self.width, self.height = self.map_width + PANEL, HEIGHT

    def points(self, at: np.ndarray) -> np.ndarray:
        x = (at[:, 0] - self.west) * self.scale + RIM
        y = (self.north - at[:, 1]) * self.scale + RIM
        return np.column_stack([x, y])

    def path(self, shape: Any) -> str:
        """SVG path data of a polygon or several, to a tenth of a unit."""
        import shapely

        data = []
        for ring in shapely.get_rings(shapely.get_parts(shape)):
            at = np.round(self.points(shapely.get_coordinates(ring)), 1)[:-1]
            if len(at) > 2:
                data.append("M" + "L".join(f"{x:g} {y:g}" for x, y in at) + "z")
        return "".join(data)


def _patterns(mark: str) -> str:
    lines = "".join(
        f'<pattern id="{mark}-{name}" width="6" height="6" patternUnits="userSpaceOnUse"'
        f' patternTransform="rotate(45)"><path d="M0 0V6" stroke="{ink}" stroke-width="1.4"/></pattern>'
        for name, ink in (("ink", HATCH), ("paper", PAPER))
    )
    return f"<defs>{lines}</defs>"


def _areas(picture: Picture, canvas: _Canvas, href: Callable[[str], str | None], mark: str) -> list[str]:
    import shapely

    layer, unit = picture.layer, picture.rows.identity["unit"]
    # Shared borders are simplified once, so that neighbours still touch.
    shapes = shapely.coverage_simplify(list(layer.shapes), _PIXEL / canvas.scale)
    rows = picture.areas.iter_rows(named=True)
    found = []
    for row, shape, colour, small in zip(rows, shapes, picture.colours, picture.small):
        data = canvas.path(shape)
        if not data:
            continue
        path = f'<path d="{data}" fill="{colour}" stroke="{_OUTLINE}" stroke-width="0.7"/>'
        if small:
            ink = "paper" if luminance(colour) < 0.25 else "ink"
            path += f'<path d="{data}" fill="url(#{mark}-{ink})" pointer-events="none"/>'
        label = escape(f"{row['name']}: {_said(row, unit, picture.lang)}")
        address = href(row["area_code"])
        inside = f"<title>{label}</title>{path}"
        if address is None:
            found.append(f"<g>{inside}</g>")
        else:
            found.append(f'<a href="{escape(address, quote=True)}" aria-label="{label}">{inside}</a>')
    return found


def _said(row: dict[str, Any], unit: str, lang: str) -> str:
    if row["status"] != SHOWN:
        return say(f"status.{row['status']}", lang)
    text = with_unit(row["value"], unit, lang)
    if row["lower"] is not None and unit != "count":
        ends = " – ".join(number(row[end], lang, 1) for end in ("lower", "upper"))
        text += f" ({ends}; n = {number(row['denominator'], lang)})"
    return text


def _names(picture: Picture, canvas: _Canvas, href: Callable[[str], str | None]) -> list[str]:
    import shapely

    layer, found = picture.layer, []
    taken: list[tuple[float, float, float]] = []
    for place in np.argsort(-shapely.area(layer.shapes)):
        shape = layer.shapes[place]
        if href(layer.codes[place]) is None or shapely.is_empty(shape):
            continue
        parts = shapely.get_parts(shape)
        centre = shapely.get_coordinates(parts[np.argmax(shapely.area(parts))].representative_point())
        x, y = canvas.points(centre)[0]
        name = layer.short_name(int(place), picture.lang)
        reach = 3.4 * len(name)
        if any(
            abs(y - other_y) < 12 and abs(x - other_x) < reach + other for other_x, other_y, other in taken
        ):
            continue
        taken.append((x, y, reach))
        found.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="middle" dominant-baseline="middle" '
            f'fill="{INK}" stroke="{PAPER}" stroke-width="2.5" paint-order="stroke">{escape(name)}</text>'
        )
    return found


def _insets(picture: Picture, canvas: _Canvas) -> list[str]:
    """Archipelagos at the map's scale, islands too where they would stretch the frame."""
    from ncdsurv.maps.picture import island_colour

    found, foot = [], canvas.height - RIM
    left = canvas.map_width + 6
    for archipelago in sorted(picture.layer.archipelagos, key=lambda one: one.box[1]):
        west, south, east, north = archipelago.box
        x, y = project_points([west, east, west, east], [south, south, north, north])
        frame: Extent = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
        scale = min(canvas.scale, (PANEL - 20) / (frame[2] - frame[0]))
        wide, tall = (frame[2] - frame[0]) * scale, (frame[3] - frame[1]) * scale
        top = foot - 18 - tall
        colour = island_colour(picture, archipelago)
        at_x, at_y = project_points(
            [lon for _, lon, _ in archipelago.islands], [lat for _, _, lat in archipelago.islands]
        )
        dots = "".join(
            f'<circle cx="{left + (a - frame[0]) * scale:.1f}" cy="{top + (frame[3] - b) * scale:.1f}" r="2.2"'
            f' fill="{colour}" stroke="{INK}" stroke-width="0.6"/>'
            for a, b in zip(at_x, at_y)
        )
        label = escape(archipelago.label(picture.lang))
        found.append(
            f'<g><title>{label}</title><rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
            f' fill="none" stroke="{SOFT_INK}"/>{dots}<text x="{left:.1f}" y="{foot - 4:.1f}" font-size="10.5"'
            f' fill="{SOFT_INK}">{label}</text></g>'
        )
        foot = top - 8
    return found


def _legend(picture: Picture, canvas: _Canvas, mark: str) -> list[str]:
    from ncdsurv.maps.picture import GREYS, class_counts, counts_by_status

    lang, classes = picture.lang, picture.classes
    left, y = canvas.map_width + 6, 24.0
    unit = say(f"unit.{picture.rows.identity['unit']}", lang)
    ramp, counts, found = sequential(classes.k), class_counts(picture), counts_by_status(picture)
    entries = [(ramp[at], f"{classes.label(at, lang)} ({counts[at]})") for at in reversed(range(classes.k))]
    if small := sum(picture.small):
        entries.append((f"url(#{mark}-ink)", say("small", lang, n=small)))
    for status, colour in GREYS.items():
        if found.get(status):
            entries.append((colour, say(status, lang, n=found[status])))
    lines = [
        f'<g font-size="12" fill="{INK}"><text x="{left:.1f}" y="{y:.1f}" font-weight="bold">{escape(unit)}</text>'
    ]
    for fill, label in entries:
        y += 21
        lines.append(
            f'<rect x="{left:.1f}" y="{y - 11:.1f}" width="22" height="13" fill="{fill}" stroke="{_OUTLINE}"'
            f' stroke-width="0.7"/><text x="{left + 29:.1f}" y="{y:.1f}">{escape(label)}</text>'
        )
    return [*lines, "</g>"]
