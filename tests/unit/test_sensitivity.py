"""The control rate with a lower limit: counted by the engine from variants of a preset, beside the preset itself."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sensitivity import FILE, LEVELS, load_variants, variant_catalog
from ncdsurv.errors import DefinitionError
from ncdsurv.store.release import SENSITIVITY, Release
from tests.registry_support import all_buckets

CATALOG, VARIANTS = load_catalog(), load_variants()
KEY = ["disease", "area_vintage", "area_level", "area_code", "period", "sex", "age_band"]


def limit(preset: str) -> float:
    """The upper limit of the systolic pressure under a preset of a catalog with variants."""
    varied = variant_catalog(CATALOG, VARIANTS)
    presets = {**CATALOG.presets, **varied.presets}
    target = presets[preset].target("blood_pressure")
    assert target is not None
    tests = target.readings["clinic"].tests
    return next(dict(test.bounds)["lt"] for test in tests if test.column == "sbp")


def test_a_variant_changes_the_limit_and_nothing_else():
    varied = variant_catalog(CATALOG, VARIANTS)
    for variant in VARIANTS.values():
        for name in variant.presets:
            base, other = CATALOG.presets[name], varied.presets[variant.name_under(name)]
            assert limit(other.id) < limit(base.id)
            assert other.target("glycaemia") == base.target("glycaemia")
            unchanged = {"id", "targets"}
            assert other.model_dump(exclude=unchanged) == base.model_dump(exclude=unchanged)


def test_the_lower_the_limit_the_fewer_are_controlled_among_the_same_people(sample_release: Release):
    found = sample_release.sensitivity()
    assert set(found["area_level"]) == {str(level) for level in LEVELS}
    values = sample_release.scan_values().filter(
        pl.col("indicator").is_in(found["indicator"].unique().to_list())
    )
    published = values.collect()
    fewer = 0
    for name in {preset for variant in VARIANTS.values() for preset in variant.presets}:
        ordered = sorted([name, *(v.name_under(name) for v in VARIANTS.values())], key=limit, reverse=True)
        assert len(ordered) == len(VARIANTS) + 1
        for above, below in pairwise(ordered):
            one = (published if above == name else found).filter(pl.col("preset") == above)
            two = found.filter(pl.col("preset") == below)
            both = one.join(two, on=KEY, suffix="_lower")
            assert both.height == two.height > 0
            assert both["denominator"].equals(both["denominator_lower"].alias("denominator"))
            assert (both["numerator_lower"] <= both["numerator"]).all()
            fewer += int((both["numerator"] - both["numerator_lower"]).sum())
    assert fewer > 0


def test_a_variant_with_the_presets_own_limit_gives_the_presets_own_numbers(sample_release: Release):
    from ncdsurv.registry.store import open_store
    from ncdsurv.spells import count_bucket, measure_plan

    name = next(iter(CATALOG.presets))
    variant = next(iter(VARIANTS.values()))
    target = CATALOG.presets[name].target(variant.measurement)
    assert target is not None
    same = variant.model_copy(update={"presets": (name,), "readings": dict(target.readings)})
    varied = variant_catalog(CATALOG, {same.id: same})
    snapshot = open_store(sample_release.folder.parent.parent).lake.snapshot()
    bucket = all_buckets(snapshot)[0]
    months = {"first_month": 2026 * 12 + 1, "last_month": 2026 * 12 + 6}
    plan, other_plan = measure_plan(CATALOG), measure_plan(varied)
    cell = ["disease", "atom", "month", "sex", "age_band"]
    wanted = count_bucket(bucket, CATALOG, presets=[name], **months)
    found = count_bucket(bucket, varied, **months)
    for role in ("numerators", "denominators"):
        ours, theirs = (getattr(p, role)[variant.indicator] for p in (plan, other_plan))
        one = wanted.filter(pl.col(ours) > 0).select(*cell, pl.col(ours).alias("n")).sort(cell)
        two = found.filter(pl.col(theirs) > 0).select(*cell, pl.col(theirs).alias("n")).sort(cell)
        assert one.equals(two)
        assert one.height > 0


def test_a_release_made_before_there_were_variants_has_none(sample_release: Release, tmp_path: Path):
    for path in sample_release.folder.iterdir():
        if path.name != SENSITIVITY:
            (tmp_path / path.name).symlink_to(path)
    assert Release(tmp_path).sensitivity().is_empty()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"presets": ("none_such",)}, "has no target"),
        ({"indicator": "none_such"}, "unknown 'none_such'"),
        ({"readings": {"none_such": next(iter(VARIANTS.values())).readings["clinic"]}}, "not all of them"),
    ],
)
def test_a_variant_of_something_that_is_not_there_is_refused(change: dict, said: str):
    wrong = next(iter(VARIANTS.values())).model_copy(update=change)
    with pytest.raises(DefinitionError, match=said):
        variant_catalog(CATALOG, {wrong.id: wrong})


def test_every_problem_of_the_file_is_told_at_once(tmp_path: Path):
    path = tmp_path / FILE
    path.write_text("[a]\nnames = 3\n[b]\npresets = []\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        load_variants(path)
    assert {problem.split("]")[0] for problem in error.value.problems} == {f"{FILE}: [a", f"{FILE}: [b"}
