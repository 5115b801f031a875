"""The border: a pandas or polars frame comes in, the same kind goes out with columns added.

Original columns stay, in order; a pandas index stays. Inside are numpy arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError, unknown
from ncdsurv.indicators.rates.given import Figures, Floats, is_missing, numbers

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray

FIGURES = ("value", "lower", "upper", "method", "confidence")


def open_frame(frame: Any) -> nw.DataFrame[Any]:
    """The frame as narwhals sees it.

    Raises:
        StatisticsError: Something else than an eager frame, or a column name twice.
    """
    import narwhals as nw

    try:
        table = nw.from_native(frame, eager_only=True)
        table.columns  # noqa: B018 - pandas alone allows a name twice, and says so here
        return table
    except nw.exceptions.DuplicateError:
        raise StatisticsError("a column name that stands twice in the frame", do="rename one") from None
    except TypeError as error:
        lazy = hasattr(frame, "collect")
        raise StatisticsError(
            "not a frame",
            got=type(frame).__name__,
            allowed="a pandas or polars DataFrame",
            do="collect it first"
            if lazy
            else "make it one (of DuckDB .pl() or .df()), or leave it out and give arrays by name",
        ) from error


def names_of(by: str | Sequence[str] | None) -> list[str]:
    """The columns that name groups: none, one name or several.

    Raises:
        StatisticsError: A column named twice.
    """
    names = [by] if isinstance(by, str) else list(by or ())
    if len(set(names)) < len(names):
        raise StatisticsError("a column named twice in `by`", got=", ".join(names), do="name it once")
    return names


def group_columns(table: nw.DataFrame[Any], by: Sequence[str]) -> nw.DataFrame[Any]:
    """The columns that name groups, checked: results are sorted by them.

    Raises:
        StatisticsError: Names that have no order: pandas lets one column hold text and numbers, or lists.
        UsageError: No such column.
    """
    import narwhals as nw

    for name in by:
        given = column(table, name)
        if given.dtype == nw.Object:
            try:
                sorted({each for each in given.to_list() if not is_missing(each)})
            except TypeError:
                raise StatisticsError(
                    "names of groups that cannot be put in order",
                    got=name,
                    allowed="one kind of name in a column",
                    do="cast it to text first",
                ) from None
    return table.select(*by)


def column(table: nw.DataFrame[Any], name: Any) -> nw.Series[Any]:
    """A column by its name.

    Raises:
        StatisticsError: The numbers themselves in the place of their column's name, or a name that is no text.
        UsageError: No such column; the nearest one is named.
    """
    if not isinstance(name, str):
        raise StatisticsError(
            "with a frame, a column is given by its name, which is text",
            got=type(name).__name__,
            do="give the name, or leave the frame out and give arrays",
        )
    if name not in table.columns:
        raise unknown("column", name, (each for each in table.columns if isinstance(each, str)))
    return table[name]


def column_numbers(table: nw.DataFrame[Any], name: str, label: str, *, negative: bool = False) -> Floats:
    """A column as Float64 array, null as NaN.

    Raises:
        StatisticsError: A column that is not of numbers, or of negative ones.
    """
    import narwhals as nw

    series = column(table, name)
    if series.dtype == nw.Object:  # pandas keeps whole numbers beside a missing one so
        return numbers(label, series.to_numpy(), negative=negative)
    if not series.dtype.is_numeric() and len(series) and not series.is_null().all():
        raise StatisticsError(
            "a column that is not of numbers", got=f"{name} ({series.dtype})", do="cast it first"
        )
    return numbers(label, series.cast(nw.Float64).to_numpy(), negative=negative)


def given_numbers(frame: Any, **columns: Any) -> tuple[nw.DataFrame[Any] | None, list[Floats]]:
    """The arrays named by role: columns of the frame where there is one, else what was given itself.

    Raises:
        StatisticsError: Series of pandas whose rows are not the same; arrays are taken by place.
    """
    if frame is None:
        same_rows(columns.values())
        return None, [numbers(label, given) for label, given in columns.items()]
    table = open_frame(frame)
    return table, [column_numbers(table, name, label) for label, name in columns.items()]


def same_rows(given: Iterable[Any]) -> None:
    """Series that carry an index carry the same one: they are taken by place, never matched by it.

    Raises:
        StatisticsError: Two different indexes.
    """
    indexes = [each.index for each in given if hasattr(each, "iloc")]
    if any(not indexes[0].equals(other) for other in indexes[1:]):
        raise StatisticsError("Series whose rows are not the same", do="put them into one frame first")


def free(table: nw.DataFrame[Any], names: Sequence[str]) -> None:
    """No column of the caller's is overwritten.

    Raises:
        StatisticsError: The frame has a column of a name that would be added.
    """
    if taken := [name for name in names if name in table.columns]:
        raise StatisticsError(
            "a column of that name stands in the frame already",
            got=", ".join(taken),
            do="rename or drop it first",
        )


def add(table: nw.DataFrame[Any], columns: Mapping[str, Any]) -> Any:
    """The caller's frame with columns added at the end.

    Args:
        table: Of `open_frame`.
        columns: Name -> Float64 array (NaN becomes null), array of words (empty becomes null), or one scalar.
    """
    import narwhals as nw

    free(table, list(columns))
    space = nw.get_native_namespace(table)
    added: list[Any] = []
    for name, given in columns.items():
        if isinstance(given, np.ndarray) and given.dtype.kind == "f":
            found = nw.new_series(name, np.ascontiguousarray(given), dtype=nw.Float64, backend=space)
            added.append(found.to_frame().select(nw.when(~nw.col(name).is_nan()).then(nw.col(name)))[name])
        elif isinstance(given, np.ndarray):
            words = [word or None for word in given.tolist()]
            added.append(nw.new_series(name, words, dtype=nw.String, backend=space))
        else:
            added.append(nw.lit(given).alias(name))
    return table.with_columns(*added).to_native()


def answer(table: nw.DataFrame[Any] | None, figures: Figures, extra: Mapping[str, Any] | None = None) -> Any:
    """`Figures` for arrays, or the frame with them as columns."""
    if table is None:
        return figures
    columns: dict[str, Any] = figures._asdict()
    first = figures.method.flat[0] if figures.method.size else ""
    if first and np.all(figures.method == first):  # one word for all rows needs no list of it
        columns["method"] = str(first)
    return add(table, {**columns, **(extra or {})})


def words(where: Sequence[tuple[Any, str]], otherwise: str, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """A word for each row: of the first test that holds, else `otherwise`."""
    tests = [np.broadcast_to(test, shape) for test, _ in where]
    return np.asarray(np.select(tests, [word for _, word in where], default=otherwise), dtype=np.str_)


def one_word(word: str, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """The same word for each row, without its memory."""
    return np.broadcast_to(np.asarray(word), shape)
