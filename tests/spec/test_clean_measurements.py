"""Blood pressure, glucose, HbA1c, weight, supply: read, converted, or not used; never guessed."""

from __future__ import annotations

import polars as pl
import pytest

from tests.clean_support import CATALOG, clean_one, read_table, rule_of

PRESSURE = """
sbp    | dbp  | blood_pressure                       | read   | rule                         | why
139    | 89   | -                                    | 139/89 | -                            | two columns
139.0  | 89.0 | -                                    | 139/89 | -                            | number cells as text
-      | -    | 120/80                               | 120/80 | -                            | one cell
-      | -    | 120 / 80 mmHg                        | 120/80 | -                            | with its unit
-      | -    | 120-80                               | 120/80 | -                            | with a dash
-      | -    | CSST<M75_T37_HA120/70_NT18_HL2>      | 120/70 | -                            | vital signs of XML5
-      | -    | Tỉnh. HA: 150/90. Sau nghỉ HA 140/85 | 140/85 | -                            | last of two
120/80 | -    | -                                    | 120/80 | pair_in_one_column           | pair in one column
139    | 89   | 120/80                               | 139/89 | -                            | columns come first
0      | 0    | -                                    | -/-    | zero_is_missing              | zero is not measured
-      | -    | 0/0                                  | -/-    | zero_is_missing              | zero, joined
70     | 50   | -                                    | -/50   | out_of_range                 | sender's limit: above 70
1390   | 89   | -                                    | -/89   | out_of_range                 | a slip of the key
90     | 130  | -                                    | -/-    | systolic_not_above_diastolic | reversed, not guessed
cao    | 89   | -                                    | -/89   | not_a_number                 | a word
139.5  | 89   | -                                    | 140/89 | rounded                      | a half goes up
-      | -    | Bệnh ổn định                         | -/-    | -                            | a remark is no fault
"""


@pytest.mark.parametrize("row", read_table(PRESSURE), ids=lambda row: row["why"])
def test_blood_pressure(row: dict[str, str | None]) -> None:
    batch = clean_one(sbp=row["sbp"], dbp=row["dbp"], blood_pressure=row["blood_pressure"])
    visit = batch.visits.row(0, named=True)
    read = "/".join("-" if visit[name] is None else str(visit[name]) for name in ("sbp", "dbp"))
    assert read == row["read"]
    assert rule_of(batch, "sbp") == row["rule"]


GLUCOSE = """
written    | unit   | mmol_l | rule            | why
7.2        | -      | 7.2    | -               | can only be mmol/L
7,2        | -      | 7.2    | -               | decimal comma
7.2 mmol/l | -      | 7.2    | -               | unit in the cell
130        | -      | 7.2    | unit_from_range | can only be mg/dL
126        | -      | 7.0    | unit_from_range | 126 mg/dL is 7.0
126        | mg/dL  | 7.0    | unit_converted  | unit in its own column
126 mg/dl  | -      | 7.0    | unit_converted  | unit in the cell
125        | mg/dL  | 6.95   | unit_converted  | below 126 stays below 7.0
199        | mg/dL  | 11.04  | unit_converted  | below 200 stays below 11.1
300        | mg/dL  | 16.7   | unit_converted  | 300 is printed as 16.7, not 16.67
600        | mg/dL  | 33.37  | unit_converted  | by 18 beyond the last pair
60         | mg/dL  | 3.29   | unit_converted  | by 18 below the first pair
36         | -      | -      | unit_doubtful   | between the two ranges
126        | mmol/L | -      | out_of_range    | the unit written forbids it
0          | -      | -      | zero_is_missing | zero is not measured
1200       | -      | -      | unit_doubtful   | in no range
+++        | -      | -      | not_a_number    | a strip's crosses
7.2        | g/L    | 7.2    | unit_unknown    | unknown unit, read by range
"""


@pytest.mark.parametrize("row", read_table(GLUCOSE), ids=lambda row: row["why"])
def test_glucose(row: dict[str, str | None]) -> None:
    batch = clean_one(glucose=row["written"], glucose_unit=row["unit"])
    value = batch.visits["glucose_mmol_l"].to_list()[0]
    assert value == (float(row["mmol_l"]) if row["mmol_l"] else None)
    assert rule_of(batch, "glucose_mmol_l") == row["rule"]


HBA1C = """
written | unit     | percent | rule            | why
6.9     | -        | 6.9     | -               | percent
6.9%    | -        | 6.9     | -               | percent in the cell
53      | -        | 7.0     | unit_from_range | can only be mmol/mol
48      | mmol/mol | 6.5     | unit_converted  | 48 mmol/mol is 6.5 percent
47      | mmol/mol | 6.41    | unit_converted  | below 48 stays below 6.5
20      | mmol/mol | 3.96    | unit_converted  | below the first pair
100     | mmol/mol | 11.29   | unit_converted  | beyond the last pair
19.5    | -        | -       | unit_doubtful   | between the two ranges
"""


@pytest.mark.parametrize("row", read_table(HBA1C), ids=lambda row: row["why"])
def test_hba1c(row: dict[str, str | None]) -> None:
    batch = clean_one(hba1c=row["written"], hba1c_unit=row["unit"])
    assert batch.visits["hba1c_percent"].to_list() == [float(row["percent"]) if row["percent"] else None]
    assert rule_of(batch, "hba1c_percent") == row["rule"]


@pytest.mark.parametrize(("field", "usual"), [("glucose_mmol_l", 18.0), ("hba1c_percent", 10.93)])
def test_the_conversion_rises_and_stays_within_half_a_tenth_of_the_usual_formula(field, usual) -> None:
    for other in CATALOG.plausibility[field].other_units.values():
        written = pl.Series(range(40, 601) if field == "glucose_mmol_l" else range(20, 180), dtype=pl.Float64)
        read = pl.select(other.convert(pl.lit(written)).round(other.decimals)).to_series()
        assert (read.diff().drop_nulls() > 0).all()
        formula = written / usual + (0 if field == "glucose_mmol_l" else 2.15)
        assert (read - formula).abs().max() < 0.05


OTHERS = """
field       | written | value | rule            | why
weight_kg   | 52.5    | 52.5  | -               | kilograms
weight_kg   | 52,5 kg | 52.5  | -               | comma and unit
weight_kg   | 150     | -     | out_of_range    | the sender's limit is below 150
weight_kg   | 0       | -     | zero_is_missing | not weighed
height_cm   | 155     | 155   | -               | centimetres
height_cm   | 1.55    | -     | out_of_range    | metres are not guessed
supply_days | 28      | 28    | -               | days
supply_days | 0       | 0     | -               | seen, nothing dispensed
supply_days | 400     | -     | out_of_range    | longer than any prescription
"""


@pytest.mark.parametrize("row", read_table(OTHERS), ids=lambda row: f"{row['field']}: {row['why']}")
def test_other_measurements(row: dict[str, str | None]) -> None:
    field = str(row["field"])
    batch = clean_one(**{field: row["written"]})
    assert batch.visits[field].to_list() == [float(row["value"]) if row["value"] else None]
    assert rule_of(batch, field) == row["rule"]


DRUGS = """
prescription                                   | days | why
1 viên/lần * 1 lần/ngày * 30 ngày [30 viên]~30 | 30   | days are written
1 viên/lần * 2 lần/ngày~56                     | 28   | quantity over dose
2 viên/ngày~60                                 | 30   | quantity over daily dose
Uống sau ăn~30                                 | -    | no dose, nothing is said
Amlodipin 5mg, 30 viên, 30 ngày                | 30   | free text of the template
"""


@pytest.mark.parametrize("row", read_table(DRUGS), ids=lambda row: row["why"])
def test_days_of_supply_from_the_prescription(row: dict[str, str | None]) -> None:
    text = str(row["prescription"]).replace("~", "|")
    batch = clean_one(drugs=text)
    assert batch.visits["supply_days"].to_list() == [int(row["days"]) if row["days"] else None]


def test_the_drug_that_lasts_longest_sets_the_supply() -> None:
    batch = clean_one(drugs="1 viên/lần * 2 lần/ngày * 5 ngày|10\n1 viên/lần * 1 lần/ngày * 28 ngày|28")
    assert batch.visits["supply_days"].to_list() == [28]


def test_an_unusable_reading_leaves_the_contact_in_place() -> None:
    batch = clean_one(sbp="1390", dbp="89")
    assert batch.visits.height == 1
    assert batch.rejects.is_empty()
