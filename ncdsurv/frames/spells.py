"""`build_spells`: records in, spells out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog, load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import UsageError, unknown
from ncdsurv.frames.records import AREA, PERSON, Records, take_records
from ncdsurv.spells import Bucket, bucket_layout, person_spells

KEY = [PERSON, "disease"]
FORWARD = 12 * 200  # months; a residence or facility lasts until something else is said


@dataclass(frozen=True, repr=False)
class Spells:
    """Runs of months in which nothing changes, for every person and disease, under one preset.

    Attributes:
        preset: Whose windows and targets decided the states.
        first_month: First month index counted.
        last_month: Last month index counted, included.
        bucket: The records as the engine reads them.
        records: The records as they were taken, for the story of one person.
        catalog: The definitions used.
        pandas: Whether the records came as pandas frames; answers are of the same kind.
    """

    preset: str
    first_month: int
    last_month: int
    frame: pl.DataFrame
    bucket: Bucket
    records: Records
    catalog: Catalog
    pandas: bool

    @property
    def data(self) -> Any:
        """One row per spell, a frame of the kind that was given.

        Columns: person_id, disease, area, facility, source, sex, age_band (text); from_month, to_month (Int32,
        month index = year x 12 + month, both included); then the columns a condition of an indicator may name:
        care_state, outcome, severity, tenure, treatment, suspicion (text); months_since_enrolment (Int32, as of
        from_month, empty before the enrolment: float64 in pandas then); known_case, known_or_suspected,
        newly_detected, newly_enrolled, seen, dispensed, overdue, overdue_at_start, uncontrolled_twice,
        companion_at_target (boolean, never empty). `not_assessed` where a column has nothing to say, `not_enrolled`
        the care state of who never had a managed visit.
        """
        return self.like(self.frame)

    def like(self, frame: pl.DataFrame) -> Any:
        """A frame of the kind that the records came in."""
        return frame.to_pandas() if self.pandas else frame

    def __repr__(self) -> str:
        """Counts only: a notebook is passed on more easily than a registry."""
        months = f"{Period.month(self.first_month)} to {Period.month(self.last_month)}"
        people = self.bucket.people.height
        return f"Spells({people} persons, {self.frame.height} spells, {months}, preset {self.preset})"


def build_spells(
    patients: Any,
    diagnoses: Any,
    visits: Any,
    *,
    first: str,
    last: str,
    preset: str,
    catalog: Catalog | None = None,
) -> Spells:
    """Build the spells of some patients from their records.

    Args:
        patients: person_id (text or number); optionally sex (male, female, unknown), birth_date, died_on (else the
            first visit whose patient_status is dead), area (any text: where they live).
        diagnoses: person_id, disease (id of the catalog), recorded_on; optionally detected_on, withdrawn_on.
        visits: person_id, visited_on; optionally disease (left empty, the visit speaks of all), kind (exam,
            refill, screening; exam where empty), sbp and dbp (mmHg), glucose_mmol_l, glucose_kind (fasting,
            random, post_prandial, unknown), hba1c_percent, lung_grade, asthma_control, supply_days,
            next_visit_on, reported_target (0 no, 1 yes, 2 not assessed), patient_status (managed, transferred_in,
            transferred_out, dead; a row with one of the last two and nothing else is no visit), facility, source,
            sequence (order within a day), pregnant (boolean), weight_kg, height_cm; glucose_unit (mmol/L, mg/dL) and
            hba1c_unit (%, mmol/mol) where those columns are in another unit than their name says: limits are rounded
            apart in the two units, so do not divide by 18 first.
        first: First month, `YYYY-MM`.
        last: Last month, included; later records are not looked at.
        preset: Id of the preset (see `load_catalog().presets`).
        catalog: Definitions; the built-in ones unless given.

    Dates are dates, moments (their day in Viet Nam where they have a time zone) or text YYYY-MM-DD. Frames are pandas
    (any dtypes: nullable, Arrow, categories) or polars, not lazy; answers are of the kind of `patients`. Columns that
    are not named here are left aside, unless they look like one that is. A next_visit_on that is not after its visit
    says nothing; values beyond what `plausibility.toml` allows are an error.

    Raises:
        UsageError: Unknown preset or month, a column that is missing, misspelt or cannot be read.
        InputError: Rows that contradict each other; the message counts them and shows no value.

    >>> import polars as pl
    >>> spells = build_spells(
    ...     pl.DataFrame({"person_id": ["A"], "sex": ["female"], "birth_date": ["1960-05-01"]}),
    ...     pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]}),
    ...     pl.DataFrame({"person_id": ["A"], "visited_on": ["2024-01-10"], "sbp": [150], "dbp": [95]}),
    ...     first="2024-01", last="2024-06", preset="hearts",
    ... )
    >>> spells.data.select("from_month", "to_month", "care_state").height > 0
    True
    """
    import narwhals as nw

    catalog = load_catalog() if catalog is None else catalog
    if not isinstance(catalog, Catalog):
        raise UsageError(
            "catalog: not a catalog", got=type(catalog).__name__, do="give what load_catalog() gives"
        )
    if not isinstance(preset, str) or preset not in catalog.presets:
        raise unknown("preset", str(preset), catalog.presets)
    months = [one_month(text) for text in (first, last)]
    if months[0] > months[1]:
        raise UsageError("the first month is after the last", got=f"{first} and {last}", do="swap them")
    records = take_records(patients, diagnoses, visits, catalog)
    bucket = bucket_layout(
        records.persons,
        records.residences,
        records.crosswalk,
        records.diagnoses,
        records.visits,
        catalog,
        records.atoms,
    )
    found = person_spells(bucket, catalog, preset, first_month=months[0], last_month=months[1])
    named = found.with_columns(
        pl.lit(pl.Series(records.areas, dtype=pl.String)).gather(pl.col("atom").cast(pl.UInt32)).alias(AREA)
    )
    pandas = nw.from_native(patients, eager_only=True).implementation.is_pandas_like()
    frame = _with_facility(named, bucket)
    return Spells(preset, months[0], months[1], frame, bucket, records, catalog, pandas)


def as_spells(spells: Any) -> Spells:
    """The argument of `states`, `count` and `explain_person`, checked.

    Raises:
        UsageError: It is something else, a frame of spells for instance.
    """
    if not isinstance(spells, Spells):
        raise UsageError(
            "spells: not what build_spells gives",
            got=type(spells).__name__,
            allowed="Spells",
            do="give the spells themselves, not their .data",
        )
    return spells


def one_month(text: str) -> int:
    """The index of a month given as `YYYY-MM`.

    Raises:
        UsageError: Another period, or no period at all.
    """
    period = Period.parse(text)
    if period.n_months != 1:
        raise UsageError("a month is wanted", got=text, allowed="YYYY-MM")
    return period.last_month


def _with_facility(spells: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """Cut spells where the assigned facility changes: the facility of the last contact so far, of the dead in life."""
    until = pl.col("from_month").shift(-1).over("person").fill_null(FORWARD * 12) - 1
    first = (pl.col("person") != pl.col("person").shift(1)).fill_null(True)
    assigned = (
        bucket.assignments.join(bucket.people.select("person", PERSON, "death_month"), on="person")
        .sort("person", "from_month")
        .filter(first | (pl.col("from_month") <= pl.col("death_month")))  # the dead stay where they were
        .select(
            PERSON, "facility", "source", since=pl.when(first).then(0).otherwise("from_month"), until=until
        )
    )
    both = spells.join(assigned, on=PERSON).filter(
        (pl.col("since") <= pl.col("to_month")) & (pl.col("until") >= pl.col("from_month"))
    )
    begun = pl.max_horizontal("from_month", "since")
    since = pl.col("months_since_enrolment") + begun - pl.col("from_month")
    cut = both.with_columns(
        from_month=begun, to_month=pl.min_horizontal("to_month", "until"), months_since_enrolment=since
    )
    front = [*KEY, AREA, "facility", "source", "sex", "age_band", "from_month", "to_month"]
    rest = [name for name in spells.columns if name not in (*front, "atom")]
    text = ["disease", "sex", "age_band"]
    return cut.select(*front, *rest).with_columns(pl.col(text).cast(pl.String)).sort(*KEY, "from_month")
