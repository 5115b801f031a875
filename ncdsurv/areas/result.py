"""What every result about areas has: title, the table in words, HTML in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.maps.wording import language, say
from ncdsurv.trends.answer import Answer

if TYPE_CHECKING:
    import polars as pl

    from ncdsurv.areas.draw import Scene


class AreaResult(Answer):
    """Base of results about areas of one level and period.

    A result adds its own fields, with `_scene` among them, and overrides `headline`, `rows`, `plot` and `explain`.
    """

    _scene: Scene

    def title(self, lang: str | None = None) -> str:
        """Indicator and disease in words."""
        return self._scene.title(language(lang or self.lang))

    def _kind_given(self, table: pl.DataFrame) -> Any:
        return self._scene.rows.back(table)

    def _columns(self, lang: str, names: tuple[str, ...]) -> list[str]:
        """Column names in words; `value` columns carry the unit."""
        from ncdsurv.areas.words import phrase

        unit = say(f"unit.{self._scene.rows.identity['unit']}", lang)
        return [phrase(f"table.{name}", lang, unit=unit) for name in names]


def whole(count: float | None) -> float | int | None:
    """A count without a decimal point where it needs none; null stays null.

    >>> whole(12.0), whole(0.5), whole(None)
    (12, 0.5, None)
    """
    return int(count) if count is not None and float(count).is_integer() else count
