"""From raw rows to records: names, dates, identifiers, codes, units, plausibility; rejects and repairs by rule."""

from __future__ import annotations

from ncdsurv.clean.batch import CleanBatch, clean_batch
from ncdsurv.clean.pseudonym import keyed_id, keyed_ids
from ncdsurv.clean.records import newest_visits
from ncdsurv.clean.rules import explain, load_rules

__all__ = ["CleanBatch", "clean_batch", "explain", "keyed_id", "keyed_ids", "load_rules", "newest_visits"]
