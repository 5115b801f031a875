"""The same counts in DuckDB SQL, by change events: the engine's rival in the benchmark, its twin in the tests.

Written to be as quick as SQL allows. One sort of the visit days of each case serves all presets and all that
is carried from day to day; between two contacts every state changes at months that are known from the row
itself, so nothing is searched for as of a month and no person x month grid is made; a spell gives one change
where it begins and one where it ends, added up by the masks of what each preset counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.engine_sql_states import code_of, compact_mask, spell_months
from benchmarks.engine_sql_verdicts import judged_columns, verdict_of
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, PatientStatus, Quantity
from ncdsurv.spells import measure_plan
from ncdsurv.spells.layout import NEVER, NOTICE, STATUSES
from ncdsurv.spells.rules import preset_rules

if TYPE_CHECKING:
    import duckdb

    from ncdsurv.catalog import Catalog

OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
IN = STATUSES.index(PatientStatus.TRANSFERRED_IN) + 1
CELL = "disease, place, sex, band"
BITS, PACK = 20, 3  # a packed count is below a million: more people than any cell of the smallest places has


@dataclass(frozen=True)
class Query:
    """What the statements are made of.

    Attributes:
        presets: Their ids; all must count the same kinds of contact.
        place: The column of `segments` (or a table of its shape) that says where a person is counted.
    """

    catalog: Catalog
    presets: list[str]
    first: int
    last: int
    place: str = "atom"

    @cached_property
    def rules(self):
        """The rules of each preset."""
        rules = preset_rules(self.catalog, self.presets)[0]
        if len({rule.kinds for rule in rules}) != 1:
            raise ValueError("presets with different visit kinds need one pass each")
        return rules

    @cached_property
    def lanes(self):
        """Columns that each preset's states fill, with their masks."""
        return measure_plan(self.catalog).lanes(self.presets)

    @cached_property
    def verdicts(self) -> list[tuple[str, str]]:
        """Distinct (verdict, companion's verdict) expressions of a contact on a case."""
        return list(dict.fromkeys(verdict_of(rule) for rule in self.rules))

    @cached_property
    def intervals(self) -> list[int]:
        """Distinct default intervals until the next visit is due, in days."""
        return list(dict.fromkeys(rule.interval_days for rule in self.rules))

    @cached_property
    def quantities(self) -> list[tuple[str, Quantity]]:
        """Columns that add up a quantity."""
        plan = measure_plan(self.catalog)
        return [(column.name, column.quantity) for column, _ in plan.quantities(self.presets)]

    @cached_property
    def columns(self) -> list[str]:
        """Names of the counts, in the order of the result's columns m0, m1, ..."""
        return measure_plan(self.catalog).columns_of(self.presets)

    def statements(self) -> list[str]:
        """Statements that leave the counts in table `counted`: disease, place, sex, band, month, m0, m1, ...

        They read people, segments, cases, contacts; `contacts` must have `place`, its row's position in the
        bucket order.
        """
        return [self._known(), self._stays(), self._days(), self._states(), self._changes(), self._counted()]

    def _known(self) -> str:
        begin = "least(at_risk_month, suspected_month, detected_month)"
        return f"""CREATE TEMP TABLE known AS
        SELECT row_number() OVER () AS case_id, c.person, disease, detected_month, enrolled_month,
               suspected_month, at_risk_month, withdrawn_month, sex, birth_month, death_month,
               greatest({begin}, {self.first})::INT AS start
        FROM cases c JOIN people p USING (person) WHERE {begin} <= {self.last}"""

    def _stays(self) -> str:
        """Person, since, until, place, band: in which cell a person is counted from when to when."""
        bands = [band.lower * MONTHS_PER_YEAR for band in self.catalog.age_bands]
        unknown = len(bands)
        edges, numbers = (", ".join(map(str, listed)) for listed in (bands, range(unknown)))
        # The dead grow no older and do not move: what would begin after the death does not begin.
        return f"""CREATE TEMP TABLE stays AS
        WITH moved AS (SELECT person, {self.place} AS place, CASE WHEN row_number() OVER w = 1 THEN -{NEVER}
                              ELSE from_month END AS since, birth_month, death_month
                       FROM segments JOIN people USING (person) WINDOW w AS (PARTITION BY person ORDER BY from_month)),
        lived AS (SELECT *, lead(since, 1, 2 * {NEVER}) OVER (PARTITION BY person ORDER BY since) AS until
                  FROM moved WHERE since <= death_month),
        aged AS (SELECT person, birth_month, death_month, unnest([{unknown}, {numbers}]) AS band,
                        unnest([-{NEVER}, {edges}]) AS age FROM people),
        born AS (SELECT person, band, CASE WHEN band = {unknown} THEN age ELSE birth_month + age END AS since
                 FROM aged WHERE band = {unknown} OR birth_month + age <= death_month),
        old AS (SELECT *, lead(since, 1, 2 * {NEVER}) OVER (PARTITION BY person ORDER BY since) AS until FROM born)
        SELECT l.person, place, band, greatest(l.since, o.since) AS since, least(l.until, o.until) AS until
        FROM lived l JOIN old o ON l.person = o.person AND l.since < o.until AND o.since < l.until
        WHERE least(l.until, o.until) > {self.first} AND greatest(l.since, o.since) <= {self.last}"""

    def _days(self) -> str:
        """One row per case and day with a visit or a notice, and one before the first, with what is carried on."""
        kinds = ", ".join(map(str, self.rules[0].kinds))
        judged = judged_columns(self.catalog, self.presets)
        told = ", ".join(["*", *(f"{sql} AS judged_{i}" for i, sql in enumerate(judged))])
        said = {f"v{i}": sql for i, (sql, _) in enumerate(self.verdicts)}
        said |= {f"c{i}": sql for i, (_, sql) in enumerate(self.verdicts)}
        last = lambda name: f"max(CASE WHEN {name} > 0 THEN place * 8 + {name} END) % 8"  # noqa: E731
        dues = {f"due_{i}": f"coalesce(due_day, day + {days})" for i, days in enumerate(self.intervals)}
        singly = ", ".join(
            [
                "CASE WHEN speaks THEN status ELSE 0 END AS status",
                "speaks AND dispensed > 0 AS drugs",
                *(f"CASE WHEN speaks THEN {sql} END AS {name}" for name, sql in dues.items()),
                *said,
            ]
        )
        together = ", ".join(
            [
                f"coalesce({last('CASE WHEN speaks THEN status ELSE 0 END')}, 0) AS status",
                "bool_or(speaks AND dispensed > 0) AS drugs",
                *(f"max(CASE WHEN speaks THEN {sql} END) AS {name}" for name, sql in dues.items()),
                *(f"coalesce({last(name)}, 0) AS {name}" for name in said),
            ]
        )
        # What a day does not say anew stays as it was.
        keep = lambda value: f"last_value({value} IGNORE NULLS) OVER w"  # noqa: E731
        before = lambda value: f"last_value({value}) OVER b"  # noqa: E731  # at the end of the month before
        carried = [
            # Between the notice of a move and the next visit nothing hangs on the visit before.
            "CASE WHEN visit THEN month END AS visit_month",
            f"{keep('CASE WHEN drugs THEN month END')} AS drug_month",
            f"{before('status')} AS before_status",
        ]
        for name in dues:
            left = f"CASE WHEN {name} IS NULL AND visit THEN NULL WHEN status = {OUT} THEN 4 * {NEVER} ELSE {name} END"
            carried.append(f"{keep(left)} AS {name}")
            carried.append(f"{before(f'{left} IGNORE NULLS')} AS before_{name}")
        for name in said:
            carried.append(f"{keep(f'CASE WHEN {name} > 0 THEN month * 8 + {name} END')} AS read_{name}")
            carried.append(f"{name} AS day_{name}")
        for i in range(len(self.verdicts)):
            off = f"CASE WHEN v{i} > 0 THEN (v{i} > 1)::INT END"
            one, two = (f"coalesce(lag({off}, {back} IGNORE NULLS) OVER w, 0) = 1" for back in (1, 2))
            carried.append(
                f"CASE WHEN v{i} > 0 THEN v{i} > 1 AND {one} ELSE {one} AND {two} END AS twice_{i}"
            )
        nothing = ["false AS drugs", *(f"NULL AS {n}" for n in dues), *(f"0 AS {n}" for n in said)]
        empty = ", ".join(["0 AS status", *nothing])
        moved = ", ".join([f"{OUT} AS status", *nothing])
        each = f"""SELECT *, {", ".join(f"{sql} AS {name}" for name, sql in said.items())}
                 FROM (SELECT k.case_id, k.disease, t.*, (t.diseases >> k.disease) & 1 = 1 AS speaks
                       FROM told t JOIN known k USING (person)"""
        return f"""CREATE TEMP TABLE days AS
        WITH told AS (SELECT {told} FROM contacts WHERE kind IN ({kinds}) AND month <= {self.last}),
        again AS (SELECT person, day FROM contacts WHERE kind IN ({kinds}) AND month <= {self.last}
                  GROUP BY ALL HAVING count(*) > 1),
        apart AS (SELECT case_id, day, month, true AS visit, {singly}
                  FROM ({each} ANTI JOIN again USING (person, day)))
                  UNION ALL
                  SELECT case_id, day, month, true, {together} FROM ({each} SEMI JOIN again USING (person, day)))
                  GROUP BY case_id, day, month
                  UNION ALL
                  SELECT case_id, day, month, false, {moved} FROM contacts t JOIN known k USING (person)
                  WHERE kind = {NOTICE} AND status = {OUT} AND (diseases >> k.disease) & 1 = 1 AND month <= {self.last}
                  GROUP BY case_id, day, month
                  UNION ALL SELECT case_id, -{NEVER} AS day, -{NEVER} AS month, false, {empty} FROM known),
        dated AS (SELECT *, date_part('day', date '1970-01-01' + day)::INT AS day_of_month FROM apart)
        SELECT case_id, day, month, visit, status, {", ".join(carried)},
               lag(CASE WHEN visit THEN day END IGNORE NULLS) OVER w AS previous_day,
               lead(month, 1, {self.last + 1}) OVER w AS next_month
        FROM dated WINDOW w AS (PARTITION BY case_id ORDER BY day),
             b AS (PARTITION BY case_id ORDER BY day RANGE BETWEEN UNBOUNDED PRECEDING AND day_of_month PRECEDING)"""

    def _states(self) -> str:
        """Spells of constant state and cell: from, until, and for each lane the mask of what counts them."""
        masks = []
        for number, lane in enumerate(self.lanes):
            facts, _ = compact_mask(measure_plan(self.catalog), lane)
            code = code_of(self, self.rules[lane.preset], facts)
            masks.append(f"(SELECT class FROM masks WHERE lane = {number})[({code}) + 1] AS class_{number}")
        points = ", ".join(spell_months(self))
        return f"""CREATE TEMP TABLE spells AS
        WITH pieces AS (SELECT d.*, k.* EXCLUDE (case_id, start), s.place, s.band,
                               greatest(d.month, k.start, s.since) AS lo, least(d.next_month, s.until) AS hi
                        FROM days d JOIN known k USING (case_id)
                        JOIN stays s ON k.person = s.person AND s.since < d.next_month AND s.until > d.month
                        WHERE d.next_month > greatest(d.month, k.start - 1)
                          AND least(d.next_month, s.until) > greatest(d.month, k.start, s.since)),
        dated AS (SELECT * REPLACE (if(month < 0, NULL, month) AS month), {self._overdue_months()} FROM pieces),
        spelled AS (SELECT *, lo AS from_month, hi AS until_month FROM dated WHERE hi = lo + 1
                    UNION ALL
                    SELECT * EXCLUDE (cut, step), cut[step] AS from_month, cut[step + 1] AS until_month
                    FROM (SELECT *, unnest(range(1, len(cut))) AS step
                          FROM (SELECT *, list_sort(list_distinct(list_filter([lo, hi, {points}],
                                       lambda x: x BETWEEN lo AND hi))) AS cut FROM dated WHERE hi > lo + 1)))
        SELECT disease, place, sex, band, from_month, until_month, {", ".join(masks)} FROM spelled"""

    def _overdue_months(self) -> str:
        """The month from which a case is overdue, for each default interval and grace."""
        pairs = list(dict.fromkeys((self.intervals.index(r.interval_days), r.grace_days) for r in self.rules))
        made = []
        for interval, grace in pairs:
            for when in ("", "before_"):
                left = f"{when}due_{interval}"
                due = f"date '1970-01-01' + ({left} + {grace})::INT"
                index = f"(year({due}) * {MONTHS_PER_YEAR} + month({due}))::INT"
                made.append(
                    f"CASE WHEN {left} < {NEVER} THEN {index} END AS {when}overdue_{interval}_{grace}"
                )
        return ", ".join(made)

    @cached_property
    def packs(self) -> list[tuple[int, int, list[str]]]:
        """(lane, number, columns): the counts of a lane, three to a BIGINT, so that one sum adds up three."""
        return [
            (lane, number, [column.name for column in columns.columns[start : start + PACK]])
            for lane, columns in enumerate(self.lanes)
            for number, start in enumerate(range(0, len(columns.columns), PACK))
        ]

    def _changes(self) -> str:
        some = " OR ".join(f"class_{number} <> 0" for number in range(len(self.lanes)))
        classes = ", ".join(f"class_{number}" for number in range(len(self.lanes)))
        sums = ", ".join(
            f"sum(change * (SELECT pack_{number} FROM masks WHERE lane = {lane})[class_{lane} + 1])::BIGINT"
            f" AS p{lane}_{number}"
            for lane, number, _ in self.packs
        )
        return f"""CREATE TEMP TABLE changes AS
        SELECT {CELL}, month, {sums}
        FROM (SELECT {CELL}, {classes}, unnest([from_month, until_month]) AS month, unnest([1, -1]) AS change
              FROM spells WHERE {some})
        WHERE month <= {self.last} GROUP BY ALL"""

    def _counted(self) -> str:
        added = {
            Quantity.VISIT_DAYS: "count(*)",
            Quantity.INTERVALS: "count(previous)",
            Quantity.INTERVAL_DAYS: "sum(day - previous)",
            Quantity.TRANSFERS_IN: f"count(*) FILTER (status = {IN})",
        }
        running = ", ".join(f"sum(p{lane}_{n})::BIGINT AS p{lane}_{n}" for lane, n, _ in self.packs)
        flows = ", ".join(f"{added[quantity]} AS f{i}" for i, (_, quantity) in enumerate(self.quantities))
        held_in = {
            name: f"(p{lane}_{number} >> {BITS * place}) & {(1 << BITS) - 1}"
            for lane, number, names in self.packs
            for place, name in enumerate(names)
        }
        held_in |= {name: f"f{i}" for i, (name, _) in enumerate(self.quantities)}
        result = ", ".join(
            f"coalesce({held_in[name]}, 0)::INT AS m{i}" for i, name in enumerate(self.columns)
        )
        some = " OR ".join(
            [f"p{lane}_{n} <> 0" for lane, n, _ in self.packs]
            + [f"f{i} <> 0" for i in range(len(self.quantities))]
        )
        # The counts of a month are the changes up to it: each change is added to every month from its own on.
        return f"""CREATE TEMP TABLE counted AS
        WITH stocks AS (SELECT {CELL}, later AS month, {running}
                        FROM (SELECT *, unnest(range(month, {self.last + 1}))::INT AS later FROM changes)
                        GROUP BY {CELL}, later),
        flows AS (SELECT disease, place, sex, band, month, {flows}
                  FROM (SELECT disease, s.place, sex, band, d.month, day, status,
                               previous_day AS previous
                        FROM days d JOIN known k USING (case_id)
                        JOIN stays s ON k.person = s.person AND d.month >= s.since AND d.month < s.until
                        WHERE d.visit AND d.month >= {self.first} AND d.month <= {self.last}
                          AND enrolled_month <= d.month AND d.month <= death_month AND withdrawn_month > d.month)
                  GROUP BY ALL)
        SELECT {CELL}, month, {result} FROM stocks FULL JOIN flows USING ({CELL}, month) WHERE {some}"""


def load_masks(connection: duckdb.DuckDBPyConnection, catalog: Catalog, presets: list[str]) -> None:
    """Put what counts each state beside the data, a row for each lane.

    masks(lane, class, pack_0, pack_1, ...): for each state the number of its class (states that are counted
    alike), and for each class the counts it adds to, packed.
    """
    plan = measure_plan(catalog)
    rows = []
    for number, lane in enumerate(plan.lanes(presets)):
        mask = compact_mask(plan, lane)[1]
        distinct = list(dict.fromkeys([0, *mask]))
        row = {"lane": number, "class": [distinct.index(value) for value in mask]}
        for pack, start in enumerate(range(0, len(lane.columns), PACK)):
            row[f"pack_{pack}"] = [
                sum((value >> (start + place) & 1) << (BITS * place) for place in range(PACK))
                for value in distinct
            ]
        rows.append(row)
    packs = {name: pl.List(pl.Int64) for row in rows for name in row if name.startswith("pack_")}
    frame = pl.DataFrame(rows, schema={"lane": pl.Int32, "class": pl.List(pl.Int32), **packs})
    connection.register("mask_frame", frame)
    connection.execute("CREATE TEMP TABLE masks AS SELECT * FROM mask_frame")


def count_sql(catalog: Catalog, presets: list[str], first: int, last: int) -> list[str]:
    """The statements of `Query` for some presets and months."""
    return Query(catalog, presets, first, last).statements()


def counted_columns(catalog: Catalog, presets: list[str]) -> list[str]:
    """Names, in the wide frame, of the columns m0, m1, ... of table `counted`."""
    return Query(catalog, presets, 0, 0).columns
