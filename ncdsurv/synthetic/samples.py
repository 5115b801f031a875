"""Small exports to open and read, and the function behind `ncdsurv sample`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.dirt import Dirt
from ncdsurv.synthetic.known import keep_list
from ncdsurv.synthetic.registry import SyntheticRegistry, make_registry
from ncdsurv.synthetic.writers import write_exports

README = "README.md"


def sample(
    patients: int,
    seed: int,
    out: str | Path,
    provinces: list[str] | None = None,
    clean: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **registry: Any,
) -> list[Path]:
    """Invent a registry and write its exports.

    Args:
        patients: Number of people.
        seed: Same seed, same bytes.
        out: Folder for `exports/` and `reference/`.
        provinces: 2024 codes of pilot provinces; None is all.
        clean: Without dirt.
        progress: Called with (files written, files in all).
        **registry: Passed on to `make_registry` (reference, catalog, first, last).

    Returns:
        Paths of the exports.
    """
    dirt = None if clean else Dirt.as_in_life()
    made = make_registry(patients, seed, provinces=provinces, dirt=dirt, **registry)
    return write_exports(made, out, progress)


def sample_registry(reference: Any = None, catalog: Any = None) -> SyntheticRegistry:
    """The registry behind `data_samples/`: a few stations of each pilot province, with dirt."""
    plan = parameters("samples")
    whole = make_registry(1, plan["seed"], reference=reference, catalog=catalog)
    chosen: dict[str, int] = {}
    for at, ((_, source), group) in enumerate(sorted(whole.stations.group_by("province_2024", "source"))):
        codes = group["facility"].sort().to_list()
        for k in range(plan[source]["stations"]):  # not always the first: habits differ between stations
            chosen[codes[(at + k) % len(codes)]] = plan[source]["people"]
    return make_registry(
        sum(chosen.values()),
        plan["seed"],
        dirt=Dirt.as_in_life(),
        reference=reference,
        catalog=catalog,
        facilities=chosen,
    )


def write_samples(out: str | Path, reference: Any = None, catalog: Any = None) -> list[Path]:
    """Write `data_samples/`: exports of all formats and a README that says the people are invented.

    Args:
        out: Folder; exports go to `<source>/`.
        reference: Areas and populations; None loads the built-in pack.
        catalog: Definitions; None loads the package's.

    Returns:
        Paths of all files, sorted.
    """
    from importlib.resources import files

    folder = Path(out)
    registry = sample_registry(reference, catalog)
    paths = write_exports(registry, folder, reference_pack=False, below="")
    for source, module in parameters("samples")["also"].items():
        writer = import_module(f"ncdsurv.synthetic.writers.{module}")
        paths += writer.write_samples(registry, folder / source)
    readme = folder / README
    readme.write_text(
        (files("ncdsurv.synthetic.data") / "samples_readme.md").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return sorted([*paths, readme])


def _main(folder: str) -> None:
    """Make `data_samples/` again: exports of before go, so that none is left that is no longer written."""
    for source in parameters("systems"):
        for path in sorted((Path(folder) / source).glob("[0-9]*_*")):
            path.unlink()
    for source in parameters("samples")["also"]:
        for path in sorted((Path(folder) / source).glob("*")):
            path.unlink()
    write_samples(folder)
    keep_list(Path(folder))


if __name__ == "__main__":
    import sys

    _main(sys.argv[1])
