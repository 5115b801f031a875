"""How long a map takes, from values to the bytes of a picture. Run by hand; small in the tests.

    python -m benchmarks.maps                     # the built-in pack, every kind of map, best of three
    python -m benchmarks.maps --pack FOLDER       # an official pack (a folder for `ncdsurv reference add`) beside it
    python -m benchmarks.maps --repeat 5 --json   # one JSON object

The first map of a process also reads, projects and cuts the boundaries and starts matplotlib: column `first`. The
promise is for the following ones: a national choropleth of 3,321 communes in under 2 s. Values are invented.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

PROMISED = 2.0  # seconds for a national commune map, warm
MONTH = "2026-06"


@dataclass(frozen=True)
class Timing:
    """Seconds of one kind of map: the first of the process, the best of the following, wall and processor."""

    pack: str
    map: str
    areas: int
    first: float
    warm: float
    warm_cpu: float

    def line(self) -> str:
        """The timing as a row of the table."""
        return f"{self.pack:<10}{self.map:<34}{self.areas:>7,}{self.first:>9.2f}{self.warm:>9.2f}{self.warm_cpu:>9.2f}"


def invented(reference: Reference, level: str, vintage: str, indicator: str = "control_rate") -> pl.DataFrame:
    """Values of all areas of a level in one month, every seventh of them small."""
    codes = reference.areas(level, vintage)["code"].to_list()
    rng = np.random.default_rng(len(codes) + len(indicator))
    people = rng.integers(30, 900, len(codes)).astype(float)
    share = rng.uniform(0.2, 0.8, len(codes))
    frame = pl.DataFrame({"area_code": codes, "denominator": people, "numerator": np.round(people * share)})
    return frame.with_columns(
        value=100 * pl.col("numerator") / pl.col("denominator"),
        flag=pl.Series(["small_number" if at % 7 == 6 else "ok" for at in range(len(codes))]),
        indicator=pl.lit(indicator), area_vintage=pl.lit(vintage), area_level=pl.lit(level), period=pl.lit(MONTH),
        preset=pl.lit("hearts"), disease=pl.lit("hypertension"), sex=pl.lit("both"), age_band=pl.lit("all"),
        standardisation=pl.lit("crude"), unit=pl.lit("percent"), release=pl.lit("benchmark"),
    )  # fmt: skip


def measure(pack: str, name: str, areas: int, draw: Callable[[], object], repeat: int) -> Timing:
    """Time one kind of map."""
    walls, processor = [], []
    for _ in range(repeat + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        walls.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
    return Timing(pack, name, areas, walls[0], min(walls[1:]), min(processor[1:]))


def time_maps(reference: Reference, pack: str, repeat: int = 3, level: str = "commune") -> list[Timing]:
    """Every kind of national map of a level, and the files; tiles are of provinces."""
    from ncdsurv.maps import bivariate, draw_map, small_multiples, tile_map, write_areas

    values = invented(reference, level, "2025")
    other = invented(reference, level, "2025", "detection_rate")
    provinces = invented(reference, "province", "2025")
    year = pl.concat([values.with_columns(period=pl.lit(f"2026-{month:02d}")) for month in range(1, 13)])
    n = values.height

    def choropleth(form: str, **settings: object) -> Callable[[], object]:
        def draw() -> object:
            result = draw_map(values, period=MONTH, reference=reference, **settings)  # type: ignore[arg-type]
            if form == "png":
                return result.png()
            with tempfile.TemporaryDirectory() as folder:
                return result.save(f"{folder}/map.{form}")

        return draw

    def write(ending: str) -> Callable[[], object]:
        def draw() -> object:
            with tempfile.TemporaryDirectory() as folder:
                return write_areas(values, f"{folder}/areas.{ending}", period=MONTH, reference=reference)

        return draw

    kinds: list[tuple[str, Callable[[], object]]] = [
        ("choropleth, quantile, PNG", choropleth("png")),
        ("choropleth, natural breaks, PNG", choropleth("png", classes="natural")),
        ("choropleth, quantile, SVG", choropleth("svg")),
        ("choropleth, quantile, PDF", choropleth("pdf")),
        ("bivariate, PNG", lambda: bivariate(values, other, reference=reference).png()),
        ("small multiples, 12 months, PNG", lambda: small_multiples(year, reference=reference).png()),
        ("GeoParquet", write("parquet")),
        ("GeoPackage", write("gpkg")),
        ("GeoJSON", write("geojson")),
    ]
    found = [measure(pack, name, n, draw, repeat) for name, draw in kinds]
    tiles = measure(
        pack,
        "tile map, PNG",
        provinces.height,
        lambda: tile_map(provinces, reference=reference).png(),
        repeat,
    )
    return [*found, tiles]


def main() -> None:
    """Print the table, or JSON."""
    from ncdsurv.reference import add_pack, load_reference

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", help="folder of an official pack")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = time_maps(load_reference(), "built-in", asked.repeat)
    if asked.pack:
        with tempfile.TemporaryDirectory() as store:
            found += time_maps(load_reference(add_pack(asked.pack, store)), "official", asked.repeat)
    if asked.json:
        print(json.dumps({"promised": PROMISED, "maps": [asdict(one) for one in found]}))
        return
    print(f"{'pack':<10}{'map':<34}{'areas':>7}{'first':>9}{'warm':>9}{'warm cpu':>9}   seconds")
    for one in found:
        print(one.line())


if __name__ == "__main__":
    main()
