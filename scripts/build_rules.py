"""Writes docs/rules/: the scenarios of tests/spec/rules as tables in Vietnamese and English.

python scripts/build_rules.py [FOLDER]    # without a folder: docs/rules
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.engine_rules import FOLDER, pages  # noqa: E402
from tests.engine_story import CATALOG, rows  # noqa: E402

WORDS = tomllib.loads((FOLDER.parent / "rules_words.toml").read_text(encoding="utf-8"))
TITLE = {"vi": "Quy tắc, bằng bảng", "en": "The rules, in tables"}
LEAD = {
    "vi": "Mỗi bảng là một bài kiểm tra của chương trình: các lần gặp của một người và điều chương trình phải nói. "
    "Trang này được tạo từ các bài kiểm tra (`make rules`).",
    "en": "Every table is a test of the program: one person's contacts and what the program must say. "
    "These pages are made from the tests (`make rules`).",
}
DEFAULTS = {"disease": "hypertension", "detected": "2024-01-10"}


def both(kind: str, word: str) -> str:
    """A word in both languages, once where they agree."""
    told = WORDS[kind][word]
    return told["vi"] if told["vi"] == told["en"] else f"{told['vi']} / {told['en']}"


def heading(name: str) -> str:
    """A column's heading: a preset by its id, what follows it in words."""
    first, _, rest = name.partition(" ")
    if first not in CATALOG.presets:
        return both("headings", name)
    side, _, indicator = rest.partition(" ")
    if side in ("n", "d") and indicator:
        return f"`{first}`: {both('headings', side)} `{indicator}`"
    return f"`{first}`" if not rest else f"`{first}`: {both('headings', rest)}"


def value(text: str | None) -> str:
    """A cell: its words where it is a word, else as it stands."""
    if text is None:
        return ""
    if text in WORDS["values"]:
        return both("values", text)
    return " / ".join((d.names.vi, d.names.en)) if (d := CATALOG.diseases.get(text)) else text


def table(text: str) -> list[str]:
    """An ascii table as a Markdown one."""
    found = rows(text)
    lines = [[heading(name) for name in found[0]], ["---"] * len(found[0])]
    lines += [[value(cell) for cell in row.values()] for row in found]
    return [f"| {' | '.join(line)} |" for line in lines] + [""]


def scenario(told: dict[str, Any]) -> list[str]:
    """One scenario: the person, the contacts, what is said."""
    lines = [f"## {told['title']['vi']}", "", f"*{told['title']['en']}*", ""]
    if "text" in told:
        lines += [told["text"]["vi"], "", f"*{told['text']['en']}*", ""]
    given = {**DEFAULTS, **told}
    person = [f"{both('person', 'disease')}: {value(given['disease'])}"]
    if told.get("undiagnosed"):
        person += [] if "also" in told else [both("person", "undiagnosed")]
    else:
        person.append(f"{both('person', 'detected')}: {given['detected']}")
    for name in ("recorded", "withdrawn", "born", "died"):
        if name in told:
            what = both("person", "unknown") if told[name] == "unknown" else told[name]
            person.append(f"{both('person', name)}: {what}")
    lines += ["; ".join(person) + ".", ""]
    for preset, rules in told.get("rules", {}).items():
        altered = ", ".join(f"`{name} = {_toml(rule)}`" for name, rule in rules.items())
        lines += [f"{both('person', 'rules')} (`{preset}`): {altered}", ""]
    for part in ("also", "lived", "visits", "readings", "expected"):
        if part in told:
            lines += [f"{both('person', part)}:", "", *table(told[part])]
    return lines


def _toml(rule: Any) -> str:
    return str(rule).lower() if isinstance(rule, bool) else str(rule).replace("'", '"')


def render() -> dict[str, str]:
    """File name -> text of every page, and of the list of pages."""
    made = {}
    listed = [f"# {TITLE['vi']} / {TITLE['en']}", "", LEAD["vi"], "", f"*{LEAD['en']}*", ""]
    for name, page in pages():
        title = f"{page['title']['vi']} / {page['title']['en']}"
        lines = [f"# {title}", "", page["text"]["vi"], "", f"*{page['text']['en']}*", ""]
        lines += [f"Nguồn / Source: {page['source']}", ""]
        for told in page["scenario"]:
            lines += scenario(told)
        made[f"{name}.md"] = "\n".join(lines).rstrip() + "\n"
        listed.append(f"- [{title}]({name}.md)")
    return {"README.md": "\n".join(listed) + "\n", **made}


def main() -> None:
    """Write the pages; pages without scenarios any more are removed."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    made = render()
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} pages in {folder}")


if __name__ == "__main__":
    main()
