"""The pages of docs/gallery: in step with their sources, free of errors and addresses, and right about the truth.

The English pages are run anew, cell by cell; what they print must be what is committed. `make gallery` mends a
difference that is meant.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest

from scripts import build_gallery as gallery
from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "gallery"
PAGES = gallery.pages()
BOTH = [(name, lang) for name in PAGES for lang in gallery.LANGUAGES]
RELEASE = re.compile(r"\b\d{4}-\d{2}-[0-9a-f]{8}\b")  # hangs on every line of the package
MOST_BYTES = 400_000


def committed(name: str, lang: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.{lang}.ipynb", as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize(("name", "lang"), BOTH)
def test_a_page_is_in_step_with_its_source(name: str, lang: str):
    made, found = gallery.render(name, lang), committed(name, lang)
    assert [(c.id, c.cell_type, c.source) for c in found.cells] == [
        (c.id, c.cell_type, c.source) for c in made.cells
    ], "run make gallery"
    assert found.metadata == made.metadata


@pytest.mark.parametrize(("name", "lang"), BOTH)
def test_a_page_is_executed_small_and_says_nothing_of_when_or_where(name: str, lang: str):
    path = FOLDER / f"{name}.{lang}.ipynb"
    # A picture is written in letters, of which four may spell anything.
    text, pictures = re.subn(r'"image/png": "[^"]*"', "", path.read_text("utf-8"))
    notebook = committed(name, lang)
    assert pictures == len(gallery.pictures(notebook))
    ran = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert ran == list(range(1, len(ran) + 1))
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]
    assert gallery.pictures(notebook)
    assert "http" not in text
    assert not re.search(r"/(home|root|work|tmp|usr|Users)/", text)
    assert "execution" not in {key for cell in notebook.cells for key in cell.metadata}
    assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("lang", gallery.LANGUAGES)
def test_every_page_says_first_that_nobody_is_real_and_no_english_is_left_in_vietnamese_code(lang: str):
    words = {"vi": "hư cấu", "en": "invented"}
    drawn = {"vi": "sinh ngẫu nhiên", "en": "drawn"}
    for name in PAGES:
        cells = gallery.cells(name, lang)
        assert words[lang] in cells[0][1] or drawn[lang] in cells[0][1], name
        if lang == "vi":
            assert not [text for kind, text in cells if kind == "code" and '"en"' in text], name


def test_the_list_of_pages_is_in_step_and_its_links_lead_somewhere():
    text = (FOLDER / "README.md").read_text("utf-8")
    assert text == gallery.readme(), "run make gallery"
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (FOLDER / target).is_file(), target


def test_a_source_that_does_not_begin_with_a_cell_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "1_odd.py").write_text("x = 1\n# %%\ny = 2\n", "utf-8")
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="does not begin with a cell"):
        gallery.cells("1_odd", "en")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """What the cells of each English page print or show, and the names they leave."""
    found = {}
    # With the kernel at hand the registry is counted by it too: the same numbers, quicker.
    with contextlib.suppress(ImportError):
        import ncdsurv.spells.kernel  # noqa: F401
    with pytest.MonkeyPatch.context() as patch, plt.rc_context():
        plt.switch_backend("agg")
        patch.setenv("NCDSURV_GALLERY", str(tmp_path_factory.mktemp("gallery")))
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.syspath_prepend(str(FOLDER))
        patch.delitem(sys.modules, "invented", raising=False)
        for name in PAGES:
            names: dict[str, Any] = {}
            shown = [_run(text, names) for kind, text in gallery.cells(name, "en") if kind == "code"]
            found[name] = (shown, names)
            plt.close("all")
        sys.modules.pop("invented", None)
    return found


def _run(code: str, names: dict[str, Any]) -> str:
    """Run a cell; its prints and, where it ends in a bare expression, that value as text."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    shown = "" if value is None or hasattr(value, "figure") or hasattr(value, "savefig") else repr(value)
    return printed.getvalue() + shown


def _told(cell: Any) -> str:
    """The same of a committed cell; pictures say nothing here."""
    streams = "".join(o.text for o in cell.outputs if o.output_type == "stream")
    values = [o.data["text/plain"] for o in cell.outputs if "text/plain" in o.get("data", {})]
    return streams + "".join(values)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_run_anew_prints_what_is_committed(name: str, ran: dict[str, Any]):
    told = [_told(cell) for cell in committed(name, "en").cells if cell.cell_type == "code"]
    assert [RELEASE.sub("", one) for one in ran[name][0]] == [RELEASE.sub("", one) for one in told]
    assert any(told)


def test_the_pages_find_what_was_put_in(ran: dict[str, Any]):
    improving, communes, shortage, target = (ran[name][1] for name in PAGES[:4])
    bends = improving["bends"]
    assert len(bends.joinpoints) == 1
    low, high = bends.joinpoint_limits[0]
    assert low <= "2024-10" <= high
    untrained = set(communes["untrained"]())
    assert len(untrained) == 12
    assert len(untrained & set(communes["low"])) >= 10
    assert len(communes["low"]) <= 15
    assert shortage["short"].level_change.upper < 0
    assert shortage["spared"].level_change.lower < 0 < shortage["spared"].level_change.upper
    assert shortage["chart"].signals
    came, band = target["came"], target["forecast"].data
    inside = (came["value"] >= band["lower"]) & (came["value"] <= band["upper"])
    assert band["period"].to_list() == came["period"].to_list()
    assert inside.mean() > 0.9


def test_the_page_to_point_at_fetches_nothing():
    text = (FOLDER / "map.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//""", text)
    assert len(text) < MOST_BYTES
