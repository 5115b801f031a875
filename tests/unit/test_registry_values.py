"""Values are written part by part, each checked first, in the order in which a release is read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv.errors import IdentityError
from ncdsurv.indicators import iter_values, publish_values
from ncdsurv.registry import values as writer
from ncdsurv.registry.values import write_values
from tests.counts_support import CATALOG, REFERENCE, measures

TABLE = """
    month   | preset | under_care | controlled | control_rate_denominator
    2026-05 | hearts | 40         | 20         | 38
    2026-06 | hearts | 41         | 21         | 39
    2026-05 | tt37   | 40         | 22         | 40
    2026-06 | tt37   | 41         | 23         | 41
    """


@pytest.fixture(scope="module")
def whole() -> pl.DataFrame:
    return publish_values(measures(TABLE), REFERENCE, CATALOG, "spec")


def of(whole: pl.DataFrame, indicator: str, preset: str) -> pl.DataFrame:
    found = whole.filter(indicator=indicator, preset=preset)
    assert found.height > 1
    return found


def test_the_presets_of_an_indicator_may_come_one_by_one(tmp_path: Path, whole, monkeypatch) -> None:
    monkeypatch.setattr(writer, "ROW_GROUP", 100)
    parts = [
        of(whole, name, preset) for name in ("control_rate", "under_care") for preset in ("hearts", "tt37")
    ]
    checked: list[int] = []
    published = write_values(tmp_path / "values.parquet", parts, lambda part: checked.append(part.height))
    together = pl.concat(parts)
    read = pl.read_parquet(tmp_path / "values.parquet")
    assert read.equals(together.cast(dict(read.schema)))
    assert checked == [part.height for part in parts]
    assert published.rows == together.height
    assert published.contents["preset"] == {"hearts", "tt37"}


@pytest.mark.parametrize(
    "order",
    [
        [("under_care", "hearts"), ("control_rate", "hearts")],
        [("under_care", "tt37"), ("under_care", "hearts")],
        [("under_care", "hearts"), ("under_care", "hearts")],
    ],
)
def test_parts_out_of_order_are_refused(tmp_path: Path, whole, order) -> None:
    parts = [of(whole, *which) for which in order]
    with pytest.raises(IdentityError, match="values are not in order"):
        write_values(tmp_path / "values.parquet", parts, len)


def test_two_indicators_in_one_part_are_refused(tmp_path: Path, whole) -> None:
    both = pl.concat(of(whole, name, "hearts") for name in ("control_rate", "under_care"))
    with pytest.raises(IdentityError, match="values are not in order"):
        write_values(tmp_path / "values.parquet", [both], len)


def test_what_is_written_is_what_is_published_whatever_is_held_at_a_time(
    tmp_path: Path, whole, monkeypatch
) -> None:
    monkeypatch.setattr("ncdsurv.indicators.publish.CELLS_AT_A_TIME", 0)
    monkeypatch.setattr("ncdsurv.indicators.publish.ROWS_AT_A_TIME", 3)
    monkeypatch.setattr(writer, "ROW_GROUP", 100)
    parts = list(iter_values(measures(TABLE), REFERENCE, CATALOG, "spec"))
    assert all(part["preset"].n_unique() == part["indicator"].n_unique() == 1 for part in parts)
    assert len(parts) > whole["indicator"].n_unique()
    assert write_values(tmp_path / "values.parquet", parts, len).rows == whole.height
    read = pl.read_parquet(tmp_path / "values.parquet")
    assert read.equals(whole.cast(dict(read.schema)))
