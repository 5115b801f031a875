"""Hands a bucket to the compiled kernel as arrays, and turns what comes back into a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.spells.layout import SEXES, Bucket
from ncdsurv.spells.rules import Rules
from ncdsurv.spells.states import Plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


def count_compiled(
    bucket: Bucket,
    rules: Sequence[Rules],
    judged: Sequence[pl.Expr],
    plan: Plan,
    catalog: Catalog,
    first_month: int,
    last_month: int,
) -> pl.DataFrame:
    """Count a bucket with the kernel.

    Returns:
        preset, disease, atom, sex, band (numbers), month, then the measures; sorted by the first six. The
        frame that `changes.count_spells` makes of each preset, put together.
    """
    from ncdsurv.spells.kernel import count_changes, running_rows

    people, cases, segments = bucket.people, bucket.cases, bucket.segments
    places = segments["atom"].unique().sort()
    verdicts = bucket.contacts.select(judged)
    bands = np.array([band.lower * MONTHS_PER_YEAR for band in catalog.age_bands], dtype=np.int64)
    arrays = (
        *(people[name].to_numpy() for name in ("birth_month", "death_month", "sex")),
        _starts(cases["person"], people.height),
        *(cases[name].to_numpy() for name in ("disease", "detected_month", "enrolled_month")),
        _starts(segments["person"], people.height),
        segments["from_month"].to_numpy(),
        places.search_sorted(segments["atom"]).to_numpy().astype(np.int32),
        _starts(bucket.contacts["person"], people.height),
        *(
            bucket.contacts[name].to_numpy()
            for name in ("day", "month", "kind", "diseases", "status", "reported_target", "dispensed")
        ),
        verdicts.to_numpy(order="c") if verdicts.width else np.zeros((bucket.contacts.height, 1), np.uint8),
        np.array([_row(rule) for rule in rules], dtype=np.int64),
        np.array([rule.judged for rule in rules], dtype=np.int64),
        plan.masks(rule.preset for rule in rules),
        np.array(plan.cuts, dtype=np.int64),
        bands,
    )
    sizes = (max(len(places), 1), len(SEXES), len(catalog.diseases), len(plan.measures))
    kernel: Any = count_changes
    cells, counts = kernel(*(_frozen(array) for array in arrays), first_month, last_month, *sizes)
    order = np.argsort(cells)
    row, month, block = running_rows(counts, order)
    rest, band = np.divmod(cells[order], len(bands) + 1)
    rest, sex = np.divmod(rest, len(SEXES))
    rest, place = np.divmod(rest, max(len(places), 1))
    preset, disease = np.divmod(rest, len(catalog.diseases))
    cell = {
        "preset": preset.astype(np.int8),
        "disease": disease.astype(np.int8),
        "atom": places.to_numpy()[place],
        "sex": sex.astype(np.int8),
        "band": band.astype(np.int8),
    }
    return pl.DataFrame({name: values[row] for name, values in cell.items()}).with_columns(
        pl.Series("month", month + np.int32(first_month)),
        *(pl.Series(name, column) for name, column in zip(plan.names, block, strict=True)),
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    """A contiguous, read-only view: numba compiles once for it, whether or not polars had to copy."""
    fixed = np.ascontiguousarray(array).view()
    fixed.flags.writeable = False
    return fixed


def _row(rule: Rules) -> list[int]:
    bits = sum(1 << kind for kind in rule.kinds)
    windows = [rule.outcome_window, rule.enrolment_buffer, rule.lost_after, rule.treated_window]
    return [*windows, int(rule.last_visit_only), bits]


def _starts(person: pl.Series, people: int) -> np.ndarray:
    """Where each person's rows begin in a table ordered by person; one longer than people."""
    numbers = pl.Series(np.arange(people + 1, dtype=np.int32))
    return person.search_sorted(numbers, side="left").to_numpy().astype(np.int64)
