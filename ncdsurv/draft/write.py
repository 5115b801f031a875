"""The draft as a TOML file: every line with its confidence, and what a person must still fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from ncdsurv.catalog.sources import FIELDS
from ncdsurv.draft.result import FieldDraft, SheetDraft

_HEAD = """\
# Drafted by ncdsurv from the headers and the shape of the cells of one table. Read every line before use.
# The number behind a field is the confidence, 0 to 1: from the header's likeness to known names (header) and from
# the share of cells that can be read as the field (cells). Columns in letters have no header that names them alone.
"""
_BARE_KEY = re.compile(r"^[A-Za-z0-9_-]+$")


def quote(text: str) -> str:
    """A TOML basic string.

    >>> print(quote('a "b"'))
    "a \\\\"b\\\\""
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def array(texts: Iterable[str]) -> str:
    """A TOML array of strings."""
    return f"[{', '.join(map(quote, texts))}]"


def comment(text: str) -> str:
    """A text on one line behind a `#`; control characters, which TOML forbids there, are left out."""
    return "# " + re.sub(r"[\x00-\x08\x0a-\x1f\x7f]+", " ", text).strip()


def write_draft(
    title: str,
    settings: dict[str, str],
    sheets: Sequence[SheetDraft],
    fields: Sequence[FieldDraft],
    remarks: Sequence[str],
) -> str:
    """The text of the file.

    Args:
        title: Name of the source, in both languages until somebody gives better ones.
        settings: Key -> value as TOML, put at the top.
        sheets: Kinds of sheets.
        fields: Fields in the order of a record.
        remarks: Lines told as comments: what is missing, what could not be placed.
    """
    lines = [_HEAD.rstrip(), ""]
    lines += [comment(remark) for remark in remarks]
    lines += [""] if remarks else []
    lines += [
        f"names = {{ vi = {quote(title)}, en = {quote(title)} }}",
        'reader = "table"',
        *(f"{key} = {value}" for key, value in settings.items()),
        'source.vi = "Soạn từ tiêu đề cột của một tệp xuất; chưa kiểm tra với cơ sở"',
        'source.en = "Drafted from the headers of an export; not yet checked with the site"',
        "verified = false",
    ]
    for sheet in sheets:
        lines += ["", f"[sheets.{_key(sheet.id)}]"]
        lines += [f"names = {array(sheet.names)}"] if sheet.names else []
        lines += [f"needs = {array(sheet.needs)}"] if sheet.needs else []
        if sheet.disease is not None:
            lines.append(f"disease = {quote(sheet.disease)}")
        elif sheet.disease_needed:
            lines.append(comment('TO FILL: disease = "..."  (ncdsurv catalog diseases)'))
    order = list(FIELDS)
    for field in sorted(fields, key=lambda field: order.index(field.name)):
        lines += ["", *_field(field)]
    return "\n".join(lines) + "\n"


def _field(field: FieldDraft) -> list[str]:
    lines = [f"[fields.{field.name}]" + (f"  {comment(field.reason)}" if field.reason else "")]
    lines += [comment(remark) for remark in field.remarks]
    if field.columns:
        lines.append(f"columns = {array(field.columns)}")
    if field.required:
        lines.append("required = true")
    lines += [f"values.{_key(code)} = {array(spellings)}" for code, spellings in field.values.items()]
    lines += [f"{key} = {quote(value)}" for key, value in field.settings.items()]
    return lines


def _key(text: str) -> str:
    return text if _BARE_KEY.match(text) else quote(text)
