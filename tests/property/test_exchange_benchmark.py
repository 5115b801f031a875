"""The benchmark of one bucket measures what it says: a month counted on is the one counted from the beginning."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import exchange
from ncdsurv.registry.counting import Count

PEOPLE = 300


def test_a_month_counted_on_is_timed_only_where_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exchange.month(PEOPLE)["month_s"] > 0
    right = exchange.grown

    def without_the_last_row(*asked: Any) -> dict[str, Count]:
        return {name: Count(count.cells.head(-1), count.carry) for name, count in right(*asked).items()}

    monkeypatch.setattr(exchange, "grown", without_the_last_row)
    with pytest.raises(SystemExit, match="counts differ"):
        exchange.month(PEOPLE)
