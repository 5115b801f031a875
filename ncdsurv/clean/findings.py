"""What a screening says of a disease beside its readings: a suspicion, a disease in the family. Never a diagnosis."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.sources import HISTORY, SourceMapping
from ncdsurv.clean.diseases import icd_codes


def add_findings(frame: pl.DataFrame, mapping: SourceMapping, catalog: Any) -> pl.DataFrame:
    """Adds `screening_findings`: `FINDING:DISEASE` joined by `;` in the order of the mapping; null where none.

    Args:
        frame: Rows with the columns of `mapping.read_fields` that the file has.
        mapping: Its `findings` say where each stands, and what says yes.
        catalog: ICD-10 prefixes of the diseases, for findings that are codes.
    """
    said = []
    for kind, flags in mapping.findings.items():
        for disease, flag in flags.items():
            column = f"{HISTORY}{kind}:{disease}"
            if column not in frame.columns:
                continue
            cell = pl.col(column).str.strip_chars()
            if flag.coded:
                cells = frame[column].unique().drop_nulls()
                matches = catalog.diseases[disease].matches
                hits = [text for text in cells if any(map(matches, icd_codes(text)))]
                yes = pl.col(column).is_in(hits)
            else:
                yes = cell.str.to_lowercase().is_in([word.lower() for word in flag.yes])
            said.append(pl.when(yes).then(pl.lit(f"{kind}:{disease}")))
    joined = pl.concat_str(*said, separator=";", ignore_nulls=True) if said else pl.lit("")
    return frame.with_columns(pl.when(joined != "").then(joined).alias("screening_findings"))
