"""Why a method gave no answer is said in the reader's language: every refusal of trends and areas has its wording."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ncdsurv
from ncdsurv.errors import NcdsurvError, StatisticsError
from ncdsurv.reports.content.refusals import reason_of, reasons
from ncdsurv.trends.refusal import SeriesRefused
from tests.trend_support import monthly_values

PACKAGE = Path(ncdsurv.__file__).parent
# What only a caller of the arrays or of the settings can meet; a report passes neither.
SETTINGS = re.compile(
    r"out of range|whole number|differ|own neighbour|a value is missing|needs neighbours|no local statistic|scan|circle"
    r"|exact limits|standardised rate|with a denominator|permutations|nothing can cluster"
)


def _refusals() -> Iterator[tuple[str, str]]:
    """File and sentence of every StatisticsError of the methods; `*` stands for what is put in."""
    for folder in ("trends", "areas"):
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            if file.parent.name == "bayes":  # a sampler is too slow for a report
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", "") == "StatisticsError"
                    and node.args
                ):
                    yield from ((file.name, said) for said in _sentences(node.args[0]))


def _sentences(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return _sentences(node.body) + _sentences(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)]
    return []


def _words(said: str, begin: str) -> bool:
    """Whether the entry that begins so has the words of an error that says so."""
    fixed = said.partition("*")[0]
    return said.startswith(begin) or ("*" in said and begin.startswith(fixed))


def test_every_refusal_a_report_can_meet_has_words_in_both_languages() -> None:
    found = list(_refusals())
    assert len(found) > 20, "the search finds the errors of the methods"
    silent = [
        (file, said)
        for file, said in found
        if not SETTINGS.search(said) and not any(_words(said, begin) for begin in reasons())
    ]
    assert silent == []
    for begin, entry in reasons().items():
        assert set(entry) == {"vi", "en"}, begin


def test_the_numbers_of_a_refusal_stand_in_the_sentence() -> None:
    with pytest.raises(StatisticsError) as refused:
        ncdsurv.forecast(monthly_values([100.0 + 3 * (at % 5) for at in range(40)]), "2060")
    assert reason_of(refused.value, "en") == (
        f"the series is too short to forecast {str(refused.value.got).split()[0]} months ahead "
        f"({str(refused.value.allowed).split()[-1]} at most)"
    )
    assert "quá ngắn để dự báo" in reason_of(refused.value, "vi")


def test_a_series_that_is_too_short_says_so_with_its_months() -> None:
    with pytest.raises(SeriesRefused) as refused:
        ncdsurv.forecast(monthly_values([100.0] * 24), "2026")
    assert reason_of(refused.value, "en") == "only 24 months have a value (36 are needed)"
    assert reason_of(refused.value, "vi") == "chỉ có 24 tháng có số liệu (cần 36)"


def test_an_error_without_words_of_its_own_is_still_a_sentence() -> None:
    for lang in ("vi", "en"):
        said = reason_of(NcdsurvError("something of the machine"), lang)
        assert "machine" not in said
        assert said
