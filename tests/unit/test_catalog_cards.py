"""The cards of the indicators: complete in both languages, printed by the command line, committed as pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ncdsurv.api.cards import card_of
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.card_pages import card_pages, main
from ncdsurv.catalog.cards import card, card_text, words, written
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.models import Indicator
from ncdsurv.catalog.sensitivity import load_variants
from ncdsurv.cli import run
from ncdsurv.errors import UsageError
from ncdsurv.quality.definitions import load_metrics

CATALOG = load_catalog()
PAGES = Path(__file__).parents[2] / "docs" / "indicators"
INDICATORS = list(CATALOG.indicators.values())


@pytest.mark.parametrize("name", card_pages(CATALOG))
def test_the_committed_pages_are_what_the_definitions_say(name: str) -> None:
    assert (PAGES / name).read_text(encoding="utf-8") == card_pages(CATALOG)[name], "run: make cards"


def test_no_page_is_left_of_a_family_that_is_gone() -> None:
    assert {path.name for path in PAGES.iterdir()} == set(card_pages(CATALOG))


def test_the_generator_writes_the_pages(tmp_path: Path) -> None:
    main([str(tmp_path / "cards")])
    assert {path.name for path in (tmp_path / "cards").iterdir()} == set(card_pages(CATALOG))
    with pytest.raises(UsageError, match="one folder is needed: got 0; do: name the folder to write into"):
        main([])


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.id)
def test_a_card_says_all_that_a_reader_needs(indicator, lang: str) -> None:
    say, found = words(lang), card(indicator, CATALOG, lang)
    always = ("definition", "rationale", "method", "unit", "polarity", "diseases", "levels", "presets")
    always += ("caveats", "source", "version")
    assert {say[name] for name in always} <= set(found)
    if indicator.unit == "count":
        assert say["number"] in found
        assert say["among"] not in found
    else:
        assert {say["counts"], say["among"]} <= set(found)
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda indicator: indicator.id)
def test_the_two_languages_are_two_texts(indicator) -> None:
    texts = [indicator.names, indicator.definition, indicator.rationale, indicator.counts, *indicator.caveats]
    texts += [indicator.among] if indicator.among else []
    for text in texts:
        assert text.vi != text.en
        assert not text.vi.isascii()
        assert not text.vi.endswith(".")
        assert not text.en.endswith(".")


ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|not|no|with|without|for|from|that|which|by|or|here|seen|only|text|texts|column|"
    r"decision|circular|secondary|assumption|inferred|months?|days?|patients?|people|visits?|rate|check)\b",
    re.IGNORECASE,
)
TITLES = ("Age standardization of rates: a new WHO standard", "Global Diabetes Compact")


def texts_of(given: object, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every text in two languages inside some definitions, with the way to it."""
    if isinstance(given, Mapping):
        if given.keys() == {"vi", "en"}:
            yield path, dict(given)
            return
        for name, each in given.items():
            yield from texts_of(each, f"{path}.{name}")
    elif isinstance(given, list | tuple):
        for place, each in enumerate(given):
            yield from texts_of(each, f"{path}[{place}]")


def definitions() -> dict[str, object]:
    """All definitions that a reader meets words of, as data."""
    whole = CATALOG.model_dump(mode="json")
    beside = {"metrics": load_metrics(), "sensitivity": load_variants()}
    shown = {
        kind: {name: one.model_dump(mode="json") for name, one in table.items()}
        for kind, table in beside.items()
    }
    kinds = (
        "diseases",
        "measurements",
        "contact_flags",
        "presets",
        "indicators",
        "prevalence",
        "targets",
        "sources",
    )
    return {kind: whole[kind] for kind in (*kinds, "standard_populations", "publication")} | shown


def test_no_english_is_left_in_a_vietnamese_text() -> None:
    found = list(texts_of(definitions()))
    assert len(found) > 500
    left = []
    for path, text in found:
        said = re.sub("`[^`]*`|" + "|".join(TITLES), "", text["vi"])
        left += [f"{path}: {text['vi']}"] if ENGLISH.search(said) else []
    assert not left, "\n".join(left)


@pytest.mark.parametrize("kind", ["diseases", "presets", "prevalence", "targets", "indicators", "metrics"])
def test_where_a_definition_comes_from_is_said_in_both_languages(kind: str) -> None:
    """A text that stands once is a title, a code or a journal: it has no word to translate."""
    for path, text in texts_of(definitions()[kind]):
        if "source" in path or "instrument" in path:
            assert text["vi"] != text["en"] or not ENGLISH.search(text["vi"]), path
            assert len(text["en"]) > 2 < len(text["vi"])


def test_no_page_in_vietnamese_holds_an_english_sentence() -> None:
    for name, page in card_pages(CATALOG).items():
        if name.endswith(".vi.md"):
            said = re.sub("`[^`]*`|\\([^()]*\\.md\\)|" + "|".join(TITLES), "", page)
            assert not ENGLISH.findall(said), name


def test_a_text_written_once_stands_in_both_languages() -> None:
    """Releases of before hold their sources once: their cards are still read."""
    written_once = CATALOG.indicators["detected"].model_dump(mode="json") | {"source": "Biểu 12"}
    source = Indicator.model_validate(written_once).source
    assert (source.vi, source.en) == ("Biểu 12", "Biểu 12")
    answer = card_of(written_once, CATALOG.model_dump(mode="json"))
    assert answer["source"] == {"vi": "Biểu 12 (chưa đối chiếu)", "en": "Biểu 12 (unverified)"}


def test_every_word_of_the_cards_stands_in_both_languages() -> None:
    assert words("vi").keys() == words("en").keys()
    families = {indicator.family for indicator in INDICATORS}
    assert {name.partition(".")[2] for name in words("en") if name.startswith("family.")} == families


def test_presets_with_different_denominators_are_told_apart() -> None:
    text = card(CATALOG.indicators["control_rate"], CATALOG)["Conditions, as counted"]
    assert "hearts: `outcome = controlled` / `care_state = under_care, tenure = established`" in text
    assert "tt37: `outcome = controlled` / `care_state = under_care`" in text
    cohort = card(CATALOG.indicators["cohort_control_rate_12m"], CATALOG)["Conditions, as counted"]
    assert "months_since_enrolment >= 12" in cohort.replace("≥", ">=")
    days = card(CATALOG.indicators["days_between_visits"], CATALOG)["Conditions, as counted"]
    assert days == "`interval_days` / `intervals`"


@pytest.mark.parametrize(("lang", "unchecked"), [("vi", "chưa đối chiếu"), ("en", "unverified")])
def test_a_card_over_estimated_cases_names_the_prevalences_and_that_they_are_unchecked(
    lang: str, unchecked: str
) -> None:
    shown = [one for one in INDICATORS if words(lang)["prevalence"] in card(one, CATALOG, lang)]
    over = {one.id for one in INDICATORS if one.denominator_source == "estimated_cases"}
    assert {one.id for one in shown} == {*over, "estimated_cases"}
    told = card(CATALOG.indicators["detection_rate"], CATALOG, lang)[words(lang)["prevalence"]].split("; ")
    used = [name for name in CATALOG.diseases if CATALOG.default_prevalence(name)]
    assert "; ".join(told).count(unchecked) == len(used)
    for name in used:  # each figure with where it comes from
        assert CATALOG.default_prevalence(name).source[lang] in "; ".join(told)
    spoken = card(CATALOG.indicators["detection_rate"], CATALOG, lang)[words(lang)["diseases"]]
    assert spoken.split(": ", 1)[1].split(", ") == [CATALOG.diseases[name].names[lang] for name in used]
    assert (
        told[0]
        == {
            "vi": "Tăng huyết áp 26,2 % (18-69 tuổi, 2021",
            "en": "Hypertension 26.2 % (ages 18-69, 2021",
        }[lang]
    )


def test_the_confidence_of_a_card_is_that_of_publication() -> None:
    found = card(CATALOG.indicators["management_rate"], CATALOG)["Method"]
    assert found == "stock, as of the period's last month; 95% interval by Wilson"


def test_a_condition_is_written_in_a_line() -> None:
    condition = Condition.parse({"sbp": {"lt": 180, "ge": 140}, "kind": ["a", "b"], "seen": True})
    assert written(condition) == "kind = a | b, sbp ≥ 140, < 180, seen = true"
    assert written(None) == ""


def test_the_command_line_prints_a_card_in_either_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "show", "detection_gap", "--lang", "vi"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == card_text(
        CATALOG.indicators["detection_gap"], CATALOG, "vi"
    ).rstrip("\n")
    assert run(["catalog", "show", "detection_gap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["Unit"] == "%"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["catalog", "show"],
            "ncdsurv: no indicator named: do: ncdsurv catalog show INDICATOR; list them with: ncdsurv catalog "
            "indicators",
        ),
        (["catalog", "show", "control_rat"], "try control_rate"),
        (["catalog", "show", "control_rate", "--lang", "fr"], "unknown language: got fr; allowed: en, vi"),
    ],
)
def test_a_card_that_cannot_be_shown_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_card_that_speaks_of_a_window_of_readings_names_the_presets_that_read_the_last_visit_alone() -> (
    None
):
    alone = [preset.id for preset in CATALOG.presets.values() if preset.reading == "last_visit"]
    judged = {"outcome": {"uncontrolled", "visited_unmeasured"}, "companion_at_target": {True}}
    read = [
        one
        for one in INDICATORS
        if any(judged.get(test.column, set()) & set(test.values) for test in one.numerator.tests)
        and "window" in one.definition["en"]
    ]
    assert alone
    assert len(read) > len(alone)
    for one in read:
        for preset in set(alone) & set(one.presets):
            assert all(f"; {preset}: " in one.definition[lang] for lang in ("vi", "en")), one.id
