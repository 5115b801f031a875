"""Definitions are data: no disease, preset, source, form or indicator id and no clinical limit in code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog, vocabulary

PACKAGE = Path(__file__).parents[2] / "ncdsurv"
CATALOG = load_catalog()
WORDS = {
    member.value
    for name in dir(vocabulary)
    if isinstance(kind := getattr(vocabulary, name), type) and issubclass(kind, vocabulary.StrEnum)
    for member in kind
}
# Words that are states or counts first and indicators second (`controlled`), or plain measure columns.
MEASURE_WORDS = WORDS | {
    "detected",
    "newly_detected",
    "newly_enrolled",
    "treated",
    "controlled",
    "estimated_cases",
}
IDS = {
    *CATALOG.diseases,
    *CATALOG.presets,
    *CATALOG.sources,
    *CATALOG.forms,
    *(set(CATALOG.indicators) - MEASURE_WORDS),
}
LIMITS = {
    limit
    for preset in CATALOG.presets.values()
    for target in preset.targets
    for condition in target.readings.values()
    for test in condition.tests
    for _, limit in test.bounds
}
CORE = ("spells", "indicators", "forms", "quality", "clean", "link", "trends")


def _literals(path: Path) -> Iterator[tuple[int, object]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.lineno, node.value


def _files(*parts: str) -> list[Path]:
    roots = [PACKAGE / part for part in parts] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def test_no_definition_id_stands_in_code() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {value!r}"
        for path in _files()
        for line, value in _literals(path)
        if isinstance(value, str) and value in IDS
    ]
    assert not found, found


def test_no_clinical_limit_stands_in_the_core() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {value}"
        for path in _files(*CORE)
        for line, value in _literals(path)
        if isinstance(value, int | float) and not isinstance(value, bool) and value in LIMITS and value != 10
    ]
    assert not found, found


@pytest.mark.parametrize("code", ["x = 'hypertension'", "if rate and sbp < 140: pass"])
def test_the_walk_sees_a_literal(tmp_path: Path, code: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(code)
    values = {value for _, value in _literals(path)}
    assert values & (IDS | LIMITS)
