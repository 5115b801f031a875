"""The closed condition grammar: column -> value, list of values, or bounds. No expression strings, no eval.

A condition is a conjunction over named columns:

    {care_state = "under_care", outcome = ["controlled", "uncontrolled"], months_since_enrolment = {ge = 3}}

It can be tested on one row (a dict) or turned into a polars expression; both give the same answer.
A null value satisfies no condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

Scalar = str | int | float | bool
BOUNDS = {"lt": lt, "le": le, "gt": gt, "ge": ge}


@dataclass(frozen=True)
class Test:
    """One column's test: membership of `values`, or every one of `bounds` (operator, limit)."""

    __test__ = False  # not a pytest class

    column: str
    values: tuple[Scalar, ...] = ()
    bounds: tuple[tuple[str, float], ...] = ()

    def holds(self, value: Any) -> bool:
        """Whether a single value passes; None never does."""
        if value is None:
            return False
        if self.bounds:
            return all(BOUNDS[operator](value, limit) for operator, limit in self.bounds)
        return value in self.values

    def expr(self) -> pl.Expr:
        """The same test as a polars expression, never null."""
        import polars as pl

        column = pl.col(self.column)
        if self.bounds:
            tests = [BOUNDS[operator](column, limit) for operator, limit in self.bounds]
            return pl.all_horizontal(tests).fill_null(False)
        return column.is_in(list(self.values)).fill_null(False)


@dataclass(frozen=True)
class Condition:
    """A conjunction of tests, in column order; the empty condition holds for every row.

    >>> Condition.parse({"sbp": {"lt": 140}, "dbp": {"lt": 90}}).holds({"sbp": 139, "dbp": 89})
    True
    >>> Condition.parse({"sbp": {"lt": 140}}).holds({"sbp": 140})
    False
    """

    tests: tuple[Test, ...] = ()

    @classmethod
    def parse(cls, text: Mapping[str, Any], columns: Iterable[str] | None = None) -> Condition:
        """Read a condition as it stands in a definition file.

        Args:
            text: Column -> value, list, or table of bounds.
            columns: The columns that may be named; None allows any.

        Raises:
            ValueError: An unknown column, operator or shape; the message says which.
        """
        known = None if columns is None else set(columns)
        tests = []
        for column, wanted in sorted(text.items()):
            if known is not None and column not in known:
                raise ValueError(f"unknown column {column!r}; allowed: {', '.join(sorted(known))}")
            tests.append(_parse_test(column, wanted))
        return cls(tuple(tests))

    def __and__(self, other: Condition) -> Condition:
        return Condition(self.tests + tuple(test for test in other.tests if test not in self.tests))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns named, each once."""
        return tuple(dict.fromkeys(test.column for test in self.tests))

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether one row (a mapping) satisfies every test."""
        return all(test.holds(row.get(test.column)) for test in self.tests)

    def expr(self) -> pl.Expr:
        """The condition as a polars expression, never null."""
        import polars as pl

        return pl.all_horizontal([test.expr() for test in self.tests]) if self.tests else pl.lit(True)


def _parse_test(column: str, wanted: Any) -> Test:
    if isinstance(wanted, Mapping):
        if not wanted or set(wanted) - set(BOUNDS):
            raise ValueError(
                f"{column}: bounds {sorted(wanted)} not understood; allowed: {', '.join(BOUNDS)}"
            )
        if any(isinstance(limit, bool) or not isinstance(limit, int | float) for limit in wanted.values()):
            raise ValueError(f"{column}: a bound must be a number")
        return Test(column, bounds=tuple(sorted((operator, limit) for operator, limit in wanted.items())))
    values = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
    if not values or any(not isinstance(value, Scalar) for value in values):
        raise ValueError(f"{column}: want a value, a list of values or bounds {{lt, le, gt, ge}}")
    return Test(column, values=values)
