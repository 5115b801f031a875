"""Which diseases a row speaks of: the sheet's own, the ICD-10 codes, or the words of the diagnosis."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog.sources import HISTORY, SourceMapping
from ncdsurv.clean.columns import RAW, first_rule, once_per_text

_ICD = re.compile(r"(?<![A-Z0-9])([A-Z]\d\d)\.?(\d{0,2})(?![0-9])")
_COLUMNS = [RAW + "diagnosis", RAW + "diagnosis_secondary", RAW + "diagnosis_text"]
FOUND = "diseases"  # list of {disease, icd10}
ENDED = "ended"  # list of {disease, icd10, withdrawn_on}


def icd_codes(text: str) -> list[str]:
    """ICD-10 codes of a diagnosis cell, undotted, in order; dagger and star dropped.

    >>> icd_codes("I10 - Tăng huyết áp; E11.9*")
    ['I10', 'E119']
    """
    return [stem + rest for stem, rest in _ICD.findall(text.upper())]


def add_diseases(frame: pl.DataFrame, mapping: SourceMapping, catalog: Any) -> pl.DataFrame:
    """Diseases of each row, matched by prefix on every code, main and secondary.

    Args:
        frame: Rows with the raw diagnosis columns and `sheet_kind`.
        mapping: The source; a sheet may fix the disease.
        catalog: Gives `.diseases`, each with `.matches(code)` and its names.

    Returns:
        The frame with `sheet_disease` and `diseases` (list of disease and code), a yes/no column for each
        flag of the catalog, and a rule column.
    """
    words, flags = _names(catalog), catalog.contact_flags
    matched: dict[str, list[str]] = {}

    def of_code(code: str) -> list[str]:
        if code not in matched:
            matched[code] = [name for name, disease in catalog.diseases.items() if disease.matches(code)]
        return matched[code]

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        lists, by_words = [], []
        raised: dict[str, list[bool]] = {name: [] for name in flags}
        for cells in distinct.iter_rows():
            text = ";".join(cell for cell in cells if cell)
            found: dict[str, str | None] = {}
            codes = icd_codes(text)
            for code in codes:
                for disease in of_code(code):
                    found.setdefault(disease, code)
            for name, flag in flags.items():
                said = not codes and flag.said_in(text)
                raised[name].append(said or any(flag.matches(code) for code in codes))
            if not codes and text and not any(told[-1] for told in raised.values()):
                found = dict.fromkeys(_named(text, words))
            by_words.append(bool(found) and not codes)
            lists.append([{"disease": name, "icd10": code} for name, code in found.items()])
        entry = pl.List(pl.Struct({"disease": pl.String, "icd10": pl.String}))
        return distinct.with_columns(
            pl.Series(FOUND, lists, dtype=entry),
            pl.Series("by_words", by_words, dtype=pl.Boolean),
            *(pl.Series(name, told, dtype=pl.Boolean) for name, told in raised.items()),
        )

    frame = once_per_text(frame, _COLUMNS, work)
    fixed = {name: sheet.disease for name, sheet in mapping.sheets.items() if sheet.disease}
    own = pl.col("sheet_kind").replace_strict(fixed, default=None, return_dtype=pl.String)
    return frame.with_columns(
        own.alias("sheet_disease"), first_rule("diagnosis", (pl.col("by_words"), "disease_from_words"))
    ).drop("by_words")


def add_ended(frame: pl.DataFrame, catalog: Any) -> pl.DataFrame:
    """Diagnoses that no longer stand: `ended`, a list of disease, code and the day from which they did not.

    The raw cell holds `CODE@DAY`, several joined by `;`. What is no disease of the registry, or no day, is left out.
    """

    def work(distinct: pl.DataFrame) -> pl.DataFrame:
        lists = []
        for (cell,) in distinct.iter_rows():
            told = [part.rpartition("@") for part in (cell or "").split(";")]
            lists.append(
                [
                    {"disease": name, "icd10": code, "withdrawn_on": day}
                    for text, _, written in told
                    if (day := _day(written)) is not None
                    for code in icd_codes(text)
                    for name, disease in catalog.diseases.items()
                    if disease.matches(code)
                ]
            )
        entry = pl.List(pl.Struct({"disease": pl.String, "icd10": pl.String, "withdrawn_on": pl.Date}))
        return distinct.with_columns(pl.Series(ENDED, lists, dtype=entry))

    return once_per_text(frame, [RAW + "diagnosis_ended"], work)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def add_reported_history(frame: pl.DataFrame, mapping: SourceMapping) -> pl.DataFrame:
    """Diseases the person says to have, joined by `;` in the order of the mapping; never a diagnosis."""
    said = [
        pl.when(pl.col(f"{HISTORY}{disease}").str.strip_chars().is_in(list(flag.yes))).then(pl.lit(disease))
        for disease, flag in mapping.history.items()
        if f"{HISTORY}{disease}" in frame.columns
    ]
    joined = pl.concat_str(*said, separator=";", ignore_nulls=True) if said else pl.lit("")
    return frame.with_columns(pl.when(joined != "").then(joined).alias("reported_history"))


def _names(catalog: Any) -> dict[str, re.Pattern[str]]:
    return {
        name: re.compile(
            "|".join(
                rf"\b{re.escape(text.casefold())}\b"
                for text in {*_texts(disease.names), *_texts(disease.short)}
            )
        )
        for name, disease in catalog.diseases.items()
        if disease.icd10
    }


def _texts(names: Any) -> tuple[str, str]:
    return names.vi, names.en


def _named(text: str, words: dict[str, re.Pattern[str]]) -> list[str]:
    folded = unicodedata.normalize("NFC", text).casefold()
    return [name for name, pattern in words.items() if pattern.search(folded)]
