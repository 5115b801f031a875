"""A drawn map: the figure, the numbers under it, and how to read it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncdsurv.errors import UsageError
from ncdsurv.maps.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ncdsurv.maps.classify import Classes
    from ncdsurv.maps.picture import Picture

_FORMATS = {".png", ".svg", ".pdf", ".jpg"}


@dataclass(frozen=True)
class MapResult:
    """What `draw_map` returns.

    Attributes:
        figure: The matplotlib figure (not registered with pyplot).
        data: One row per area in the kind of frame that was given: area_code, name, value, lower, upper,
            numerator, denominator, flag, status, class (0 is the lowest, null without a value).
        title: Indicator, disease and period in words.
        text: The explanation in both languages.
        lang: Language the map is drawn in.
        classes: The classes, null where the map shows kinds and not classes.
        picture: What was drawn: layer, packs, identity of the values; null where they cannot be told.
    """

    figure: Figure
    data: Any
    title: str
    text: dict[str, str]
    lang: str
    classes: Classes | None = field(default=None, repr=False)
    picture: Picture | None = field(default=None, repr=False)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Limits between the classes; `breaks=` of another map takes them."""
        return self.classes.breaks if self.classes else ()

    def explain(self, lang: str | None = None) -> str:
        """Definition, classes, what is hatched and grey, boundaries and projection, as text."""
        from ncdsurv.maps.wording import language

        return self.text[language(lang or self.lang)]

    @property
    def alt_text(self) -> str:
        """A sentence or two for readers who cannot see the map."""
        return " ".join(self.explain().splitlines()[:2])

    def plot(self) -> Figure:
        """The figure, as every result has one."""
        return self.figure

    def save(self, path: str | Path, dpi: int = 200) -> Path:
        """Write the map to a file; the ending chooses the format. The same map gives the same bytes.

        Args:
            path: Ending in .png, .svg, .pdf or .jpg.
            dpi: Dots per inch of raster formats.

        Raises:
            UsageError: Another ending.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in _FORMATS:
            raise UsageError(
                "unknown picture format", got=ending or path.name, allowed=", ".join(sorted(_FORMATS))
            )
        metadata: dict[str, Any] = {"Title": self.title}
        if ending in (".svg", ".pdf"):
            metadata["Date" if ending == ".svg" else "CreationDate"] = None
        extra: dict[str, Any] = {} if ending == ".jpg" else {"metadata": metadata}
        with figure_style():
            self.figure.savefig(path, dpi=dpi, **extra)
        return path

    def write(self, path: str | Path) -> Path:
        """Write the areas of the map with `.data` and their geometry to a file for a GIS.

        Args:
            path: Ending in .parquet (GeoParquet), .gpkg (GeoPackage) or .geojson (RFC 7946); see `ns.write_areas`.

        Raises:
            UsageError: Another ending, or a picture whose areas cannot be told.
        """
        import narwhals as nw

        from ncdsurv.maps.export import check_ending, write_table

        path = check_ending(path)
        if self.picture is None:
            raise UsageError(
                "this picture holds no areas to write",
                got=self.title,
                allowed="a map of ns.choropleth, ns.small_multiples, ns.bivariate or ns.tile_map",
                do="write the values instead: ns.write_areas(values, path)",
            )
        import polars as pl

        table = nw.from_native(self.data).to_polars()
        if "class" in table.columns:
            table = table.with_columns(pl.col("class").cast(pl.Int8))
        if "period" not in table.columns:
            table = table.with_columns(period=pl.lit(self.picture.rows.period))
        layer = self.picture.layer
        place = self.picture.reference, layer.level, layer.vintage, layer.within
        return write_table(table, path, place, self.picture.identity)

    def png(self, dpi: int = 144) -> bytes:
        """The map as PNG bytes."""
        buffer = io.BytesIO()
        with figure_style():
            self.figure.savefig(buffer, format="png", dpi=dpi, metadata={"Title": self.title})
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png(dpi=110)

    def __repr__(self) -> str:
        return f"MapResult({self.title!r}, {self.figure.get_size_inches().round(1).tolist()} inches)"
