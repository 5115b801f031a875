"""A release of a handful of invented communes, written as the release folder's files, for tests of readers.

Two old provinces became one new one; one old commune was split. The counts are a fixed arithmetic of
commune, disease and month, so that any figure can be worked out by hand in a test.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import VALUES, conform
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.store.release import VALUES_ORDER, Release

FIRST, LAST = Period.parse("2025-01").first_month, Period.parse("2026-06").last_month
AREAS = [
    # code, vintage, level, name, parent
    ("VN", "2024", "nation", "Việt Nam", None),
    ("VN", "2025", "nation", "Việt Nam", None),
    ("CH", "2024", "region", "Tây Nguyên", "VN"),
    ("CH", "2025", "region", "Tây Nguyên", "VN"),
    ("64", "2024", "province", "Gia Lai", "CH"),
    ("52", "2024", "province", "Bình Định", "CH"),
    ("52", "2025", "province", "Gia Lai", "CH"),
    ("622", "2024", "district", "Thành phố Pleiku", "64"),
    ("623", "2024", "district", "Huyện Chư Păh", "64"),
    ("540", "2024", "district", "Thành phố Quy Nhơn", "52"),
    ("23542", "2024", "commune", "Phường Yên Đỗ", "622"),
    ("23545", "2024", "commune", "Phường Diên Hồng", "622"),
    ("23722", "2024", "commune", "Xã Hà Tây", "623"),
    ("21550", "2024", "commune", "Phường Nhơn Bình", "540"),
    ("23575", "2025", "commune", "Phường Pleiku", "52"),
    ("23722", "2025", "commune", "Xã Ia Khươl", "52"),
    ("21553", "2025", "commune", "Phường Quy Nhơn Đông", "52"),
    ("21600", "2025", "commune", "Xã Nhơn Châu", "52"),
]
ATOMS = [
    # atom, commune_2024, commune_2025, share, relation
    (0, "21550", "21553", 1.0, "whole"),
    (1, "23542", "23575", 1.0, "whole"),
    (2, "23545", "23575", 0.7, "split"),
    (3, "23545", "23722", 0.3, "split"),
    (4, "23722", "23722", 1.0, "whole"),
]
DISEASES = ("hypertension", "diabetes", "copd", "asthma", "copd_or_asthma", "other_ncd")
SILENT_COMMUNE = "21600"
"""A commune of 2025 about which the release knows nothing."""


class SmallReference:
    """The part of a reference that readers of releases use."""

    fingerprints = {"small": "0"}  # noqa: RUF012 - as a pack's

    @cached_property
    def _areas(self) -> pl.DataFrame:
        frame = pl.DataFrame(
            AREAS, schema=["code", "vintage", "level", "name", "parent_code"], orient="row"
        ).with_row_index("place")
        return frame.with_columns(
            name_en=pl.col("name"),
            type=pl.when(pl.col("level") == "province").then(pl.lit("tỉnh")).otherwise(pl.lit("")),
            lon=108.0 + pl.col("place") / 10,
            lat=14.0 + pl.col("place") / 10,
            area_km2=pl.lit(10.0),
        ).drop("place")

    def areas(self, level: str | None = None, vintage: str | None = None) -> pl.DataFrame:
        frame = self._areas
        if level is not None:
            frame = frame.filter(pl.col("level") == level)
        if vintage is not None:
            frame = frame.filter(pl.col("vintage") == vintage)
        return frame

    @property
    def atoms(self) -> pl.DataFrame:
        schema = {
            "atom": pl.Int32(),
            "commune_2024": pl.String(),
            "commune_2025": pl.String(),
            "share": pl.Float64(),
            "relation": pl.String(),
        }
        return pl.DataFrame(ATOMS, schema=schema, orient="row")

    def parents(self, vintage: str) -> pl.DataFrame:
        above = {code: parent for code, own, _, _, parent in AREAS if own == vintage}
        rows = []
        for code, own, level, _, parent in AREAS:
            if own == vintage and level == "commune":
                district = parent if vintage == "2024" else None
                province = above[parent] if vintage == "2024" else parent
                rows.append((code, district, province, above[province], "VN"))
        columns = ["commune", "district", "province", "region", "nation"]
        return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")

    def codes_within(self, code: str, vintage: str, level: str = "commune") -> list[str]:
        top = self.areas(vintage=vintage).filter(pl.col("code") == code)["level"][0]
        inside = self.parents(vintage).filter(pl.col(top) == code)
        return sorted(inside[level].drop_nulls().unique())

    def boundary_table(self, level: str, vintage: str, within: str | None = None) -> pl.DataFrame:
        """Squares around the centroids, as WKB."""
        from shapely import to_wkb
        from shapely.geometry import box

        rows = self.areas(level, vintage).to_dicts()
        shapes = [box(r["lon"] - 0.04, r["lat"] - 0.04, r["lon"] + 0.04, r["lat"] + 0.04) for r in rows]
        return pl.DataFrame(
            {
                "code": [r["code"] for r in rows],
                "name": [r["name"] for r in rows],
                "name_en": [r["name"] for r in rows],
                "geometry": [to_wkb(shape) for shape in shapes],
                "schematic": [True] * len(rows),
                "pack": ["small"] * len(rows),
            }
        )

    def archipelagos(self) -> tuple[Any, ...]:
        return ()


class SmallRelease(Release):
    """A release folder read with the small reference."""

    def reference(self) -> Any:
        return SmallReference()


class SmallStore:
    """Releases by id, the newest last."""

    def __init__(self, *releases: Release) -> None:
        self.releases = {release.id: release for release in releases}

    def ids(self) -> list[str]:
        return list(self.releases)

    def list(self) -> list[dict[str, Any]]:
        return [release.manifest for release in self.releases.values()]

    def latest(self) -> Release:
        return list(self.releases.values())[-1]

    def open(self, release_id: str) -> Release:
        from ncdsurv.errors import unknown

        if release_id not in self.releases:
            raise unknown("release", release_id, self.releases)
        return self.releases[release_id]


def detected(atom: int, disease: str, month: int) -> int:
    """People of an atom known to have a disease by a month; every other count is a part of it."""
    return 4 * (10 * (atom + 1) + 3 * DISEASES.index(disease) + (month - FIRST))


def measures() -> pl.DataFrame:
    """Counts per atom, month, disease, sex, age band and preset."""
    rows = []
    for atom, *_ in ATOMS:
        for disease in DISEASES:
            for month in range(FIRST, LAST + 1):
                known = detected(atom, disease, month)
                for preset in load_catalog().presets:
                    for sex, part in (("female", known // 2), ("male", known - known // 2)):
                        new = 2 if month > FIRST else 0
                        managed, dispensed, good = part * 3 // 4, part // 2, part // 4
                        rows.append(
                            (atom, month, disease, sex, "40-49", preset, part, new, managed, dispensed, good)
                        )
    key = {"atom": pl.Int32(), "month": pl.Int32()} | dict.fromkeys(
        ["disease", "sex", "age_band", "preset"], pl.String()
    )
    names = ["detected", "newly_detected", "under_care", "treated", "controlled"]
    return pl.DataFrame(rows, schema=key | dict.fromkeys(names, pl.Int32()), orient="row")


def values(release_id: str) -> pl.DataFrame:
    """A control rate and a count for every area, month, disease and preset; one empty denominator."""
    reference, counts = SmallReference(), measures()
    frames = []
    for vintage in ("2024", "2025"):
        parents = reference.parents(vintage)
        homes = reference.atoms.select("atom", commune=f"commune_{vintage}").join(parents, on="commune")
        for level in ("commune", "district", "province", "region", "nation"):
            cells = (
                counts.join(homes.select("atom", area_code=level), on="atom")
                .filter(pl.col("area_code").is_not_null())
                .group_by("area_code", "month", "disease", "preset")
                .agg(pl.col("controlled", "under_care").sum())
                .with_columns(area_vintage=pl.lit(vintage), area_level=pl.lit(level))
            )
            empty = pl.DataFrame(
                {"area_code": [SILENT_COMMUNE], "month": [LAST], "disease": ["hypertension"]}
                | {"preset": ["tt37"], "controlled": [0], "under_care": [0]}
                | {"area_vintage": ["2025"], "area_level": ["commune"]}
            ).cast(dict(cells.schema))
            frames.append(pl.concat([cells, empty]) if (level, vintage) == ("commune", "2025") else cells)
    cells = pl.concat(frames).with_columns(
        release=pl.lit(release_id),
        period=pl.col("month").map_elements(month_label, return_dtype=pl.String),
        sex=pl.lit("both"),
        age_band=pl.lit("all"),
        standardisation=pl.lit("crude"),
    )
    n, d = pl.col("controlled").cast(pl.Float64), pl.col("under_care").cast(pl.Float64)
    has = d > 0
    rate = cells.with_columns(
        indicator=pl.lit("control_rate"),
        numerator=n,
        denominator=d,
        value=pl.when(has).then(100 * n / d),
        lower=pl.when(has).then(100 * n / d - 1),
        upper=pl.when(has).then(100 * n / d + 1),
        ci_method=pl.lit("wilson"),
        unit=pl.lit("percent"),
        flag=pl.when(has).then(pl.lit("ok")).otherwise(pl.lit("no_denominator")),
    )
    count = cells.with_columns(
        indicator=pl.lit("under_care"),
        numerator=d,
        denominator=None,
        value=d,
        ci_method=pl.lit("none"),
        unit=pl.lit("count"),
        flag=pl.lit("ok"),
    )
    both = pl.concat([conform(rate, VALUES), conform(count, VALUES)])
    return both.sort(VALUES_ORDER)


def quality() -> pl.DataFrame:
    """A few rows of the quality table."""
    return pl.DataFrame(
        {
            "area_code": ["52", "52", "23575"],
            "area_vintage": ["2025"] * 3,
            "area_level": ["province", "province", "commune"],
            "facility": [None, None, "64001"],
            "month": ["2026-05", "2026-06", "2026-06"],
            "metric": ["blood_pressure_complete"] * 3,
            "numerator": [90.0, 95.0, 0.0],
            "denominator": [100.0, 100.0, 0.0],
            "value": [90.0, 95.0, None],
        }
    )


def write_release(
    folder: Path, release_id: str = "2026-06-small", created: str = "2026-07-01"
) -> SmallRelease:
    """Write the folder of a small release and open it."""
    target = folder / release_id
    target.mkdir(parents=True)
    published = values(release_id)
    measures().write_parquet(target / "measures.parquet")
    published.write_parquet(target / "values.parquet")
    quality().write_parquet(target / "quality.parquet")
    manifest = {
        "id": release_id,
        "as_of": "2026-06",
        "first_month": month_label(FIRST),
        "last_month": month_label(LAST),
        "created_at": f"{created}T00:00:00+00:00",
        "definitions_hash": load_catalog().definitions_hash,
        "contents": {name: sorted(published[name].unique().to_list()) for name in VALUES_ORDER},
    }
    (target / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (target / "catalog.json").write_text(load_catalog().model_dump_json(), "utf-8")
    (target / "dossier.json").write_text("{}", "utf-8")
    return SmallRelease(target)
