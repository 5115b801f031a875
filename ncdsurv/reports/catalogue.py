"""The catalogue of notebooks: every `.ipynb` beside the package that carries an `ncdsurv` metadata block.

A notebook declares its title, what it is run for (`per`), and its parameters with their kinds; defaults
stand in the cell tagged `parameters`, as papermill wants it. The two must name the same parameters.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ncdsurv.errors import DefinitionError, unknown

NOTEBOOK_FOLDER = Path(__file__).parents[1] / "notebooks"
CHECKED_TAGS = ("figure:", "table:", "text:")

ParameterKind = Literal[
    "folder",
    "release",
    "area",
    "vintage",
    "preset",
    "period",
    "language",
    "indicator",
    "disease",
    "level",
    "method",
    "moment",
    "text",
]


class Titles(BaseModel):
    """A title in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    vi: str
    en: str

    def __getitem__(self, language: str) -> str:
        return str(getattr(self, language))


class ParameterSpec(BaseModel):
    """One declared parameter: its kind decides what values are allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ParameterKind
    about: Titles


class NotebookSpec(BaseModel):
    """A notebook of the catalogue, read from its metadata and its parameters cell."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    path: Path
    title: Titles
    per: Literal["province", "nation", "none"]
    parameters: dict[str, ParameterSpec]
    defaults: dict[str, Any]
    required_outputs: tuple[str, ...]
    source_hash: str

    def describe_parameters(self, lang: str = "en") -> list[dict[str, Any]]:
        """Name, kind, default and meaning of each parameter, for printing."""
        return [
            {"name": name, "type": spec.kind, "default": self.defaults[name], "about": spec.about[lang]}
            for name, spec in self.parameters.items()
        ]


@cache
def find_notebooks(folder: Path = NOTEBOOK_FOLDER) -> dict[str, NotebookSpec]:
    """All notebooks of a folder by name.

    Raises:
        DefinitionError: With every problem of every notebook at once.
    """
    found: dict[str, NotebookSpec] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            found[path.stem] = _read(path)
        except ValidationError as error:
            problems += [
                f"{path.name}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
            ]
        except (KeyError, ValueError) as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise DefinitionError(problems)
    return found


def find_notebook(name: str, folder: Path = NOTEBOOK_FOLDER) -> NotebookSpec:
    """One notebook by name.

    Raises:
        UsageError: No notebook has that name; the message gives the nearest.

    >>> find_notebook("province_report").per
    'province'
    """
    known = find_notebooks(folder)
    if name not in known:
        raise unknown("notebook", name, known)
    return known[name]


def _read(path: Path) -> NotebookSpec:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    block = dict(notebook["metadata"]["ncdsurv"])
    tagged = [cell for cell in notebook["cells"] if "parameters" in _tags(cell)]
    if len(tagged) != 1:
        raise ValueError(f"wants exactly one cell tagged 'parameters', has {len(tagged)}")
    defaults = _assignments("".join(tagged[0]["source"]))
    declared = block.get("parameters", {})
    if set(defaults) != set(declared):
        differing = ", ".join(sorted(set(defaults) ^ set(declared)))
        raise ValueError(f"parameters in the cell and in the metadata differ: {differing}")
    required = tuple(tag for cell in notebook["cells"] for tag in _tags(cell) if tag.startswith(CHECKED_TAGS))
    sources = [(cell["cell_type"], "".join(cell["source"]), _tags(cell)) for cell in notebook["cells"]]
    digest = sha256(json.dumps([sources, block], sort_keys=True).encode()).hexdigest()
    return NotebookSpec(
        name=path.stem, path=path, defaults=defaults, required_outputs=required, source_hash=digest, **block
    )


def _tags(cell: dict[str, Any]) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def _assignments(source: str) -> dict[str, Any]:
    """Literal assignments of a parameters cell, annotated or not."""
    values: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            values[statement.targets[0].id] = ast.literal_eval(statement.value)
        elif (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.value
        ):
            values[statement.target.id] = ast.literal_eval(statement.value)
        else:
            raise ValueError("the parameters cell may hold literal assignments only")
    return values
