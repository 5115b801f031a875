"""The table of quality of a release, from what the records told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.registry.tally import ACTIVITY, KEPT

if TYPE_CHECKING:
    from ncdsurv.registry.continued import Told
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot


def quality_of(store: Store, snapshot: Snapshot, told: Told) -> pl.DataFrame:
    """Every metric of quality of a state of the store (`ncdsurv.quality.QUALITY`)."""
    from ncdsurv.quality import residence_rows
    from ncdsurv.quality.table import table_of

    patients, reference = snapshot.read("patients"), store.reference
    gathered = {name: [frame] for name, frame in told.tally.items() if name not in (KEPT, ACTIVITY)}
    recorded = table_of(
        gathered, told.tally[KEPT], told.visitors, patients, snapshot.read("rejects"), reference
    )
    residences, crosswalk = snapshot.read("residences"), snapshot.read("crosswalk")
    return pl.concat([recorded, residence_rows(residences, crosswalk, patients, reference)])
