"""The exact pass: records that carry the same number, or the same name, birth date, sex and commune, are one person.

Three keys in order of strength: citizen number (CCCD, 12 digits), insurance number (its last ten digits, the
social-insurance number inside a health-insurance card's), then name + full birth date + sex + commune.

A key joins two groups of records unless the evidence speaks against it:

* *Two citizen numbers are two people.* A weaker key never joins records whose citizen numbers differ, not even
  through a third record; a record that would fit two such people is left alone rather than guessed.
* *Two of three.* Sex, birth year (more than one year apart) and name: where two of these differ, the number was
  lent or mistyped (a couple on one card, a parent's number for a child) and the records stay apart. One
  difference alone is a slip of the pen and joins.

The result does not depend on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import polars as pl

from ncdsurv.catalog.tables import CROSSWALK, conform
from ncdsurv.catalog.vocabulary import BirthPrecision, Sex, Vintage
from ncdsurv.clean.pseudonym import keyed_id

SINGLE = "single"
PASSES = ("citizen_id", "insurance_number", "name_birth_sex_commune")
MOST_SHARED = 20
"""A number on more records than this is a filler ("000000000001"), and says nothing."""
_INSURANCE_DIGITS = 10
_SAME_YEAR_WITHIN = 1
_TWO_OF_THREE = 2


def link_records(
    identifiers: pl.DataFrame, patients: pl.DataFrame, key: bytes, atoms: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Give every record exactly one person.

    Args:
        identifiers: Columns of `IDENTIFIERS`; several rows of a record are allowed (a later export says more).
            With a column `received`, the last citizen number counts, else the largest.
        patients: Columns of `PATIENTS`: every record to be linked, and its communes.
        key: The store's key: `person_id` is a keyed hash.
        atoms: `Reference.atoms`; with it, a commune of 2024 and one of 2025 match where one became the other.

    Returns:
        Columns of `CROSSWALK`, sorted by record: `rule` is the strongest pass that joined the record to
        another one (or `single`), `score` is 1.

    >>> from ncdsurv.catalog.tables import IDENTIFIERS, PATIENTS
    >>> rows = pl.DataFrame({"record_id": ["a", "b"], "citizen_id": ["079058000001"] * 2})
    >>> link_records(conform(rows, IDENTIFIERS), conform(rows, PATIENTS), b"0" * 32)["rule"].to_list()
    ['citizen_id', 'citizen_id']
    """
    records = pl.concat([patients["record_id"], identifiers["record_id"]]).unique().sort()
    index = records.to_frame("record_id").with_row_index("node")
    passes = [_shared(keys) for keys in _keys(identifiers, patients, index, atoms)]
    # Who shares no key with anybody is a person alone: only of the others is anything held here.
    sharing = pl.Series(
        "node", sorted({node for keys in passes for nodes in keys for node in nodes}), pl.UInt32
    )
    groups = _Groups(_evidence(identifiers, index.join(sharing.to_frame(), on="node", how="semi")))
    for rank, keys in enumerate(passes):
        for nodes in keys:
            groups.join(nodes, rank)
    joined = pl.DataFrame(
        {
            "node": sharing,
            "root": [groups.root(node) for node in sharing],
            "rule": [PASSES[groups.rule[node]] if node in groups.rule else None for node in sharing],
        },
        schema={"node": pl.UInt32, "root": pl.UInt32, "rule": pl.String},
    )
    known = index.join(joined, on="node", how="left", maintain_order="left").with_columns(
        pl.coalesce("root", "node"), pl.col("rule").fill_null(SINGLE), score=pl.lit(1.0)
    )
    first = index.join(known.select(node="root").unique(), on="node", how="semi")
    ids = pl.Series(
        "person_id", (keyed_id(key, "person", record) for record in first["record_id"]), pl.String
    )
    persons = first.select(root="node").with_columns(ids)
    return conform(known.join(persons, on="root", maintain_order="left"), CROSSWALK)


@dataclass
class _Evidence:
    """What is known of a group of records; each set holds known values only."""

    citizens: frozenset[str]
    sexes: frozenset[str]
    years: frozenset[int]
    names: frozenset[str]

    def joined(self, other: _Evidence) -> _Evidence:
        return _Evidence(
            self.citizens | other.citizens,
            self.sexes | other.sexes,
            self.years | other.years,
            self.names | other.names,
        )

    def other_citizen(self, other: _Evidence) -> bool:
        return bool(self.citizens and other.citizens and not self.citizens & other.citizens)

    def contradicts(self, other: _Evidence) -> bool:
        sex = bool(self.sexes and other.sexes and not self.sexes & other.sexes)
        name = bool(self.names and other.names and not self.names & other.names)
        gaps = [abs(one - two) for one in self.years for two in other.years]
        year = bool(gaps) and min(gaps) > _SAME_YEAR_WITHIN
        return self.other_citizen(other) or sex + name + year >= _TWO_OF_THREE


class _Groups:
    """Union-find over records that share a key; each group carries its evidence; the root is the smallest record."""

    def __init__(self, evidence: dict[int, _Evidence]) -> None:
        self.parent = {node: node for node in evidence}
        self.evidence = evidence
        self.rule: dict[int, int] = {}

    def root(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, nodes: list[int], rank: int) -> None:
        """Join the groups of records that share a key, where the evidence allows it."""
        clash: dict[int, set[int]] = {}
        for one, two in combinations(sorted({self.root(node) for node in nodes}), 2):
            if self.evidence[one].other_citizen(self.evidence[two]):
                clash.setdefault(one, set()).add(two)
        contested = {root for pair in clash.items() for root in (pair[0], *pair[1])}
        for one, two in combinations(sorted(nodes), 2):
            left, right = self.root(one), self.root(two)
            if left == right or self.evidence[left].contradicts(self.evidence[right]):
                continue
            numberless = not (self.evidence[left].citizens and self.evidence[right].citizens)
            if contested and numberless:
                continue  # it would fit two different people: not ours to choose
            low, high = min(left, right), max(left, right)
            self.parent[high] = low
            self.evidence[low] = self.evidence[low].joined(self.evidence[high])
            for node in (one, two):
                self.rule.setdefault(node, rank)


def _evidence(identifiers: pl.DataFrame, index: pl.DataFrame) -> dict[int, _Evidence]:
    """Node -> evidence of each record in `index`."""

    def known(name: str, test: pl.Expr | None = None) -> pl.Expr:
        value = pl.col(name)
        return (
            value.filter(value.is_not_null() & (test if test is not None else True))
            .unique()
            .sort()
            .alias(name)
        )

    grouped = (
        _last_citizen(identifiers.join(index, on="record_id", how="semi"))
        .with_columns(pl.col("birth_date").dt.year().alias("year"))
        .group_by("record_id")
        .agg(
            known("citizen_id"),
            known("sex", pl.col("sex") != Sex.UNKNOWN.value),
            known("year"),
            known("name_key"),
        )
    )
    rows = index.join(grouped, on="record_id", how="left", maintain_order="left")
    return {
        node: _Evidence(*(frozenset(values or ()) for values in row))
        for node, *row in rows.select("node", "citizen_id", "sex", "year", "name_key").iter_rows()
    }


def _last_citizen(identifiers: pl.DataFrame) -> pl.DataFrame:
    """The identifiers with one citizen number per record: a number that was corrected does not join."""
    shape = pl.col("citizen_id").str.contains(r"^\d{12}$") & ~pl.col("citizen_id").str.contains(
        r"^(0{12}|1{12}|9{12})$"
    )
    valid = identifiers.with_columns(pl.when(shape).then("citizen_id").alias("citizen_id"))
    order = [name for name in ("received", "citizen_id") if name in valid.columns]
    last = (
        valid.filter(pl.col("citizen_id").is_not_null())
        .sort(order)
        .group_by("record_id", maintain_order=True)
        .agg(pl.col("citizen_id").last())
    )
    return valid.drop("citizen_id").join(last, on="record_id", how="left")


def _keys(
    identifiers: pl.DataFrame, patients: pl.DataFrame, index: pl.DataFrame, atoms: pl.DataFrame | None
) -> list[pl.DataFrame]:
    """For each pass the frame [node, key]."""
    digits = pl.col("insurance_number").str.replace_all(r"\D", "")
    insured = digits.str.len_chars() >= _INSURANCE_DIGITS
    named = (
        identifiers.filter(
            (pl.col("birth_precision") == BirthPrecision.DAY.value)
            & pl.col("sex").is_in([Sex.MALE.value, Sex.FEMALE.value])
            & (pl.col("name_key").str.len_chars() > 0)
        )
        .join(_communes(identifiers, patients, atoms), on="record_id")
        .with_columns(pl.format("{}|{}|{}|{}", "name_key", "birth_date", "sex", "commune").alias("key"))
    )
    passes = [
        _last_citizen(identifiers).with_columns(pl.col("citizen_id").alias("key")),
        identifiers.with_columns(pl.when(insured).then(digits.str.tail(_INSURANCE_DIGITS)).alias("key")),
        named,
    ]
    return [
        frame.filter(pl.col("key").is_not_null())
        .select("record_id", "key")
        .unique()
        .join(index, on="record_id")
        for frame in passes
    ]


def _communes(identifiers: pl.DataFrame, patients: pl.DataFrame, atoms: pl.DataFrame | None) -> pl.DataFrame:
    """[record_id, commune]: every commune a record was seen in, in one vintage where the crosswalk knows it."""
    place = ["record_id", "commune_code", "commune_vintage"]
    seen = pl.concat([identifiers.select(place), patients.select(place)]).drop_nulls().unique()
    if atoms is None:
        return seen.select(
            "record_id", pl.format("{}/{}", "commune_vintage", "commune_code").alias("commune")
        )
    became = atoms.select(
        pl.lit(Vintage.V2024.value).alias("commune_vintage"),
        pl.col("commune_2024").alias("commune_code"),
        pl.col("commune_2025").alias("now"),
    ).unique()
    return (
        seen.join(became, on=["commune_vintage", "commune_code"], how="left")
        .select("record_id", pl.coalesce("now", "commune_code").alias("commune"))
        .unique()
    )


def _shared(keys: pl.DataFrame) -> list[list[int]]:
    """Records that share a key, by key; fillers left out."""
    groups = keys.group_by("key").agg(pl.col("node").unique().sort())
    size = pl.col("node").list.len()
    return groups.filter((size > 1) & (size <= MOST_SHARED)).sort("key")["node"].to_list()
