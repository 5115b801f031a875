"""An interactive map: the page, the numbers under it, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from ncdsurv.errors import UsageError

_ENDINGS = (".html", ".htm")
_HEIGHT = 900  # pixels of the frame in a notebook


@dataclass(frozen=True)
class InteractiveMap:
    """What `interactive_map` returns.

    Attributes:
        html: The whole page, one file that fetches nothing.
        data: One row per area and period in the kind of frame that was given: period, area_code, name, value,
            lower, upper, numerator, denominator, flag, status, class (0 is the lowest, null without a value).
        title: Indicator, disease and place in words.
        breaks: Limits between the classes, the same in every period.
        text: The explanation in both languages.
        lang: Language the page opens in.
    """

    html: str = field(repr=False)
    data: Any = field(repr=False)
    title: str
    breaks: tuple[float, ...]
    text: dict[str, str] = field(repr=False)
    lang: str

    def explain(self, lang: str | None = None) -> str:
        """Definition, periods, classes, what is hatched and grey, boundaries and projection, as text."""
        from ncdsurv.maps.wording import language

        return self.text[language(lang or self.lang)]

    def save(self, path: str | Path) -> Path:
        """Write the page; it opens in a browser without a network. The same map gives the same bytes.

        Raises:
            UsageError: An ending other than .html.
        """
        path = Path(path)
        if path.suffix.lower() not in _ENDINGS:
            raise UsageError(
                "an interactive map is a web page",
                got=path.suffix or path.name,
                allowed=" or ".join(_ENDINGS),
                do="end the name in .html; for a picture use ns.choropleth(...).save(...)",
            )
        path.write_text(self.html, encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that it and the notebook cannot touch each other."""
        return (
            f'<iframe title="{escape(self.title, quote=True)}" sandbox="allow-scripts" width="100%" '
            f'height="{_HEIGHT}" style="border:0" srcdoc="{escape(self.html, quote=True)}"></iframe>'
        )
