"""Outside packs: checked whole, added or not at all, laid on top of the built-in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncdsurv.errors import DefinitionError
from ncdsurv.reference import add_pack, load_reference, validate_pack
from ncdsurv.reference.pack import BUILTIN

ABOUT = """id = "demo"
title = "A made-up overlay"
[[source]]
id = "made_up"
what = "population"
origin = "nowhere"
licence = "CC0"
"""
POPULATION = "vintage,level,code,year,sex,age_group,population\n"


def make_pack(folder: Path, about: str = ABOUT, **tables: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pack.toml").write_text(about, encoding="utf-8")
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_built_in_pack_is_valid() -> None:
    assert validate_pack(BUILTIN) == []


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    pack = make_pack(
        tmp_path / "bad",
        about='title = "x"\n',
        areas="code,vintage,level,name,parent\n1,2024,province,One,RRD\n00001,2026,comune,A,001\n",
        crosswalk="code_2024,code_2025,share_population,relation\n00001,00097,0.7,part\n00001,00004,0.7,part\n",
        population=POPULATION + "2025,commune,00001,2024,male,15-19,-3\n2025,commune,00097,x,all,18+,1\n",
        facilties="code\n1\n",
    )
    told = "\n".join(map(str, validate_pack(pack)))
    for sentence in [
        "pack.toml, column id: is not a short name",
        "pack.toml, column source: is missing",
        "areas.csv, column parent: the column is not known",
        "do: rename it to parent_code",
        "areas.csv, column vintage: 1 values are not allowed; got: 2026; allowed: 2024, 2025",
        "areas.csv, column level: 1 values are not allowed; got: comune",
        "areas.csv, column code: 1 codes of level province are not 2 digits; got: 1",
        "crosswalk.csv, column share_population: shares of 1 communes do not sum to 1; got: 00001",
        "communes of 2025 are missing",
        "population.csv, column population: 1 values are out of range; got: -3.0",
        "population.csv, column year: 1 values cannot be read; got: x; allowed: a whole number",
        "population.csv, column sex: 1 values are not allowed; got: all; allowed: male, female, both",
        "population.csv, column age_group: age groups overlap; got: 15-19 and 18-",
        "population.csv, column code: 1 codes are no areas of level commune, vintage 2025; got: 00001",
        "change the column vintage",
        "facilties.csv: is not a table of a pack",
        "do: rename it to facilities",
    ]:
        assert sentence in told


def test_a_missing_description_and_an_empty_folder(tmp_path: Path) -> None:
    told = [str(problem) for problem in validate_pack(tmp_path)]
    assert told[0].startswith("pack.toml: the file is missing")
    assert "no table in the pack" in told[1]


def test_a_bad_pack_is_not_copied(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "bad", population=POPULATION + "2025,commune,99999,2024,male,15-19,3\n")
    with pytest.raises(DefinitionError, match="no areas of level commune"):
        add_pack(pack, tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_the_built_in_pack_cannot_be_replaced(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "p", ABOUT.replace("demo", "builtin"),
                     population=POPULATION + "2025,commune,00097,2024,male,15-19,3\n")  # fmt: skip
    with pytest.raises(DefinitionError, match="is the built-in pack"):
        add_pack(pack, tmp_path / "store")


def test_adding_twice_changes_nothing_and_a_new_version_takes_the_place(tmp_path: Path) -> None:
    head = POPULATION + "2025,commune,00097,2024,male,15-19,"
    pack = make_pack(tmp_path / "p", population=head + "3\n")
    added = add_pack(pack, tmp_path / "store")
    assert added == tmp_path / "store" / "demo"
    before = (added / "population.csv").stat()
    assert add_pack(pack, tmp_path / "store") == added
    assert (added / "population.csv").stat().st_mtime_ns == before.st_mtime_ns
    add_pack(make_pack(tmp_path / "p", population=head + "4\n"), tmp_path / "store")
    assert (added / "population.csv").read_text() == head + "4\n"
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["demo"]


def test_an_overlay_with_population_and_stations_completes_the_built_in_pack(tmp_path: Path) -> None:
    cells = [f"2025,commune,00097,2025,{sex},18+,50" for sex in ("male", "female")]
    pack = make_pack(
        tmp_path / "p",
        population=POPULATION + "\n".join(cells) + "\n",
        facilities="code,name,commune_code,vintage,valid_from\n01001,Trạm Hồng Hà,00097,2025,2025-07-01\n",
    )
    reference = load_reference(add_pack(pack, tmp_path / "store"))
    assert reference.population_of("2025", "commune")["population"].sum() == 100
    assert reference.population_of("2025", "province").filter(code="01")["pack"].unique().to_list() == [
        "builtin"
    ]
    assert reference.facilities["commune_code"].to_list() == ["00097"]
    assert reference.areas("commune", "2025").height == 3321
    assert [one["id"] for one in reference.manifest] == ["builtin", "demo"]


def test_a_list_of_areas_replaces_its_level_and_is_completed_by_code(tmp_path: Path) -> None:
    provinces = load_reference().areas("province", "2025")
    lines = "".join(f"{code},2025,province,New {code}\n" for code in provinces["code"])
    pack = make_pack(tmp_path / "p", areas="code,vintage,level,name\n" + lines)
    assert validate_pack(pack) == []
    merged = load_reference(pack).areas("province", "2025")
    assert merged["name"].to_list() == [f"New {code}" for code in provinces["code"]]
    assert merged["parent_code"].to_list() == provinces["parent_code"].to_list()
    assert merged["pilot"].to_list() == provinces["pilot"].to_list()
