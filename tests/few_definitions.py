"""The package's definitions with a few of its indicators: what becomes of files does not hang on how many there are.

A release with a few passes through the same steps and writes the same files, under the same presets and their
variants, in about half the time. For tests of where a registry stands and who writes it, not of its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ncdsurv.catalog import Catalog, load, load_catalog
from ncdsurv.registry.counting import definitions

KEPT = ("detected", "detection_rate", "under_care", "control_rate")


@contextmanager
def few_indicators() -> Iterator[Catalog]:
    """Let this process find those in the place of all; the processes that it starts know them all."""
    whole, read = load_catalog(), load._load
    few = whole.model_copy(update={"indicators": {name: whole.indicators[name] for name in KEPT}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "_load", lambda folder: few if folder == load.DEFINITIONS else read(folder))
        definitions.cache_clear()
        yield few
    definitions.cache_clear()
