"""Writes docs/gallery/: the pages of docs/gallery/pages executed, in Vietnamese and English, and the list of them.

python scripts/build_gallery.py [PAGE ...]    # without names: all pages, and the README

A page is a Python file of cells: `# %%` opens code, `# %% [vi]` and `# %% [en]` open prose of one language. Code is
written for English; `lang="en"` and `"en"` become Vietnamese in the Vietnamese page. The same sources and the same
package give the same files: no time, no machine path, cell ids counted.
"""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "gallery"
LANGUAGES = ("vi", "en")
COLOURS = 96  # of a picture's palette: small files, no shade lost that a reader needs
PICTURE_WIDTH, THUMBNAIL_WIDTH = 860, 300  # pixels
_CELL = re.compile(r"^# %%(?: \[(vi|en)\])?\n", re.MULTILINE)
LEAD = {
    "vi": "Mỗi trang là một câu hỏi, trả lời bằng vài dòng lệnh có thể chép lại. Người trong các trang là hư cấu và "
    "sự thật đã biết ([invented.py](invented.py)), nên câu trả lời nào cũng được đối chiếu. Muốn tự chạy: mở trang "
    "trong chính thư mục này; lần đầu cần khoảng nửa phút để lập sổ đăng ký. `make gallery` tạo lại mọi trang.",
    "en": "Each page is a question, answered in a few lines that can be copied. The people are invented and the truth "
    "is known ([invented.py](invented.py)), so each answer is judged. To run one, open it in this very folder; the "
    "first time takes half a minute to make the registry. `make gallery` makes all pages anew.",
}


def pages() -> list[str]:
    """Names of the pages, in order of the questions."""
    return sorted(path.stem for path in (FOLDER / "pages").glob("*.py"))


def cells(name: str, lang: str) -> list[tuple[str, str]]:
    """Kind (`markdown` or `code`) and text of each cell of a page in one language."""
    parts = _CELL.split((FOLDER / "pages" / f"{name}.py").read_text("utf-8"))
    if parts[0].strip():
        raise ValueError(f"{name}.py does not begin with a cell")
    found = []
    for told, text in zip(parts[1::2], parts[2::2]):
        if told is None:
            code = text.strip()
            found.append(("code", code if lang == "en" else code.replace('"en"', f'"{lang}"')))
        elif told == lang:
            prose = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.strip().splitlines())
            found.append(("markdown", prose))
    return found


def title(name: str, lang: str) -> str:
    """The question of a page."""
    return cells(name, lang)[0][1].splitlines()[0].removeprefix("# ")


def render(name: str, lang: str) -> Any:
    """A page as a notebook that was not run."""
    make = {"markdown": new_markdown_cell, "code": new_code_cell}
    made = [
        make[kind](text, id=f"{name.partition('_')[2]}-{at}")
        for at, (kind, text) in enumerate(cells(name, lang))
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(
        cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}, "lang": lang}
    )


def execute(notebook: Any) -> Any:
    """Run a notebook in docs/gallery; its outputs are made small and say nothing of when or where."""
    from nbclient import NotebookClient

    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}, record_timing=False
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_lasting, cell.outputs) if output]
            cell.metadata = {}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def _lasting(output: Any) -> Any:
    data = output.get("data", {})
    if "image/png" in data:
        output["data"] = {"image/png": base64.b64encode(shrink(data["image/png"], PICTURE_WIDTH)).decode()}
        output["metadata"] = {}
    elif "text/plain" in data and re.match(r"<Axes|<Figure", data["text/plain"]):
        return None  # the picture itself follows
    return output


def shrink(png: str | bytes, width: int) -> bytes:
    """A picture of at most so many pixels across, on a small palette, without metadata."""
    from PIL import Image

    raw = base64.b64decode(png) if isinstance(png, str) else png
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    if picture.width > width:
        picture = picture.resize(
            (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
        )
    buffer = io.BytesIO()
    picture.quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def pictures(notebook: Any) -> list[bytes]:
    """The pictures of an executed notebook."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [base64.b64decode(o["data"]["image/png"]) for o in outputs if "image/png" in o.get("data", {})]


def readme() -> str:
    """The list of pages by question, each with its thumbnail."""
    lines = ["# Hỏi và trả lời / Questions and answers", "", LEAD["vi"], "", f"*{LEAD['en']}*", ""]
    lines += ["| | |", "|---|---|"]
    for name in pages():
        links = [f"[{title(name, lang)}]({name}.{lang}.ipynb)" for lang in LANGUAGES]
        lines.append(
            f"| [![{title(name, 'vi')}](thumbnails/{name}.png)]({name}.vi.ipynb) | {'<br>'.join(links)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Execute and write the pages asked for, or all."""
    asked = sys.argv[1:] or pages()
    (FOLDER / "thumbnails").mkdir(exist_ok=True)
    for name in asked:
        for lang in LANGUAGES:
            made = execute(render(name, lang))
            path = FOLDER / f"{name}.{lang}.ipynb"
            nbformat.write(made, path)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
            if lang == LANGUAGES[0]:
                first = shrink(pictures(made)[0], THUMBNAIL_WIDTH)
                (FOLDER / "thumbnails" / f"{name}.png").write_bytes(first)
    for old in (*FOLDER.glob("*.ipynb"), *FOLDER.glob("thumbnails/*.png")):
        if old.name.partition(".")[0] not in pages():
            old.unlink()
    (FOLDER / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
