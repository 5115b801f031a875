"""Why a series cannot carry a trend, as data: so that a report can say it in its own language."""

from __future__ import annotations

from ncdsurv.errors import StatisticsError


class SeriesRefused(StatisticsError):
    """A series that cannot carry the method asked for.

    Args:
        reason: Key of the reason in `described.toml`, under `why`.
        parts: Numbers of its wording; the other arguments are those of every error.
    """

    def __init__(
        self,
        what: str,
        *,
        reason: str,
        parts: dict[str, int] | None = None,
        got: object = None,
        allowed: object = None,
        do: str | None = None,
    ) -> None:
        super().__init__(what, got=got, allowed=allowed, do=do)
        self.reason, self.parts = reason, dict(parts or {})
