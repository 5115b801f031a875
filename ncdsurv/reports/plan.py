"""What a run will make: provinces resolved, parameters checked, keys computed; nothing has run yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ncdsurv import __version__
from ncdsurv.catalog.vocabulary import NATION, Level, Vintage
from ncdsurv.errors import UsageError, unknown
from ncdsurv.maps.wording import area_name
from ncdsurv.reports.catalogue import NotebookSpec
from ncdsurv.reports.manifest import hash_file
from ncdsurv.reports.parameters import Choices, check_parameters

PILOT, ALL = "pilot", "all"
_PLACES = {"store": "folder", "release": "release", "lang": "language"}


class Task(NamedTuple):
    """One report to make."""

    key: str
    stem: str
    title: str
    parameters: dict[str, str]
    run_key: str


def plan_tasks(
    spec: NotebookSpec,
    *,
    store: Path | str,
    release: Any,
    reference: Any,
    catalog: Any,
    provinces: Iterable[str] | None,
    lang: str,
    parameters: Mapping[str, Any],
) -> list[Task]:
    """Every report of a run, with complete and checked parameters.

    Args:
        spec: The notebook.
        store: Folder or address of the registry.
        release: The opened release.
        reference: Areas of both vintages.
        catalog: The definitions.
        provinces: Province codes, `pilot`, `all`, or None (pilot provinces).
        lang: Language.
        parameters: Further parameters by name.

    Returns:
        The tasks, in order of province.

    Raises:
        UsageError: Something is unknown or missing.
    """
    given: dict[str, Any] = dict(parameters)
    for name, value in (("store", str(store)), ("release", release.id), ("lang", lang)):
        if name in spec.parameters:
            given.setdefault(name, value)
    choices = _choices(spec, release, reference, catalog, given)
    if spec.per != "province":
        if provinces:
            raise UsageError(
                f"{spec.name} is not made per province",
                got=f"--province {' '.join(provinces)}",
                do="leave it out",
            )
        return [_task(spec, check_parameters(spec, given, choices), release, reference, spec.per == "nation")]
    if "province" in given:
        provinces = [*(provinces or []), str(given.pop("province"))]
    vintage = str(given.get("vintage", spec.defaults.get("vintage")))
    codes = resolve_provinces(provinces, reference, vintage)
    return [
        _task(spec, check_parameters(spec, {**given, "province": code}, choices), release, reference)
        for code in codes
    ]


def resolve_provinces(provinces: Iterable[str] | None, reference: Any, vintage: str) -> list[str]:
    """Codes of the provinces meant, in the reference's order.

    Raises:
        UsageError: A code does not exist in that vintage.
    """
    if vintage not in list(Vintage):
        raise unknown("vintage", vintage, [str(item) for item in Vintage])
    known = area_codes(reference, Level.PROVINCE, vintage)
    wanted = list(provinces or [PILOT])
    chosen: list[str] = []
    for word in wanted:
        if word == ALL:
            chosen += known
        elif word == PILOT:
            chosen += pilot_codes(reference, vintage)
        elif word in known:
            chosen.append(word)
        else:
            raise unknown(f"province of the {vintage} list", word, [*known, ALL, PILOT])
    return sorted(set(chosen), key=known.index)


def area_codes(reference: Any, level: str, vintage: str) -> list[str]:
    """Codes of a level, sorted."""
    return sorted(reference.areas(level=str(level), vintage=str(vintage))["code"].to_list())


def pilot_codes(reference: Any, vintage: str) -> list[str]:
    """The six pilot provinces as the reference pack names them; in 2025 those that hold their territory."""
    pilots = reference.pilot_provinces()
    return pilots["code" if vintage == Vintage.V2024 else "code_2025"].unique().sort().to_list()


def _choices(
    spec: NotebookSpec, release: Any, reference: Any, catalog: Any, given: Mapping[str, Any]
) -> Choices:
    vintage = str(given.get("vintage", spec.defaults.get("vintage", Vintage.V2025)))
    level = str(given.get("level", spec.defaults.get("level", Level.PROVINCE)))
    choices: dict[str, Any] = {
        "preset": list(catalog.presets),
        "indicator": list(catalog.indicators),
        "disease": list(catalog.diseases),
    }
    if vintage in list(Vintage) and level in list(Level):
        # The nation is an area too: a notebook of one area may be asked for it.
        choices["area"] = [NATION, *area_codes(reference, level, vintage)]
    return choices


def _task(
    spec: NotebookSpec, parameters: dict[str, str], release: Any, reference: Any, nation: bool = False
) -> Task:
    lang = parameters.get("lang", "vi")
    place = parameters.get("province") or parameters.get("area") or (NATION if nation else "")
    title = spec.title[lang]
    if place and place != NATION:
        level = parameters.get("level", Level.PROVINCE)
        title = f"{title}: {area_name(reference, place, parameters['vintage'], level, lang)}"
    skip = {"store", "release", "lang", "province", "area", "vintage"}
    own = [value for name, value in parameters.items() if name not in skip and value != spec.defaults[name]]
    words = [spec.name, place, parameters.get("vintage", "") if place else "", *own, lang]
    stem = f"{release.id}/" + ".".join(word.replace("/", "-") for word in words if word)
    facts = {name: value for name, value in parameters.items() if name != "store"}
    manifest = sha256(json.dumps(release.manifest, sort_keys=True, default=str).encode()).hexdigest()
    body = json.dumps(
        [spec.source_hash, facts, release.id, manifest, __version__, wording_hash()], sort_keys=True
    )
    return Task(stem, stem, title, parameters, sha256(body.encode()).hexdigest())


@cache
def wording_hash() -> str:
    """Hash of everything in this package that shapes a page: code, words, template and style."""
    folder = Path(__file__).parent
    files = sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".toml", ".j2", ".css"})
    return sha256("".join(hash_file(path) or "" for path in files).encode()).hexdigest()
