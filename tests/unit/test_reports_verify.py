"""A report is shown only when it is whole, and holds nothing that must not leave."""

from __future__ import annotations

import pytest

from ncdsurv.reports.verify import check_html, check_notebook, check_results

PAGE = '<!DOCTYPE html><html lang="vi"><head><title>Báo cáo</title></head><body>{}</body></html>'


def _cell(html: str, *tags: str) -> dict[str, object]:
    output = {"output_type": "execute_result", "data": {"text/html": html}}
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "outputs": [output] if html else []}


def test_a_whole_page_passes() -> None:
    page = PAGE.format(
        '<img src="data:image/svg+xml;base64,aHR0cHM6Ly8="> 1.234.567 người, 62,3%, <a href="b.html">b</a>'
    )
    assert check_html(page) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<img src="https://example.org/x.png">', "fetch"),
        ("<img src=//example.org/x.png>", "fetch"),
        ('<link rel="stylesheet" href="http://example.org/x.css">', "fetch"),
        ("<style>@import 'x.css'</style>", "fetch"),
        ("<div style=\"background:url('https://example.org')\">", "fetch"),
        ("<script>1</script>", "run"),
        ("số 079123456789", "citizen"),
        ("thẻ GD4797912345678", "insurance"),
        ("gọi 0912345678", "phone"),
    ],
)
def test_what_must_not_be_in_a_page_is_found(body: str, words: str) -> None:
    problems = check_html(PAGE.format(body))
    assert len(problems) >= 1
    assert words in " ".join(problems)


def test_a_page_without_language_or_title_is_refused() -> None:
    assert check_html("<html><head></head><body></body></html>")


def test_declared_outputs_must_be_there_and_be_what_they_say() -> None:
    good = {"cells": [_cell("<table></table>", "table:a"), _cell("<img>", "figure:b")]}
    assert check_notebook(good, ["table:a", "figure:b"]) == []
    bad = {"cells": [_cell("<p>nothing</p>", "table:a"), _cell("", "figure:b")]}
    assert check_notebook(bad, ["table:a", "figure:b"]) == [
        "the output table:a is missing",
        "the output figure:b is missing",
    ]


def test_an_error_left_in_a_notebook_is_found() -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [{"output_type": "error", "ename": "X"}]}
    assert check_notebook({"cells": [cell]}, []) == ["cell 0 holds an error"]


def test_results_with_a_number_that_is_none_are_refused() -> None:
    assert check_results('{"a": 1.5, "b": null}') == []
    assert check_results('{"a": NaN}')
    assert check_results("{")
