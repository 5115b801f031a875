"""Statutory forms as data: period of validity, columns, rows per level, blocked cells and checks.

A form is a TOML file; `form_models` is the whole of what it may say. `load_forms` reports every problem of
every file at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import ValidationError

from ncdsurv.catalog.form_models import (
    WORDS,
    FormBlock,
    FormCheck,
    FormDefinition,
    FormGroup,
    FormLevel,
    FormMeasure,
    FormRowRule,
    FormTablePart,
)
from ncdsurv.errors import NcdsurvError, nearest

__all__ = [
    "FormBlock",
    "FormCheck",
    "FormDefinition",
    "FormGroup",
    "FormLevel",
    "FormMeasure",
    "FormRowRule",
    "FormTablePart",
    "load_forms",
]


def load_forms(
    folder: Path, diseases: Collection[str], presets: Collection[str], measures: Collection[str] | None = None
) -> tuple[dict[str, FormDefinition], list[str]]:
    """Read every form definition of a folder.

    Args:
        folder: Folder of `*.toml` files, one form each; the file's name is the form's id.
        diseases: Disease ids of the catalog.
        presets: Preset ids of the catalog.
        measures: Columns of the release's measures, to check `measure =` against; None skips that check.

    Returns:
        The forms by id, in order of validity, and the problems found (empty when all is well).
    """
    forms: dict[str, FormDefinition] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        where = f"forms/{path.name}"
        try:
            form = FormDefinition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
            form.validity  # noqa: B018 - parses both months
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{where}: not valid TOML: {error}")
        except ValidationError as error:
            problems += [
                f"{where}: {'.'.join(str(step) for step in item['loc'])}: {item['msg']}"
                for item in error.errors()
            ]
        except NcdsurvError as error:
            problems.append(f"{where}: {error}")
        else:
            problems += [
                f"{where}: {text}" for text in _problems(form, path.stem, diseases, presets, measures)
            ]
            forms[form.id] = form
    forms = dict(sorted(forms.items(), key=lambda item: item[1].validity))
    return forms, problems + _overlaps(forms)


def _problems(
    form: FormDefinition,
    stem: str,
    diseases: Collection[str],
    presets: Collection[str],
    measures: Collection[str] | None,
) -> Iterator[str]:
    if form.id != stem:
        yield f"id {form.id!r} must be the file's name {stem!r}"
    if form.validity.first_month > form.validity.last_month:
        yield f"valid_from {form.valid_from} is after valid_to {form.valid_to}"
    if not form.verified and form.unverified is None:
        yield "verified = false needs `unverified`: what is not verified, in both languages"
    missing = [word for word in WORDS if word not in form.words]
    if missing:
        yield f"words missing: {', '.join(missing)}"
    own = [item.id for item in form.measures]
    wanted: list[tuple[str, str, Collection[str]]] = [("preset", form.preset, presets)]
    wanted += [("disease", block.counted_as, diseases) for block in form.blocks]
    wanted += [("group", item.group, [group.id for group in form.groups]) for item in form.measures]
    if measures is not None:
        wanted += [("measure", item.measure, measures) for item in form.measures]
    for level in form.levels:
        wanted += [("measure", name, own) for rule in form.rows_of(level) for name in rule.blocked]
    for check in form.checks:
        wanted += [("measure", name, own) for name in (check.left, check.right) if name is not None]
        if check.kind == "at_most" and None in (check.left, check.right):
            yield f"check {check.id!r} of kind at_most needs `left` and `right`"
    for kind, name, known in wanted:
        if name not in known:
            near = nearest(name, known)
            yield f"unknown {kind} {name!r}" + (f"; nearest: {near}" if near else "")


def _overlaps(forms: dict[str, FormDefinition]) -> list[str]:
    """Two versions of the same form must not be valid at once: a period has one form."""
    known = list(forms.values())
    return [
        f"forms/{later.id}.toml: valid_from {later.valid_from} overlaps {earlier.id} (valid to {earlier.valid_to})"
        for place, earlier in enumerate(known)
        for later in known[place + 1 :]
        if earlier.series == later.series and later.validity.first_month <= earlier.validity.last_month
    ]
