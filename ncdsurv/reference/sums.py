"""Sums of fractions that do not depend on the order in which rows are met. Pure."""

from __future__ import annotations

import polars as pl


def steady_sum(what: pl.Expr | str) -> pl.Expr:
    """The sum of a column of fractions, added in the order of their size.

    Floating-point addition depends on its order, and a `group_by` or a join on several threads meets rows in no
    fixed one: the same input gave sums that differed in the last digit. Values that are equal are interchangeable,
    so ordering by the value alone fixes every step of the sum. Whole numbers do not need it.

    >>> orders = [0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.2, 0.3, 0.1]
    >>> len({sum(order) for order in orders})
    2
    >>> len({pl.DataFrame({"x": order}).select(steady_sum("x")).item() for order in orders})
    1
    """
    return (pl.col(what) if isinstance(what, str) else what).sort().sum()
