"""The benchmark of publishing gives every commune of its counts values, and fails where one lacks them."""

from __future__ import annotations

import pytest

from benchmarks import values


def test_every_commune_with_counts_has_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "PATTERN", 1)
    found = values.measure(2)
    assert found["atoms"] == 2
    assert found["values"] > found["counts"] > 0
    assert found["peak_mb"] > 0


def test_a_commune_left_out_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    written = values.write_counts
    monkeypatch.setattr(values, "PATTERN", 1)
    monkeypatch.setattr(values, "write_counts", lambda path, atoms: written(path, atoms[:1]))
    with pytest.raises(SystemExit, match="communes have values"):
        values.measure(60)
