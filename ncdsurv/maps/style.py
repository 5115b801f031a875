"""Colours and type of every figure: colour-blind safe, printable in grey, Vietnamese marks right.

DejaVu Sans (shipped with matplotlib) stacks Vietnamese marks correctly in composed form, so all text is
composed (NFC) before it is drawn. Nothing here touches pyplot's global state.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Okabe and Ito (2008): eight colours told apart with any common colour vision deficiency.
QUALITATIVE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
OBSERVED, FITTED, BAND = "#404040", "#0072B2", "#9CC9E8"
INK, SOFT_INK, RULE = "#1A1A1A", "#595959", "#B5B5B5"
PAPER, LAND, NOT_REPORTED, NOT_DEFINED = "#FFFFFF", "#F4F4F2", "#E4E4E0", "#C9C9C4"
SUPPRESSED = "#A79E92"
# Dark, middling and pale shades of what lies above or below: where the indicator says which is good, and where not.
FAVOURABLE, UNFAVOURABLE = ("#2166AC", "#4393C3", "#92C5DE"), ("#B2182B", "#D6604D", "#F4A582")
HIGHER, LOWER = ("#4A1F7A", "#7E62B5", "#C6A0EA"), ("#A04E05", "#E08214", "#FDB863")
EDGE, HATCH = "#FFFFFF", "#2B2B2B"
FONT = "DejaVu Sans"
# Anchors of a light-to-dark blue-green ramp, even steps of lightness (checked in CIELAB by a test).
_RAMP = ("#EDF4D9", "#B5DDB9", "#6FBFC0", "#3B8FB8", "#2B5C94", "#1B2A5E")

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
    "font.size": 8.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 8.5,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "text.color": INK,
    "xtick.color": SOFT_INK,
    "ytick.color": SOFT_INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "hatch.color": HATCH,
    "hatch.linewidth": 0.5,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",  # a reader without the font still sees the marks
    "svg.hashsalt": "ncdsurv",  # the same figure gives the same file
    "pdf.fonttype": 42,
}


def nfc(text: str) -> str:
    """Text in composed form; fonts place marks of decomposed Vietnamese badly.

    >>> len(nfc("e\\u0323\\u0302"))
    1
    """
    return unicodedata.normalize("NFC", text)


@contextmanager
def figure_style() -> Iterator[None]:
    """The project's matplotlib settings, for the length of a `with` block."""
    import matplotlib

    shows = matplotlib.is_interactive()
    try:
        with matplotlib.rc_context(_SETTINGS):
            try:
                yield
            finally:
                shows = matplotlib.is_interactive()
    finally:
        # A notebook's first use of pyplot may lie in the block and switches to figures that show by themselves;
        # rc_context would take that back, and every later figure would stay unseen.
        matplotlib.interactive(shows)


def sequential(k: int, reverse: bool = False) -> list[str]:
    """Colours of `k` ordered classes, light to dark.

    Args:
        k: Number of classes, 1 or more.
        reverse: Dark for low instead: the darker shade always asks for attention.

    Returns:
        Hex colours, lowest class first.

    >>> sequential(2)[0] != sequential(2)[1]
    True
    """
    import numpy as np

    anchors = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in _RAMP], dtype=float)
    at = np.array([0.5]) if k == 1 else np.linspace(0.04, 0.96, k)
    where = np.linspace(0, 1, len(_RAMP))
    mixed = np.column_stack([np.interp(at, where, anchors[:, channel]) for channel in range(3)])
    colours = ["#" + "".join(f"{round(x):02X}" for x in row) for row in mixed]
    return colours[::-1] if reverse else colours


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour (WCAG 2.2), 0 black to 1 white.

    >>> luminance("#FFFFFF")
    1.0
    """
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return round(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], 6)
