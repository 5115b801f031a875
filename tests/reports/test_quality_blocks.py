"""The blocks of the data_quality notebook, on the sample registry."""

from __future__ import annotations

from html import escape

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sensitivity import load_variants
from ncdsurv.quality import load_metrics
from ncdsurv.reports import open_report
from ncdsurv.store.release import Release

BLOCKS = ["heaping", "sensitivity", "completeness", "timeliness", "patterns", "quality"]


def report(release: Release, lang: str = "en", preset: str | None = None):
    values = release.values("control_rate", disease="hypertension", level="province", vintage="2024")
    fullest = values.sort("denominator", descending=True, nulls_last=True).row(0, named=True)
    return open_report(
        release.folder.parent.parent,
        release.id,
        period=release.manifest["as_of"],
        preset=preset or next(iter(load_catalog().presets)),
        lang=lang,
        area=fullest["area_code"],
        level="province",
        vintage="2024",
    )


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_drawn_in_both_languages(sample_release: Release, name: str, lang: str):
    block = getattr(report(sample_release, lang), name)()
    assert "<table" in block.html or "<img" in block.html
    assert block.data is not None
    assert "nan" not in repr(block).casefold()


def test_the_control_rate_stands_beside_the_heaping_with_every_lower_limit(sample_release: Release):
    found = report(sample_release)
    said = repr(found.sensitivity())
    own = found.one("control_rate", "hypertension")
    assert found.rate(own) in said
    for variant in load_variants().values():
        assert variant.names.en.replace("<", "&lt;") in said
    emitted = {name: row for name, row in found.results.items() if name.startswith("control_rate_")}
    assert len(emitted) == len(load_variants())
    assert all(row["denominator"] == own["denominator"] for row in emitted.values())
    assert all(row["numerator"] <= own["numerator"] for row in emitted.values())


def test_definitions_without_variants_say_so(sample_release: Release):
    varied = {preset for variant in load_variants().values() for preset in variant.presets}
    other = next(preset for preset in load_catalog().presets if preset not in varied)
    assert "no figures with another limit" in repr(report(sample_release, preset=other).sensitivity())


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_metric_has_its_method_note_in_the_notebook(sample_release: Release, lang: str):
    said = report(sample_release, lang).quality_methods().html
    for metric in load_metrics().values():
        assert escape(metric.method[lang]) in said
