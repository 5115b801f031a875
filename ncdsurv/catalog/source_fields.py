"""The fields that a source may fill, the words its codes may become, and what every source must give."""

from __future__ import annotations

from ncdsurv.catalog.vocabulary import GLUCOSE_KINDS, PatientStatus, Sex, VisitKind

HISTORY = "history:"  # before a disease: the person's own word of it
REFUSED = "refused"  # a code that says: this row is no contact of the registry

# Every field a source may fill. The codes are the only words a `values` table may translate into.
FIELDS: dict[str, tuple[str, ...] | None] = {
    **dict.fromkeys(("source_patient_id", "name", "citizen_id", "insurance_number", "phone", "address")),
    "sex": tuple(Sex),
    **dict.fromkeys(("birth_date", "age", "age_male", "age_female", "commune", "facility")),
    **dict.fromkeys(("visited_on", "ended_on", "visit_code")),
    "kind": (*VisitKind, REFUSED),
    **dict.fromkeys(("diagnosis", "diagnosis_secondary", "diagnosis_text", "detected_on")),
    "detected_where": (
        "station",
        "district_hospital",
        "province_hospital",
        "central_hospital",
        "private",
        "other",
    ),
    **dict.fromkeys(("sbp", "dbp", "blood_pressure", "glucose", "glucose_unit", "hba1c", "hba1c_unit")),
    "glucose_kind": GLUCOSE_KINDS,
    **dict.fromkeys(("weight_kg", "height_cm", "supply_days", "drugs", "next_visit_on")),
    "lung_grade": ("1", "2", "3"),
    "asthma_control": ("0", "1", "2"),
    "reported_target": ("0", "1", "2"),
    "patient_status": tuple(PatientStatus),
    "diagnosis_ended": None,
}

# Fields whose codes are small numbers: a mark or a nought there is a grade, not medicine or nothing.
GRADES = tuple(name for name, codes in FIELDS.items() if codes and all(code.isdigit() for code in codes))

# What a mapping must give: one of each group (`a+b` = both together).
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("name",),
    ("sex", "age_male+age_female"),
    ("birth_date", "age", "age_male+age_female"),
    ("visited_on",),
    ("facility",),
)
