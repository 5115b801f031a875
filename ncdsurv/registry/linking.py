"""Records to persons, and persons into the buckets that the engine reads; kept as one commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.link import build_persons, link_records
from ncdsurv.registry.buckets import layout_buckets
from ncdsurv.registry.digest import basis, fingerprint

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

LINK = "link"
_LAYS_OUT = ("definitions", "reference", "code")
"""What a layout depends on beside the records."""


def current_visits(snapshot: Snapshot) -> pl.DataFrame:
    """The visits as last reported: of two rows with one visit_id the one of the later file counts."""
    return (
        snapshot.read("visits")
        .sort("visit_id", "received", "row_number")
        .unique("visit_id", keep="last", maintain_order=True)
    )


def current_diagnoses(snapshot: Snapshot) -> pl.DataFrame:
    """Diagnoses, each said once: monthly exports repeat them, and the first to say so dates it."""
    said = ["record_id", "disease", "icd10", "detected_on", "detected_where", "facility", "withdrawn_on"]
    told = snapshot.read("diagnoses")
    return (
        told.sort(*said, "recorded_on", "received", "row_number", nulls_last=True)
        .group_by(said, maintain_order=True)
        .agg(pl.exclude("last_stated_on").first(), pl.col("last_stated_on").max())
        .select(told.columns)
    )


def prepared(store: Store, snapshot: Snapshot) -> bool:
    """Whether persons and buckets of this state are made, from all its records and by this code."""
    return bool(snapshot.note.get("prepared") == fingerprint(basis(store, snapshot)))


def last_laid(store: Store) -> dict[str, Any]:
    """What the newest layout was made by (`by`, `key_id`) and the digest of each bucket; empty where none is."""
    links = store.lake.commits().filter(pl.col("kind") == LINK)
    found: dict[str, Any] = json.loads(links["note"][-1]).get("laid", {}) if links.height else {}
    return found


def link(store: Store) -> dict[str, Any]:
    """Link all records and lay them out; the caller holds the lock. See `Store.link`."""
    snapshot = store.lake.snapshot()
    if not snapshot.number:
        raise StoreError(
            "the registry is empty", got=store.folder, do="take in exports first: ncdsurv ingest"
        )
    if prepared(store, snapshot):
        found: dict[str, Any] = snapshot.note["linked"]
        return found
    key = store.vault.key(snapshot.key_id)
    reference, basis_now = store.reference, basis(store, snapshot)
    laid_by = fingerprint([basis_now[name] for name in _LAYS_OUT] + [pl.__version__])
    laid = last_laid(store)
    same = laid.get("by") == laid_by and laid.get("key_id") == snapshot.key_id
    before = laid["buckets"] if same else None
    patients, visits = snapshot.read("patients"), current_visits(snapshot)
    crosswalk = link_records(snapshot.read("identifiers"), patients, key, reference.atoms)
    persons, residences = build_persons(crosswalk, patients, visits, reference)
    placed = persons.join(residences, on="person_id", how="semi", maintain_order="left")
    rules = crosswalk.group_by("rule").len().sort("rule")
    linked = {
        "records": crosswalk.height,
        "persons": persons.height,
        "persons_without_residence": persons.height - placed.height,
        "by_rule": dict(rules.iter_rows()),
        "residences_by_basis": dict(residences.group_by("basis").len().sort("basis").iter_rows()),
    }
    sources = patients.select("record_id", "source").unique("record_id", keep="first", maintain_order=True)
    with store.lake.transaction() as tx:
        for name, frame in (("crosswalk", crosswalk), ("persons", persons), ("residences", residences)):
            tx.overwrite(name, frame)
        buckets = layout_buckets(
            tx,
            placed,
            residences,
            crosswalk.join(sources, on="record_id", how="left"),
            current_diagnoses(snapshot),
            visits,
            store.catalog,
            reference.atoms,
            before,
        )
        laid = {"by": laid_by, "key_id": snapshot.key_id, "buckets": buckets}
        note = {"prepared": fingerprint(basis_now), "linked": linked, "laid": laid}
        tx.commit(LINK, note=note)
    return linked
