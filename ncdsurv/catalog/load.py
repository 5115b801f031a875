"""Reads the definition files into one frozen catalog; every problem of all files is reported at once."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ncdsurv.catalog.checks import cross_problems
from ncdsurv.catalog.code_lists import CodeList, load_code_lists
from ncdsurv.catalog.forms import FormDefinition, load_forms
from ncdsurv.catalog.models import (
    AgeBand,
    ContactFlag,
    Definition,
    Disease,
    Indicator,
    Measurement,
    NationalTarget,
    Notice,
    Preset,
    Prevalence,
    Publication,
    StandardPopulation,
)
from ncdsurv.catalog.plausibility import Plausible, load_plausibility
from ncdsurv.catalog.sources import SourceMapping, load_sources
from ncdsurv.errors import DefinitionError, unknown

DEFINITIONS = Path(__file__).parent / "definitions"

_FILES: dict[str, type[Definition]] = {
    "diseases": Disease,
    "measurements": Measurement,
    "contact_flags": ContactFlag,
    "notices": Notice,
    "presets": Preset,
    "prevalence": Prevalence,
    "targets": NationalTarget,
    "standard_populations": StandardPopulation,
    "publication": Publication,
}


class Catalog(BaseModel):
    """All definitions, by id, in file order."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    diseases: dict[str, Disease]
    measurements: dict[str, Measurement]
    contact_flags: dict[str, ContactFlag]
    notices: dict[str, Notice]
    presets: dict[str, Preset]
    indicators: dict[str, Indicator]
    prevalence: dict[str, Prevalence]
    targets: dict[str, NationalTarget]
    standard_populations: dict[str, StandardPopulation]
    publication: dict[str, Publication]
    age_bands: tuple[AgeBand, ...]
    plausibility: dict[str, Plausible]
    code_lists: dict[str, CodeList]
    sources: dict[str, SourceMapping]
    forms: dict[str, FormDefinition]
    definitions_hash: str

    def default_prevalence(self, disease: str) -> Prevalence | None:
        """The prevalence used for a disease's expected cases, or None."""
        return next((p for p in self.prevalence.values() if p.disease == disease and p.default), None)

    @cached_property
    def standard_population(self) -> StandardPopulation:
        """The standard population used by default."""
        return next(standard for standard in self.standard_populations.values() if standard.default)

    def need(self, kind: str, name: str) -> Any:
        """One definition by kind (`diseases`, `indicators`, ...) and id.

        Raises:
            UsageError: Unknown id; the message names the nearest.
        """
        known: Mapping[str, Any] = getattr(self, kind)
        if name not in known:
            raise unknown(kind.removesuffix("s"), name, known)
        return known[name]


def load_catalog(folder: str | Path | None = None) -> Catalog:
    """Load the definitions.

    Args:
        folder: A folder laid out like the package's `definitions/`; None is the package's own (cached).

    Returns:
        The frozen catalog.

    Raises:
        DefinitionError: Carries every problem of all files, each as `file: [id] field: what`.

    >>> load_catalog().diseases["hypertension"].matches("I10")
    True
    """
    return _load(Path(folder).resolve() if folder is not None else DEFINITIONS)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Catalog:
    problems: list[str] = []
    parts: dict[str, Any] = {
        name: _read_tables(folder / f"{name}.toml", model, problems) for name, model in _FILES.items()
    }
    parts["indicators"] = _read_folder(folder / "indicators", Indicator, problems)
    parts["age_bands"] = _read_bands(folder / "age_bands.toml", problems)
    parts["plausibility"], found = load_plausibility(folder / "plausibility.toml")
    problems += found
    parts["code_lists"], found = load_code_lists(folder / "code_lists.toml")
    problems += found
    parts["sources"], found = load_sources(folder / "sources", parts["diseases"])
    problems += found
    parts["forms"], found = load_forms(folder / "forms", parts["diseases"], parts["presets"])
    problems += found
    problems += cross_problems(parts)
    if problems:
        raise DefinitionError(problems)
    return Catalog(**parts, definitions_hash=_hash(folder))


def _toml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{path.name}: the file is missing")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: not readable as TOML ({error})")
    return {}


def _read_tables(
    path: Path, model: type[Definition], problems: list[str], where: str | None = None, **known: str
) -> dict[str, Any]:
    found = {}
    for name, table in _toml(path, problems).items():
        try:
            whole = {"id": name, **known, **table} if isinstance(table, dict) else table
            found[name] = model.model_validate(whole)
        except ValidationError as error:
            problems += describe(where or path.name, name, error)
    return found


def _read_folder(folder: Path, model: type[Definition], problems: list[str]) -> dict[str, Any]:
    """Definitions of one kind kept in one file per family (`1_detection.toml`), in the order of the files."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        problems.append(f"{folder.name}: the folder is missing or holds no file")
    found: dict[str, Any] = {}
    for path in files:
        where = f"{folder.name}/{path.name}"
        family = path.stem.lstrip("0123456789_")
        for name, definition in _read_tables(path, model, problems, where, family=family).items():
            if name in found:
                problems.append(f"{where}: [{name}] id: stands in another file of the folder too")
            found[name] = definition
    return found


def _read_bands(path: Path, problems: list[str]) -> tuple[AgeBand, ...]:
    bands = []
    for table in _toml(path, problems).get("band", []):
        try:
            bands.append(AgeBand.model_validate(table))
        except ValidationError as error:
            problems += describe(path.name, str(table.get("id", "?")), error)
    return tuple(bands)


def describe(file: str, name: str, error: ValidationError) -> list[str]:
    """One line per problem of a definition: file, id, field, what is wrong."""
    return [
        f"{file}: [{name}] {'.'.join(map(str, item['loc'])) or 'table'}: {item['msg']}"
        for item in error.errors()
    ]


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.toml")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
