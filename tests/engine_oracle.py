"""The engine's rules once more, as plainly as they can be written: one person, one month, one question at a time.

Written from the definitions, on dates and records, sharing nothing with `ncdsurv.spells`. Slow on purpose;
the tests hold every form of the engine equal to it.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any

from ncdsurv.catalog import Catalog
from tests.engine_contacts import exact, holds, in_order, month_of, usable

UNREAD, AT_TARGET, OFF_TARGET, OFF_MODERATE, OFF_SEVERE = range(5)
OUTCOMES = {  # standing -> outcome, severity
    "controlled": ("controlled", "at_target"),
    "uncontrolled": ("uncontrolled", "untold"),
    "uncontrolled_moderate": ("uncontrolled", "moderate"),
    "uncontrolled_severe": ("uncontrolled", "severe"),
    "visited_unmeasured": ("visited_unmeasured", "not_assessed"),
    "missed_visit": ("missed_visit", "not_assessed"),
}
UNDER_CARE = ("newly_enrolled", *OUTCOMES)
ENROLLED = (*UNDER_CARE, "lost_to_follow_up", "transferred_out", "dead")
CASES = ("not_enrolled", *UNDER_CARE, "lost_to_follow_up")


class History:
    """One person and one disease under one preset.

    Args:
        person: Row of `tables.PERSONS`.
        diagnoses, visits: Rows of the person, of every disease.
    """

    def __init__(
        self, person: dict, disease: Any, preset: Any, diagnoses: list, visits: list, catalog: Catalog
    ):
        self.disease, self.preset, self.catalog = disease, preset, catalog
        self.names = (disease.id, *disease.members)
        self.death = month_of(person["died_on"]) if person["died_on"] else None
        self.known = [d for d in diagnoses if d["disease"] in self.names]
        ordered = in_order(visits, catalog)
        self.notices = [v for v in ordered if v["notice"] and v["patient_status"] and self.speaks(v)]
        contacts = [v for v in ordered if not v["notice"]]
        self.contacts = [self._without_readings(v) if v["pregnant"] else v for v in contacts]
        self.counted = [v for v in self.contacts if v["kind"] in preset.visit_kinds]
        self.days: dict[date, list[dict]] = {}
        self._until: dict[int, list[date]] = {}  # worked out once: the rest asks for them again and again
        self._verdicts: dict[int, int] = {}
        for visit in self.counted:
            self.days.setdefault(visit["visited_on"], []).append(visit)

    def _without_readings(self, visit: dict) -> dict:
        """In pregnancy other limits hold: no reading of such a contact is used."""
        columns = {
            c for m in self.catalog.measurements.values() for r in m.readings.values() for c in r.columns
        }
        return {name: None if name in columns else value for name, value in visit.items()}

    # When things happened ---------------------------------------------------------------------------------

    @cached_property
    def enrolled(self) -> int | None:
        """Month of the first contact that is no screening, from the day the diagnosis was recorded on; in life."""
        if not self.known:
            return None
        recorded = min(d["recorded_on"] for d in self.known)
        managed = [v for v in self.contacts if v["kind"] != "screening" and v["visited_on"] >= recorded]
        month = month_of(managed[0]["visited_on"]) if managed else None
        return None if month is None or (self.death is not None and month > self.death) else month

    @cached_property
    def detected(self) -> int | None:
        if not self.known:
            return None
        detected = month_of(min(d["detected_on"] or d["recorded_on"] for d in self.known))
        return detected if self.enrolled is None else min(detected, self.enrolled)

    @cached_property
    def withdrawn(self) -> int | None:
        """Month from which the diagnosis no longer stands; of a group, when it stands for no member."""
        ends = []
        for name in {d["disease"] for d in self.known}:
            rows = [d for d in self.known if d["disease"] == name]
            end = max((d["withdrawn_on"] for d in rows if d["withdrawn_on"]), default=None)
            stated = [d["last_stated_on"] or d["recorded_on"] for d in rows if d["withdrawn_on"] is None]
            if end is None or any(day > end for day in stated):
                return None
            ends.append(month_of(end))
        return max(ends, default=None)

    @cached_property
    def suspected(self) -> int | None:
        return self._first_month(self._suspects)

    @cached_property
    def at_risk(self) -> int | None:
        return self._first_month(
            lambda row, kind, reading: self._suspects(row, kind) or self._risks(row, kind)
        )

    def _first_month(self, says: Any) -> int | None:
        measurement = self.catalog.measurements.get(self.disease.measurement)
        if measurement is None:
            return None
        for visit in self.contacts:  # every kind of contact, a screening too
            if any(
                usable(visit, reading) and says(visit, kind, reading)
                for kind, reading in measurement.readings.items()
            ):
                return month_of(visit["visited_on"])
        return None

    def _suspects(self, row: dict, kind: str, _: Any = None) -> bool:
        limit = self.disease.below_suspected.get(kind)
        return limit is not None and not holds(limit, row)

    def _risks(self, row: dict, kind: str) -> bool:
        limit = self.disease.below_at_risk.get(kind)
        return limit is not None and not holds(limit, row)

    # What a contact says ----------------------------------------------------------------------------------

    def speaks(self, visit: dict) -> bool:
        return visit["disease"] is None or visit["disease"] in self.names

    def verdict(self, visit: dict) -> int:
        """What a contact says of the disease: by its measurement, else, where that is so, as reported."""
        if id(visit) not in self._verdicts:
            self._verdicts[id(visit)] = self._verdict(visit)
        return self._verdicts[id(visit)]

    def _verdict(self, visit: dict) -> int:
        measured = self.judge(visit, self.disease.measurement)
        target = self.preset.target(self.disease.measurement) if self.disease.measurement else None
        trusted = target is None or self.disease.or_reported or self.preset.or_reported
        if measured == UNREAD and trusted and self.speaks(visit):
            return {1: AT_TARGET, 0: OFF_TARGET}.get(visit["reported_target"], UNREAD)
        return measured

    def judge(self, visit: dict, measurement: str | None) -> int:
        """What a contact says of a measurement: its first usable kind of reading, in the measurement's order."""
        target = self.preset.target(measurement) if measurement else None
        if target is None:
            return UNREAD
        for kind, reading in self.catalog.measurements[measurement].readings.items():
            if kind not in target.readings or not usable(visit, reading):
                continue
            values = self._of_the_day(visit, reading)
            if holds(target.readings[kind], values):
                return AT_TARGET
            if kind not in target.moderate:
                return OFF_TARGET
            return OFF_MODERATE if holds(target.moderate[kind], values) else OFF_SEVERE
        return UNREAD

    def _of_the_day(self, visit: dict, reading: Any) -> dict:
        """The values to judge: the contact's own, or the lowest or mean of the day's usable ones."""
        if self.preset.same_day == "last":
            return visit
        rows = [row for row in self.days[visit["visited_on"]] if usable(row, reading)]
        columns = {column: [exact(row[column]) for row in rows] for column in reading.columns}
        if self.preset.same_day == "lowest":
            return {**visit, **{column: min(values) for column, values in columns.items()}}
        return {**visit, **{column: sum(values) / len(values) for column, values in columns.items()}}

    # One month --------------------------------------------------------------------------------------------

    def until(self, month: int) -> list[date]:
        """Days with a counted contact, up to the month's end."""
        if month not in self._until:
            self._until[month] = [day for day in self.days if month_of(day) <= month]
        return self._until[month]

    def last_verdict(self, month: int, says: Any, by_day: bool) -> int:
        """The last verdict of the last visit day, or of the outcome window."""
        days = self.until(month)
        if not days:
            return UNREAD
        window = [day for day in days if month - month_of(day) < self.preset.outcome_window_months]
        chosen = days[-1:] if by_day else window
        told = [found for day in chosen for visit in self.days[day] if (found := says(visit))]
        return told[-1] if told else UNREAD

    def told_status(self, day: date) -> str | None:
        """What the day's contacts that speak of the disease, or its notices, last said of the patient."""
        rows = self.days.get(day) or [v for v in self.notices if v["visited_on"] == day]
        told = [v["patient_status"] for v in rows if self.speaks(v) and v["patient_status"]]
        return told[-1] if told else None

    def told_until(self, month: int) -> list[date]:
        """Days with a counted contact or a notice, up to the month's end."""
        noticed = [v["visited_on"] for v in self.notices if month_of(v["visited_on"]) <= month]
        return sorted({*self.until(month), *noticed})

    def moved(self, month: int) -> bool:
        """Whether the last that was told of the person is a transfer out."""
        days = self.told_until(month)
        return bool(days) and self.told_status(days[-1]) == "transferred_out"

    def since_visit(self, month: int) -> int | None:
        days = self.until(month)
        return month - month_of(days[-1]) if days else None

    def standing(self, month: int) -> str | None:
        """The one word for the end of a month; None before there is anything to say."""
        begin = min((m for m in (self.at_risk, self.suspected, self.detected) if m is not None), default=None)
        if begin is None or month < begin:
            return None
        is_enrolled = self.enrolled is not None and self.enrolled <= month
        if self.withdrawn is not None and self.withdrawn <= month:
            return "withdrawn"
        if self.death is not None and self.death <= month:
            return "dead" if is_enrolled else "died_before_enrolment"
        if not is_enrolled:
            if self.detected is not None and self.detected <= month:
                return "moved_before_enrolment" if self.moved(month) else "not_enrolled"
            return "suspected" if self.suspected is not None and self.suspected <= month else "at_risk"
        return self._in_care(month)

    def _in_care(self, month: int) -> str:
        preset, since = self.preset, self.since_visit(month)
        enrolled_for = month - self.enrolled
        if self.moved(month):
            return "transferred_out"
        grace = preset.lost_grace and enrolled_for < preset.lost_after_months
        if (since is None or since >= preset.lost_after_months) and not grace:
            return "lost_to_follow_up"
        if enrolled_for < preset.enrolment_buffer_months:
            return "newly_enrolled"
        if since is None or since >= preset.outcome_window_months:
            return "missed_visit"
        target = preset.target(self.disease.measurement) if self.disease.measurement else None
        verdict = self.last_verdict(month, self.verdict, preset.reading == "last_visit" or target is None)
        return (
            "visited_unmeasured",
            "controlled",
            "uncontrolled",
            "uncontrolled_moderate",
            "uncontrolled_severe",
        )[verdict]

    def overdue(self, month: int) -> bool:
        """Whether the day to come back on, and the grace, were over when the month was: due before the next 1st."""
        if self.standing(month) not in (*UNDER_CARE, "lost_to_follow_up"):
            return False
        due = None
        for day in self.told_until(month):
            if self.told_status(day) == "transferred_out":
                due = None
            elif speaking := [v for v in self.days.get(day, ()) if self.speaks(v)]:
                due = max(self._due(v) for v in speaking)
        if due is None:
            return False
        return month_of(due + timedelta(days=self.preset.overdue_grace_days)) <= month

    def _due(self, visit: dict) -> date:
        day = visit["visited_on"]
        if visit["next_visit_on"] is not None and visit["next_visit_on"] > day:
            return visit["next_visit_on"]
        if (visit["supply_days"] or 0) > 0:
            return day + timedelta(days=visit["supply_days"])
        return day + timedelta(days=self.preset.default_interval_days)

    def uncontrolled_twice(self, month: int) -> bool:
        """Off target on the last two days with a verdict."""
        of_days = []
        for day in self.until(month):
            if told := [found for visit in self.days[day] if (found := self.verdict(visit))]:
                of_days.append(told[-1])
        return len(of_days) > 1 and all(verdict >= OFF_TARGET for verdict in of_days[-2:])

    def companion_at_target(self, month: int) -> bool:
        if self.disease.companion is None:
            return False
        days = self.until(month)
        if not days or month - month_of(days[-1]) >= self.preset.outcome_window_months:
            return False  # nobody saw the person in the window
        says = lambda visit: self.judge(visit, self.disease.companion)  # noqa: E731
        return self.last_verdict(month, says, self.preset.reading == "last_visit") == AT_TARGET

    def state(self, month: int) -> dict[str, Any] | None:
        """Every column a condition may name, for one month; None before there is anything to say."""
        standing = self.standing(month)
        if standing is None:
            return None
        days = self.until(month)
        drugs = [
            day
            for day in days
            if any(
                self.speaks(v) and ((v["supply_days"] or 0) > 0 or v["kind"] == "refill")
                for v in self.days[day]
            )
        ]
        since_drugs = month - month_of(drugs[-1]) if drugs else None
        outcome, severity = OUTCOMES.get(standing, ("not_assessed", "not_assessed"))
        treated = since_drugs is not None and since_drugs < self.preset.treated_window_months
        enrolled = standing in ENROLLED
        tenure = {"newly_enrolled": "newly_enrolled", **dict.fromkeys(OUTCOMES, "established")}
        care = "under_care" if standing in UNDER_CARE else standing if enrolled else "not_enrolled"
        died_before = self.death is not None and self.detected is not None and self.death < self.detected
        return {
            "known_case": standing in CASES,
            "known_or_suspected": standing in (*CASES, "suspected"),
            "care_state": care,
            "outcome": outcome,
            "severity": severity,
            "tenure": tenure.get(standing, "not_assessed"),
            "treatment": ("treated" if treated else "untreated") if care == "under_care" else "not_assessed",
            "months_since_enrolment": month - self.enrolled if enrolled else None,
            "suspicion": standing if standing in ("at_risk", "suspected") else "none",
            "newly_detected": self.detected == month and standing != "withdrawn" and not died_before,
            "newly_enrolled": enrolled and self.enrolled == month,
            "seen": self.since_visit(month) == 0,
            "dispensed": since_drugs == 0,
            "overdue": self.overdue(month),
            "overdue_at_start": self.overdue(month - 1),
            "uncontrolled_twice": self.uncontrolled_twice(month),
            "companion_at_target": self.companion_at_target(month),
        }

    def quantities(self, month: int) -> dict[str, int]:
        """What a month adds up: visit days, the days between them, transfers in."""
        nothing = {"visit_days": 0, "intervals": 0, "interval_days": 0, "transfers_in": 0}
        if self.enrolled is None or self.enrolled > month:
            return nothing
        if self.withdrawn is not None and self.withdrawn <= month:
            return nothing
        if self.death is not None and self.death < month:
            return nothing
        days = self.until(month)
        for earlier, day in zip([None, *days], days):
            if month_of(day) != month:
                continue
            nothing["visit_days"] += 1
            nothing["transfers_in"] += self.told_status(day) == "transferred_in"
            if earlier is not None:
                nothing["intervals"] += 1
                nothing["interval_days"] += (day - earlier).days
        return nothing
