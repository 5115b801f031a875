"""Checks exports against the data standard by the way every ingest takes: read, clean, count."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ncdsurv.catalog.elements import DataElement, DataStandard, load_standard
from ncdsurv.catalog.sources import SourceMapping, read_mapping
from ncdsurv.clean import clean_batch
from ncdsurv.conformance.need import lacking, needs
from ncdsurv.conformance.report import ConformanceReport, ElementResult, Gap, Refused, State
from ncdsurv.conformance.tally import Counts, Tally, count, fixed_by
from ncdsurv.errors import DefinitionError, NcdsurvError
from ncdsurv.ingest import concat_batches, read_file
from ncdsurv.ingest.bundles import bundled

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

_MAPPING_SUFFIX = ".toml"
_TOGETHER = 16


def choose_mapping(source: str, catalog: Catalog) -> SourceMapping:
    """The mapping of a source id, or of a mapping's own TOML file.

    Raises:
        UsageError: Unknown id; the message names the nearest.
        DefinitionError: The file is not a mapping that records can be made from; every problem at once.
    """
    path = Path(source)
    if path.suffix != _MAPPING_SUFFIX or not path.is_file():
        chosen: SourceMapping = catalog.need("sources", source)
        return chosen
    mapping, problems = read_mapping(path.read_bytes(), path.stem, catalog.diseases)
    if mapping is None:
        raise DefinitionError(f"{path.name}: {problem}" for problem in problems)
    return mapping


def check_conformance(
    paths: Iterable[str | Path],
    mapping: SourceMapping,
    catalog: Catalog,
    reference: Reference,
    *,
    standard: DataStandard | None = None,
) -> ConformanceReport:
    """Check the files of one export. Nothing is kept.

    Args:
        paths: Files.
        mapping: The source they come from, `catalog.sources[...]`.
        catalog: Diseases, indicators, limits.
        reference: Communes and facilities.
        standard: The data elements; the package's own when None.

    Returns:
        Elements present, missing and malformed, and the indicators that cannot be computed.
    """
    standard = standard or load_standard()
    total, refused, number = Counts(), [], 0
    with bundled(map(Path, paths), mapping) as files:
        for group in groups(files):
            counted, wrong = count_files(group, mapping, catalog, reference, standard)
            total.add(counted)
            refused += wrong
        number = len(files)
    return make_report(total, number, refused, mapping, catalog, standard)


def count_files(
    paths: Sequence[Path],
    mapping: SourceMapping,
    catalog: Catalog,
    reference: Reference,
    standard: DataStandard,
) -> tuple[Counts, list[Refused]]:
    """Read, clean and count some files together; the pseudonym key lives as long as the call.

    Raises:
        MemoryError: The files need more memory than there is.
    """
    raws, refused = [], []
    for path in paths:
        try:
            raws.append(read_file(path, mapping))
        except NcdsurvError as error:
            refused.append(Refused(path.name, str(error)))
        except MemoryError:
            raise
        except Exception as error:  # a library's own message may hold a cell: only its kind is told
            refused.append(Refused(path.name, f"{path.name}: {type(error).__name__}"))
    if not raws:
        return Counts(), refused
    raw = concat_batches(raws)
    clean = clean_batch(raw, mapping, catalog, reference, secrets.token_bytes(32))
    return count(raw, clean, mapping, standard), refused


def groups(files: Sequence[Path]) -> list[Sequence[Path]]:
    """Files checked together: bounds memory, whatever their number."""
    return [files[start : start + _TOGETHER] for start in range(0, len(files), _TOGETHER)]


def make_report(
    total: Counts,
    files: int,
    refused: Sequence[Refused],
    mapping: SourceMapping,
    catalog: Catalog,
    standard: DataStandard,
) -> ConformanceReport:
    """Judge what was counted."""
    results = tuple(_result(element, total, mapping, standard) for element in standard.elements.values())
    usable = {element.id for element in results if element.usable}
    computable, gaps = 0, []
    for disease in (catalog.diseases[name] for name in catalog.diseases if name in total.diseases):
        for indicator in catalog.indicators.values():
            alternatives = needs(indicator, disease, catalog, standard)
            if alternatives is None:
                continue
            if lacks := lacking(alternatives, usable):
                gaps.append(Gap(indicator.id, disease.id, lacks))
            else:
                computable += 1
    return ConformanceReport(
        source=mapping.id,
        files=files,
        refused=tuple(refused),
        rows=total.rows,
        outside=total.outside,
        kept=total.kept,
        rejected_by_rule=dict(total.rejected.most_common()),
        elements=results,
        computable=computable,
        gaps=tuple(gaps),
    )


def _result(
    element: DataElement, total: Counts, mapping: SourceMapping, standard: DataStandard
) -> ElementResult:
    tally = total.elements.get(element.id, Tally())
    records = total.rows - total.outside
    without = total.kinds[str(element.not_of)] if element.not_of else 0
    expected = round(records * (1 - without / total.kept)) if total.kept else records
    malformed = 100 * tally.malformed / tally.filled if tally.filled else None
    required = element.required and expected > 0
    empty = 100 * max(expected - tally.filled, 0) / expected if required else 0.0
    return ElementResult(
        id=element.id,
        required=required,
        state=_state(element, tally, empty, malformed, mapping, standard),
        rows=records,
        filled=tally.filled,
        filled_percent=100 * tally.filled / records if records else None,
        empty_percent=empty if required else None,
        malformed=tally.malformed,
        malformed_percent=malformed,
        malformed_by_rule=dict(sorted(tally.broken.items(), key=lambda item: (-item[1], item[0]))),
        mended=tally.mended,
        usable=tally.usable,
    )


def _state(
    element: DataElement,
    tally: Tally,
    empty: float,
    malformed: float | None,
    mapping: SourceMapping,
    standard: DataStandard,
) -> State:
    if fixed_by(element, mapping):
        return "fixed"
    if not tally.has_column and not any(name in mapping.mapped for name in element.filled_by):
        return "not_mapped"
    if not tally.filled:
        return "missing"
    if malformed is not None and malformed > standard.tolerance.malformed_percent:
        return "malformed"
    return "incomplete" if empty > standard.tolerance.missing_percent else "present"
