"""docs/indicators/: the cards by family, the presets and what each disease's outcome rests on, in both languages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.cards import MARK, card_text, words, written
from ncdsurv.catalog.vocabulary import Language
from ncdsurv.errors import UsageError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.conditions import Condition
    from ncdsurv.catalog.models import Disease, Indicator, Preset


def card_pages(catalog: Catalog) -> dict[str, str]:
    """Every page by file name: one overview and one page per family, in each language.

    >>> sorted(card_pages(load_catalog()))[:2]
    ['README.en.md', 'README.vi.md']
    """
    pages = {}
    for language in Language:
        lang = language.value
        pages[f"README.{lang}.md"] = _overview(catalog, lang)
        for family, indicators in _families(catalog).items():
            title = words(lang)[f"family.{family}"]
            cards = [card_text(indicator, catalog, lang) for indicator in indicators]
            pages[f"{family}.{lang}.md"] = "\n".join([f"# {title}", "", words(lang)["made"], "", *cards])
    return pages


def _families(catalog: Catalog) -> dict[str, list[Indicator]]:
    found: dict[str, list[Indicator]] = {}
    for indicator in catalog.indicators.values():
        found.setdefault(indicator.family, []).append(indicator)
    return found


def _overview(catalog: Catalog, lang: str) -> str:
    say = words(lang)
    lines = [f"# {say['title']}", "", say["made"], say["unverified_note"], "", f"## {say['families']}", ""]
    for family, indicators in _families(catalog).items():
        rows = [
            [
                f"`{indicator.id}`{'' if indicator.verified else MARK}",
                indicator.names[lang],
                indicator.definition[lang],
            ]
            for indicator in indicators
        ]
        lines += [f"### [{say[f'family.{family}']}]({family}.{lang}.md)", ""]
        lines += [*_table([say["id"], say["name"], say["definition"]], rows), ""]
    lines += [say["elsewhere"], "", f"## {say['breakdowns_title']}", ""]
    lines += [f"- {text}" for name, text in say.items() if name.startswith("breakdowns.")]
    lines += ["", f"## {say['presets_title']}", ""]
    head = [say[name] for name in ("id", "name", "among_whom", "rules", "source")]
    lines += [*_table(head, [_preset(preset, lang) for preset in catalog.presets.values()]), ""]
    head = [say[name] for name in ("presets", "measurement", "unit", "target", "moderate", "source")]
    lines += [*_table(head, _targets(catalog, lang)), "", f"## {say['diseases_title']}", ""]
    head = [say[name] for name in ("name", "icd10", "rests_on", "suspicion", "at_risk", "source")]
    lines += [*_table(head, [_disease(disease, lang) for disease in catalog.diseases.values()]), ""]
    return "\n".join(lines)


def _preset(preset: Preset, lang: str) -> list[str]:
    say = words(lang)
    rules = say["months_rule"].format(
        outcome=preset.outcome_window_months,
        longer=say[f"period.{preset.outcome_of_period}"],
        buffer=say["buffer.some" if preset.enrolment_buffer_months else "buffer.none"].format(
            buffer=preset.enrolment_buffer_months
        ),
        lost=preset.lost_after_months,
        grace=say[f"grace.{str(preset.lost_grace).lower()}"],
        treated=preset.treated_window_months,
        interval=preset.default_interval_days,
        overdue=preset.overdue_grace_days,
        same_day=say[f"same_day.{preset.same_day}"],
    )
    mark = "" if preset.verified else MARK
    overdue = say["overdue_rule"].format(source=preset.overdue_source[lang])
    source = f"{preset.source[lang]}; {overdue}{'' if preset.overdue_verified else MARK}"
    return [f"`{preset.id}`{mark}", preset.names[lang], preset.among[lang], rules, source]


def _targets(catalog: Catalog, lang: str) -> Iterable[list[str]]:
    for preset in catalog.presets.values():
        for target in preset.targets:
            measurement, say = catalog.measurements[target.measurement], words(lang)
            verified = preset.verified if target.verified is None else target.verified
            for kind, condition in target.readings.items():
                bound = target.moderate.get(kind)
                yield [
                    f"`{preset.id}`{'' if verified else MARK}",
                    f"{measurement.names[lang]}, `{kind}`",
                    measurement.unit[lang],
                    _code(condition),
                    _code(bound),
                    target.source[lang] if target.source else say["as_preset"],
                ]


def _disease(disease: Disease, lang: str) -> list[str]:
    limits = [
        "; ".join(map(_code, each.values())) for each in (disease.below_suspected, disease.below_at_risk)
    ]
    mark = MARK if disease.suspicion_source is not None and not disease.suspicion_verified else ""
    codes = ", ".join(disease.icd10) or ", ".join(f"`{member}`" for member in disease.members)
    source = f"{disease.source[lang]}{'' if disease.verified else MARK}"
    if disease.suspicion_source is not None:
        source += f"; {disease.suspicion_source[lang]}{mark}"
    marked = [f"{limit}{mark}" if limit else "" for limit in limits]
    return [disease.names[lang], codes, disease.rests_on[lang], *marked, source]


def _code(condition: Condition | None) -> str:
    """A condition as the machine reads it, set apart from the words of the page."""
    text = written(condition)
    return f"`{text}`" if text else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the folder named."""
    if len(arguments) != 1:
        raise UsageError("one folder is needed", got=len(arguments), do="name the folder to write into")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in card_pages(load_catalog()).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{folder / name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
