"""data_samples/ is what the package writes, and says first that the people are invented."""

from __future__ import annotations

import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from ncdsurv.synthetic import sample, write_samples
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.known import any_invented, known_samples, list_samples

KEPT = Path(__file__).parents[2] / "data_samples"


def content(path: Path) -> object:
    """Bytes of a file; of a workbook the bytes of its parts, since packing may differ between zlib builds."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            return [(item.filename, item.date_time, archive.read(item)) for item in archive.infolist()]
    return path.read_bytes()


def listing(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path.relative_to(folder).as_posix() for path in files)


@pytest.mark.skipif(not KEPT.is_dir(), reason="data_samples/ stands only in a checkout")
def test_data_samples_are_what_the_package_writes(tmp_path):
    write_samples(tmp_path)
    assert listing(tmp_path) == listing(KEPT)
    for name in listing(KEPT):
        assert content(tmp_path / name) == content(KEPT / name), f"{name} differs"


@pytest.mark.skipif(not KEPT.is_dir(), reason="data_samples/ stands only in a checkout")
def test_data_samples_are_small_and_hold_every_province_and_format():
    names = listing(KEPT)
    assert sum((KEPT / name).stat().st_size for name in names) < 5_000_000
    stations = {tuple(name.split("/")) for name in names if "/" in name}
    provinces = {(source, file[:2]) for source, file in stations if source in parameters("systems")}
    assert len(provinces) == 3 * 6
    assert {source for source, _ in stations} == {*parameters("systems"), *parameters("samples")["also"]}


@pytest.mark.skipif(not KEPT.is_dir(), reason="data_samples/ stands only in a checkout")
def test_the_package_knows_each_sample_by_its_hash():
    listed = (files("ncdsurv.synthetic.data") / "sample_files.csv").read_text(encoding="utf-8")
    assert listed == list_samples(KEPT)
    hashes = list(known_samples())
    assert any_invented(["0" * 64, hashes[0]])
    assert not any_invented(["0" * 64])
    assert not any_invented([])


@pytest.mark.skipif(not KEPT.is_dir(), reason="data_samples/ stands only in a checkout")
def test_the_readme_says_first_that_the_people_are_invented():
    first = (KEPT / "README.md").read_text(encoding="utf-8").splitlines()[0]
    assert "hư cấu" in first
    assert "invented" in first


def test_sample_writes_exports_and_reference_and_reports_progress(tmp_path):
    steps = []
    paths = sample(60, 4, tmp_path, provinces=["37"], progress=lambda done, of: steps.append((done, of)))
    assert paths
    assert steps[-1] == (len(paths), len(paths))
    assert (tmp_path / "reference" / "pack.toml").exists()
