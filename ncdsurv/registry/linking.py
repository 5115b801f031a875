"""Records to persons, and persons into the buckets that the engine reads; kept as one commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.link import build_persons, build_residences, link_records
from ncdsurv.registry.appended import last_received, only_files_came, spoken_of, state_of
from ncdsurv.registry.buckets import Digester, LayoutWriter, assign_buckets
from ncdsurv.registry.digest import basis, fingerprint
from ncdsurv.registry.visits import current_deaths, part_rows, visits_in_parts
from ncdsurv.spells import visit_columns
from ncdsurv.store.parts import Parts, parts_in

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

LINK = "link"
_LAYS_OUT = ("definitions", "reference", "code")
"""What a layout depends on beside the records."""
MOST_ASKED = 0.5
"""Where the records of more than so many have to be read, reading those of all is quicker."""


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
        raise StoreError("the registry is empty", got=store.place, do="take in exports first: ncdsurv ingest")
    if prepared(store, snapshot):
        found: dict[str, Any] = snapshot.note["linked"]
        return found
    key = store.vault.key(snapshot.key_id)
    reference, basis_now = store.reference, basis(store, snapshot)
    laid_by = fingerprint([basis_now[name] for name in _LAYS_OUT] + [pl.__version__])
    laid = last_laid(store)
    same = laid.get("by") == laid_by and laid.get("key_id") == snapshot.key_id
    patients = snapshot.read("patients")
    crosswalk = link_records(snapshot.read("identifiers"), patients, key, reference.atoms)
    residences = build_residences(crosswalk, patients, reference)
    came = _came(snapshot, crosswalk)
    homes = assign_buckets(residences, reference.atoms, visits=came)
    rows = part_rows(snapshot)
    homes = _in_parts(homes, came, rows)
    records = _records(crosswalk, patients, homes)
    persons = build_persons(crosswalk, patients, current_deaths(snapshot))
    told = {
        "persons": persons.join(homes, on="person_id"),
        "residences": residences.join(homes, on="person_id"),
        "records": records,
        "diagnoses": current_diagnoses(snapshot).join(_at(records), on="record_id"),
    }
    digester = Digester()
    for name, frame in told.items():
        digester.add(name, frame.drop("part"))
    before: dict[str, str] | None = laid["buckets"] if same else None
    settled = _settled(snapshot, records, digester.digests(), laid) if same else []
    with store.lake.transaction() as tx, parts_in(store.folder, rows) as visits:
        for name, frame in (("crosswalk", crosswalk), ("persons", persons), ("residences", residences)):
            tx.overwrite(name, frame)
        asked = records.filter(~pl.col("bucket").is_in(settled))
        _divide(
            snapshot, store, asked, visits, rows, digester, whole=asked.height > MOST_ASKED * records.height
        )
        buckets = digester.digests() | {str(number): laid["buckets"][str(number)] for number in settled}
        layout = LayoutWriter(tx, store.catalog, reference.atoms, buckets, before)
        changed = homes.filter(pl.col("bucket").is_in(layout.touched))
        for part in changed["part"].unique().sort():
            here = {name: rows.filter(pl.col("part") == part).drop("part") for name, rows in told.items()}
            layout.add({**here, "visits": visits.read(part)})
        layout.finish()
        linked = _linked(crosswalk, persons, residences)
        received = last_received(snapshot)
        laid = {"by": laid_by, "key_id": snapshot.key_id, "buckets": buckets, "received": received}
        laid["state"] = state_of(snapshot, received)
        note = {"prepared": fingerprint(basis_now), "linked": linked, "laid": laid}
        tx.commit(LINK, note=note)
    return linked


def _settled(
    snapshot: Snapshot, records: pl.DataFrame, digests: dict[str, str], laid: dict[str, Any]
) -> list[int]:
    """Buckets that are as they were laid out: the same people and records, and no new file speaks of them.

    Args:
        snapshot: The state, to be linked.
        records: [record_id, bucket].
        digests: Of each bucket, its visits not yet among them.
        laid: What the layout that stands was made of (`last_laid`).
    """
    if not only_files_came(snapshot, laid["received"], laid["state"]):
        return []
    is_new = snapshot.scan("visits").select(pl.col("received") > laid["received"])
    if (is_new.select(pl.col("received").mean()).collect().item() or 0) > MOST_ASKED:
        return []  # hardly a bucket will be; and whom they speak of may be everybody
    new = spoken_of(snapshot, laid["received"])
    spoken = set(records.join(new, on="record_id", how="semi")["bucket"])
    known = {number: found.rpartition(".")[0] for number, found in laid["buckets"].items()}
    same = (int(number) for number, found in digests.items() if known.get(number) == found.rpartition(".")[0])
    return [number for number in same if number not in spoken]


def _records(crosswalk: pl.DataFrame, patients: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """[record_id, person_id, source, bucket, part] of the persons with a home."""
    sources = patients.select("record_id", "source").unique("record_id", keep="first", maintain_order=True)
    known = crosswalk.select("record_id", "person_id").join(sources, on="record_id", how="left")
    return known.join(homes, on="person_id")


def _at(records: pl.DataFrame) -> pl.DataFrame:
    return records.select("record_id", "bucket", "part")


def _came(snapshot: Snapshot, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """[person_id, visits]: how many rows tell of a person's visits; one that was told again counts each time."""
    told = snapshot.scan("visits").group_by("record_id").agg(visits=pl.len().cast(pl.Int64)).collect()
    each = crosswalk.select("record_id", "person_id").join(told, on="record_id")
    return each.group_by("person_id").agg(pl.col("visits").sum())


def _in_parts(homes: pl.DataFrame, came: pl.DataFrame, rows: int) -> pl.DataFrame:
    """[person_id, bucket, part]: runs of people in the order of the layout, with some `rows` rows of visits each.

    A person is a row too, so that no part has too many people either.
    """
    each = homes.join(came, on="person_id", how="left", maintain_order="left")["visits"].fill_null(0) + 1
    part = ((each.cum_sum() - each) // rows).cast(pl.Int32)
    return homes.select("person_id", "bucket", part=part)


def _divide(
    snapshot: Snapshot,
    store: Store,
    records: pl.DataFrame,
    parts: Parts,
    rows: int,
    digester: Digester,
    *,
    whole: bool,
) -> None:
    """Put the visits of some records under their part, and into the digests.

    Args:
        snapshot: The state.
        store: Its definitions, and its folder for what does not fit into memory.
        records: [record_id, bucket, part]: the records.
        parts: Gets their visits.
        rows: Most visits held at once.
        digester: Gets the visits as well.
        whole: Whether all visits are read, because the records are most of all.
    """
    at = _at(records)
    only = None if whole else at.select("record_id")
    with visits_in_parts(snapshot, store.folder, rows, visit_columns(store.catalog), only) as found:
        for visits in found:
            placed = visits.join(at, on="record_id")
            digester.add("visits", placed.drop("part"))
            parts.put(placed, "part")


def _linked(crosswalk: pl.DataFrame, persons: pl.DataFrame, residences: pl.DataFrame) -> dict[str, Any]:
    """What the step found, in numbers."""
    placed = persons.join(residences, on="person_id", how="semi")
    rules = crosswalk.group_by("rule").len().sort("rule")
    return {
        "records": crosswalk.height,
        "persons": persons.height,
        "persons_without_residence": persons.height - placed.height,
        "by_rule": dict(rules.iter_rows()),
        "residences_by_basis": dict(residences.group_by("basis").len().sort("basis").iter_rows()),
    }
