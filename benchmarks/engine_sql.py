"""The same counts in DuckDB SQL, by change events: the engine's rival in the benchmark, its twin in the tests.

Written to be as quick as SQL allows: no person x month grid; one pass over the contacts for all presets;
integers packed so that "the last reading of the month" is a plain max(); changes added up per state before
they are turned into measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Outcome, PatientStatus
from ncdsurv.spells.layout import NEVER, STATUSES, encode_condition
from ncdsurv.spells.rules import AT_TARGET, OFF_TARGET, UNREAD, Rules, preset_rules
from ncdsurv.spells.states import FACTS, STANDING, measure_plan

if TYPE_CHECKING:
    import duckdb

    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.conditions import Condition

_SIGN = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1


def _sql(condition: Condition) -> str:
    tests = []
    for test in encode_condition(condition).tests:
        tests += [f"{test.column} {_SIGN[operator]} {limit}" for operator, limit in test.bounds]
        if test.values:
            tests.append(f"{test.column} IN ({', '.join(str(value) for value in test.values)})")
    return "coalesce(" + " AND ".join(tests or ["true"]) + ", false)"


def _judged(catalog: Catalog, presets: list[str]) -> list[str]:
    """One verdict expression per distinct target, in the order of `preset_rules`."""
    expressions: dict[str, str] = {}
    for preset in (catalog.presets[name] for name in presets):
        for disease in catalog.diseases.values():
            target = preset.target(disease.measurement)
            if target is None:
                continue
            cases = []
            for kind, reading in catalog.measurements[target.measurement].readings.items():
                if kind not in target.readings:
                    continue
                usable = " AND ".join(
                    [f"{column} IS NOT NULL" for column in reading.columns] + [_sql(reading.where)]
                )
                met = f"CASE WHEN {_sql(target.readings[kind])} THEN {AT_TARGET} ELSE {OFF_TARGET} END"
                cases.append(f"WHEN {usable} THEN {met}")
            key = f"{disease.measurement} {sorted(target.readings.items())!r}"
            expressions.setdefault(key, f"CASE {' '.join(cases)} ELSE {UNREAD} END")
    return list(expressions.values())


def _verdict(rules: Rules) -> str:
    """The verdict of a contact for a case's disease under one preset."""
    told = f"CASE WHEN NOT speaks THEN 0 WHEN reported_target = 1 THEN {AT_TARGET}"
    told += f" WHEN reported_target = 0 THEN {OFF_TARGET} ELSE {UNREAD} END"
    cases = [f"WHEN disease = {d} THEN judged_{j}" for d, j in enumerate(rules.judged) if j >= 0]
    return f"CASE {' '.join(cases)} ELSE {told} END"


def _code(rules: Rules, variant: int, cuts: tuple[int, ...]) -> str:
    by_day = [str(d) for d, j in enumerate(rules.judged) if j < 0]
    day_only = "true" if rules.last_visit_only else f"disease IN ({', '.join(by_day) or '-1'})"
    recent = f"CASE WHEN month - read_month_{variant} < {rules.outcome_window} THEN read_{variant} ELSE 0 END"
    verdict = f"CASE WHEN {day_only} THEN coalesce(day_{variant}, 0) ELSE coalesce({recent}, 0) END"
    no_visit = f"coalesce(month - visit_month, {NEVER})"
    enrolled = "month - enrolled_month"
    standing = f"""CASE
        WHEN death_month <= month AND {enrolled} >= 0 THEN {STANDING["dead"]}
        WHEN death_month <= month THEN {STANDING["died_before_enrolment"]}
        WHEN {enrolled} < 0 THEN {STANDING["not_enrolled"]}
        WHEN coalesce(moved_out, false) THEN {STANDING["transferred_out"]}
        WHEN {enrolled} >= {rules.lost_after} AND {no_visit} >= {rules.lost_after} THEN {STANDING["lost_to_follow_up"]}
        WHEN {enrolled} < {rules.enrolment_buffer} THEN {STANDING["newly_enrolled"]}
        WHEN {no_visit} >= {rules.outcome_window} THEN {STANDING[Outcome.MISSED_VISIT]}
        WHEN {verdict} = {AT_TARGET} THEN {STANDING[Outcome.CONTROLLED]}
        WHEN {verdict} = {OFF_TARGET} THEN {STANDING[Outcome.UNCONTROLLED]}
        ELSE {STANDING[Outcome.VISITED_UNMEASURED]} END"""
    facts = {
        "treated": f"coalesce(month - drug_month < {rules.treated_window}, false)::INT",
        "seen": "coalesce(month = visit_month, false)::INT",
        "dispensed": "coalesce(month = drug_month, false)::INT",
        "newly_detected": "(month = detected_month)::INT",
    }
    code = standing
    for fact in FACTS:
        code = f"(({code}) * 2 + {facts[fact]})"
    stage = " + ".join(f"({enrolled} >= {cut})::INT" for cut in cuts[1:])
    return f"({code} * {len(cuts)} + {stage})::INT"


def count_sql(catalog: Catalog, presets: list[str], first: int, last: int) -> list[str]:
    """Statements that leave the counts in table `counted`, from views people, segments, cases, contacts.

    `contacts` must have `place`, its row's position in the bucket order; `case_id` is made here. Presets are
    taken to count the same visit kinds (the statements use the first one's).
    """
    rules, _ = preset_rules(catalog, presets)
    plan = measure_plan(catalog)
    if len({rule.kinds for rule in rules}) != 1:
        raise ValueError("presets with different visit kinds need one pass each")
    kinds = ", ".join(map(str, rules[0].kinds))
    verdicts = list(dict.fromkeys(_verdict(rule) for rule in rules))
    variant = [verdicts.index(_verdict(rule)) for rule in rules]
    judged = ", ".join(
        f"{expression} AS judged_{i}" for i, expression in enumerate(_judged(catalog, presets))
    )
    per_variant = range(len(verdicts))
    packed = ", ".join(
        f"max(CASE WHEN v{i} > 0 THEN place * 4 + v{i} END) AS last_{i}, "
        f"max(CASE WHEN v{i} > 0 THEN day END) AS read_day_{i}"
        for i in per_variant
    )
    unpacked = ", ".join(
        f"last_{i} % 4 AS seen_{i}, CASE WHEN read_day_{i} = last_day THEN last_{i} % 4 END AS day_{i}"
        for i in per_variant
    )
    carried = ", ".join(
        f"last_value(seen_{i} IGNORE NULLS) OVER w AS read_{i}, "
        f"last_value(CASE WHEN seen_{i} > 0 THEN month END IGNORE NULLS) OVER w AS read_month_{i}"
        for i in per_variant
    )
    windows = sorted({rule.outcome_window for rule in rules})
    after_visit = sorted({0, 1, *windows, *(rule.lost_after for rule in rules)})
    after_drug = sorted({1, *(rule.treated_window for rule in rules)})
    after_enrolment = sorted(
        {r.enrolment_buffer for r in rules} | {r.lost_after for r in rules} | set(plan.cuts)
    )
    birthdays = [band.lower * MONTHS_PER_YEAR for band in catalog.age_bands]
    steps = lambda column, table, after: (  # noqa: E731
        f"SELECT case_id, {column} + unnest({list(after)}) AS month FROM {table} WHERE {column} IS NOT NULL"
    )
    points = [
        "SELECT case_id, start AS month FROM known",
        steps("detected_month", "known", [1]),
        steps("enrolled_month", "known", after_enrolment),
        "SELECT case_id, death_month AS month FROM known",
        steps("birth_month", "known", birthdays),
        steps("visit_month", "monthly", after_visit),
        *(steps(f"read_month_{i}", "monthly", windows) for i in per_variant),
        steps("drug_month", "monthly", after_drug),
        "SELECT case_id, from_month AS month FROM known JOIN segments USING (person)",
    ]
    age = "least(month, death_month) - birth_month"
    reached = " + ".join(f"({age} >= {months})::INT" for months in birthdays)
    codes = ", ".join(f"{_code(rule, variant[q], plan.cuts)} AS code_{q}" for q, rule in enumerate(rules))
    now = ", ".join(f"code_{q}::BIGINT * 100000000 + atom * 100 + band AS now_{q}" for q in range(len(rules)))
    was = ", ".join(f"lag(now_{q}) OVER w AS was_{q}" for q in range(len(rules)))
    # A state entered is +1 for it and -1 for the one before, in the same month: one sort serves all presets.
    entered = " UNION ALL ".join(
        f"""SELECT {q}::TINYINT AS preset, disease, sex, month, unnest([now_{q}, was_{q}]) AS state,
               unnest([1, -1]) AS change
        FROM states WHERE was_{q} IS DISTINCT FROM now_{q}"""
        for q in range(len(rules))
    )
    measures = ", ".join(
        f"sum(CASE WHEN (mask >> {bit}) & 1 = 1 THEN change ELSE 0 END)::INT AS m{bit}"
        for bit in range(len(plan.measures))
    )
    running = ", ".join(
        f"(sum(coalesce(m{bit}, 0)) OVER (PARTITION BY cell ORDER BY month))::INT AS m{bit}"
        for bit in range(len(plan.measures))
    )
    some = " OR ".join(f"m{bit} <> 0" for bit in range(len(plan.measures)))
    return [
        f"""CREATE TEMP TABLE known AS SELECT row_number() OVER (ORDER BY person, disease) AS case_id, c.person,
            disease, detected_month, enrolled_month, sex, birth_month, death_month,
            greatest(detected_month, {first}) AS start
        FROM cases c JOIN people p USING (person) WHERE detected_month <= {last}""",
        f"""CREATE TEMP TABLE monthly AS
        WITH told AS (SELECT *, {judged} FROM contacts WHERE kind IN ({kinds})),
        each AS (SELECT case_id, month, day, place, status, dispensed, speaks,
                        {", ".join(f"{sql} AS v{i}" for i, sql in enumerate(verdicts))}
                 FROM (SELECT k.case_id, k.disease, t.*, (t.diseases >> k.disease) & 1 = 1 AS speaks
                       FROM told t JOIN known k USING (person))),
        months AS (SELECT case_id, month, max(day) AS last_day,
                          max(CASE WHEN speaks AND status > 0 THEN place * 8 + status END) AS said,
                          max(CASE WHEN speaks AND status > 0 THEN day END) AS said_day,
                          bool_or(speaks AND dispensed > 0) AS dispensed, {packed}
                   FROM each GROUP BY ALL),
        flat AS (SELECT case_id, month, dispensed, said_day = last_day AND said % 8 = {OUT} AS moved_out, {unpacked}
                 FROM months)
        SELECT case_id, month, month AS visit_month, coalesce(moved_out, false) AS moved_out,
               {", ".join(f"day_{i}" for i in per_variant)}, {carried},
               last_value(CASE WHEN dispensed THEN month END IGNORE NULLS) OVER w AS drug_month
        FROM flat WINDOW w AS (PARTITION BY case_id ORDER BY month)""",
        f"""CREATE TEMP TABLE states AS
        WITH points AS (SELECT DISTINCT case_id, month FROM ({" UNION ALL ".join(points)})
                        WHERE month BETWEEN {first} AND {last}),
        lived AS (SELECT person, atom, CASE WHEN row_number() OVER (PARTITION BY person ORDER BY from_month) = 1
                  THEN 0 ELSE from_month END AS since FROM segments),
        inside AS (SELECT p.case_id, p.month, k.* EXCLUDE (case_id) FROM points p JOIN known k USING (case_id)
                   WHERE p.month >= k.start),
        joined AS (SELECT i.*, m.* EXCLUDE (case_id, month) FROM inside i ASOF LEFT JOIN monthly m
                   ON i.case_id = m.case_id AND i.month >= m.month),
        placed AS (SELECT j.*, l.atom FROM joined j ASOF JOIN lived l
                   ON j.person = l.person AND least(j.month, j.death_month) >= l.since),
        coded AS (SELECT case_id, disease, sex, month, {now} FROM (
            SELECT case_id, disease, sex, month, atom,
                   CASE WHEN {reached} > 0 THEN {reached} - 1 ELSE {len(birthdays)} END AS band, {codes}
            FROM placed))
        SELECT disease, sex, month, {", ".join(f"now_{q}" for q in range(len(rules)))}, {was}
        FROM coded WINDOW w AS (PARTITION BY case_id ORDER BY month)""",
        f"""CREATE TEMP TABLE changes AS
        WITH moved AS (SELECT preset, disease, sex, month, state, sum(change) AS change
                       FROM ({entered}) WHERE state IS NOT NULL GROUP BY ALL HAVING sum(change) <> 0),
        named AS (SELECT preset, disease, sex, month, change, (state // 100000000)::INT AS code,
                         (state // 100 % 1000000)::INT AS atom, (state % 100)::INT AS band FROM moved)
        SELECT n.preset, disease, atom, sex, band, month, {measures}
        FROM named n JOIN masks USING (preset, code) WHERE mask <> 0 GROUP BY ALL""",
        f"""CREATE TEMP TABLE counted AS
        WITH cells AS (SELECT *, row_number() OVER () AS cell
                       FROM (SELECT DISTINCT preset, disease, atom, sex, band FROM changes)),
        grid AS (SELECT c.*, unnest(range({first}, {last + 1}))::INT AS month FROM cells c)
        SELECT preset, disease, atom, sex, band, month, {", ".join(f"m{bit}" for bit in range(len(plan.measures)))}
        FROM (SELECT g.preset, g.disease, g.atom, g.sex, g.band, g.month, {running}
              FROM grid g LEFT JOIN changes h USING (preset, disease, atom, sex, band, month))
        WHERE {some}""",
    ]


def load_masks(connection: duckdb.DuckDBPyConnection, catalog: Catalog, presets: list[str]) -> None:
    """Put the table of states, as masks of measures, beside the data: masks(preset, code, mask)."""
    import polars as pl

    masks = measure_plan(catalog).masks(presets)
    parts = [
        pl.DataFrame({"code": range(row.size), "mask": row}).with_columns(preset=pl.lit(q, pl.Int8))
        for q, row in enumerate(masks)
    ]
    frame = pl.concat(parts).cast({"code": pl.Int32})
    connection.register("mask_frame", frame)
    connection.execute("CREATE TEMP TABLE masks AS SELECT preset, code, mask FROM mask_frame")
