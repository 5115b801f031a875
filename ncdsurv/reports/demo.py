"""The whole path once: invented exports in; registry, release, reports, forms and an offline site out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import ncdsurv
from ncdsurv.catalog.vocabulary import Language, Level, Period, Vintage
from ncdsurv.errors import EXIT_OK, EXIT_SOME_FAILED, unknown
from ncdsurv.reports.progress import Progress
from ncdsurv.reports.runner import STAGE, run_reports
from ncdsurv.reports.stages import Stages

AS_OF = "2026-06"
_CHECKOUT_SAMPLES = Path(ncdsurv.__file__).parents[1] / "data_samples"


class DemoOutcome(NamedTuple):
    """What the demo left behind."""

    out: Path
    release: str
    seconds: dict[str, float]
    failed: list[str]

    @property
    def exit_code(self) -> int:
        """0, or 1 when a report failed."""
        return EXIT_SOME_FAILED if self.failed else EXIT_OK


def run_demo(
    out: Path | str = "demo",
    patients: int = 20_000,
    seed: int = 20_260_630,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    languages: Iterable[str] | None = None,
) -> DemoOutcome:
    """Make the demo; a second run with the same arguments makes only what is missing.

    Args:
        out: Folder to write into.
        patients: Invented people.
        seed: Seed of the invented registry.
        jobs: Reports at a time; None means the number of processors.
        force: Make everything again.
        progress: Where to tell how far it is; a bar on a terminal, JSON lines elsewhere, unless given.
        languages: Languages of the reports; None means all there are.

    Returns:
        Where everything is, and the seconds of each stage.

    Raises:
        UsageError: There is no such language; nothing is written.
    """
    spoken = [str(lang) for lang in Language]
    chosen = spoken if languages is None else list(languages)
    for lang in chosen:
        if lang not in spoken:
            raise unknown("language", lang, spoken)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with progress or Progress.for_terminal() as shown:
        stages = Stages(out, shown, force)
        path = _Path(out, stages, patients, seed, jobs, chosen)
        path.walk()
    stages.seconds["all"] = round(time.monotonic() - began, 2)
    outcome = DemoOutcome(out, path.release_id, stages.seconds, path.failed)
    sys.stdout.write(_farewell(outcome))
    return outcome


class _Path:
    """The stages of the demo, in order."""

    def __init__(
        self, out: Path, stages: Stages, patients: int, seed: int, jobs: int | None, languages: list[str]
    ) -> None:
        self.out, self.stages, self.patients, self.seed = out, stages, patients, seed
        self.jobs, self.languages = jobs or os.cpu_count() or 1, languages
        self.exports, self.registry = out / "exports", out / "registry"
        self.release_id, self.failed = "", list[str]()

    def walk(self) -> None:
        """All stages."""
        from ncdsurv.registry import open_store

        self.samples = _CHECKOUT_SAMPLES if _CHECKOUT_SAMPLES.is_dir() else self.out / "data_samples"
        run, store = self.stages.run, open_store(self.registry)
        run("samples", [self.patients, self.seed], self._write_samples, self.exports.is_dir)
        # The registry knows which files and records it has seen, so these three are quick when nothing is new.
        run("ingest", [self.samples], self._ingest, self.registry.is_dir)
        run("link", [], lambda: _counts(store.link()), self.registry.is_dir)
        self.release_id = run("build", [AS_OF], self._build, lambda: bool(store.releases.ids()))
        run("forms", [], self._forms, lambda: any((self.out / "forms").glob("*.xlsx")))
        # Reports know themselves which of them are up to date; the site is quick.
        run(STAGE, [], self._reports, lambda: False)
        run("site", [], self._site, lambda: False)

    def _write_samples(self) -> str:
        from ncdsurv.synthetic import Dirt, make_registry, write_exports, write_samples

        registry = make_registry(patients=self.patients, seed=self.seed, dirt=Dirt.as_in_life(), last=AS_OF)
        written = write_exports(
            registry, self.out, progress=self.stages.progress.callback("samples"), jobs=self.jobs
        )
        if self.samples != _CHECKOUT_SAMPLES:
            write_samples(self.samples)
        return f"{len(written)} files of {self.patients:,} invented people"

    def _ingest(self) -> str:
        from ncdsurv.registry import open_store
        from ncdsurv.synthetic.data import parameters

        store = open_store(self.registry)
        store.add_reference(self.out / "reference")
        rows = files = 0
        for source in store.catalog.sources:
            if source not in parameters("systems"):
                continue  # samples of further formats show the same people again; the demo keeps its mix
            folders = [path / source for path in (self.exports, self.samples, self.samples / "exports")]
            found = [path for path in folders if path.is_dir()]
            if found:
                report = store.ingest(found, source=source, progress=self.stages.progress.callback("ingest"))
                rows, files = rows + report.rows_in, files + len(report.files)
        return f"{rows:,} rows of {files} files"

    def _build(self) -> str:
        from ncdsurv.registry import open_store

        release = open_store(self.registry).build_release(
            AS_OF, progress=self.stages.progress.callback("build")
        )
        return str(release.id)

    def _reports(self) -> str:
        made = current = 0
        for notebook in ("province_report", "national_overview"):
            for lang in self.languages:
                run = run_reports(
                    notebook,
                    release=self.release_id,
                    store=self.registry,
                    out=self.out / "reports",
                    jobs=self.jobs,
                    lang=lang,
                    progress=self.stages.progress,
                )
                self.failed += [entry.line() for entry in run.entries if entry.failed]
                made += sum(entry.status == "ok" for entry in run.entries)
                current += sum(entry.status == "up_to_date" for entry in run.entries)
        return f"{made} made, {current} up to date, {len(self.failed)} failed"

    def _forms(self) -> str:
        from ncdsurv.catalog import load_catalog
        from ncdsurv.forms import fill_form, write_form
        from ncdsurv.registry import open_store

        release = open_store(self.registry).releases.open(self.release_id)
        month = Period.parse(AS_OF)
        valid = [
            form
            for form in load_catalog().forms.values()
            if form.validity.first_month <= month.last_month <= form.validity.last_month
        ]
        folder = self.out / "forms"
        folder.mkdir(exist_ok=True)
        written = []
        for form in valid:
            for area in _areas_for_forms(release, form.vintage):
                path = folder / f"{form.id}.{area}.{AS_OF}.xlsx"
                write_form(fill_form(form.id, area=area, period=AS_OF, release=release), path)
                written.append(path.name)
        return ", ".join(written)

    def _site(self) -> str:
        from ncdsurv.reports.site import write_site

        pages = write_site(
            self.out / "site",
            store=self.registry,
            release=self.release_id,
            reports=self.out / "reports",
            forms=self.out / "forms",
            languages=self.languages,
        )
        return f"{len(pages)} pages"


def _areas_for_forms(release: Any, vintage: Vintage) -> list[str]:
    """The first pilot province, and the commune in it with the most people in the registry."""
    import polars as pl

    reference = release.reference()
    pilots = reference.pilot_provinces()
    province = pilots["code" if vintage == Vintage.V2024 else "code_2025"].sort()[0]
    communes = reference.codes_within(province, str(vintage))
    people = (
        release.scan_values()
        .filter(
            pl.col("area_level") == Level.COMMUNE,
            pl.col("area_vintage") == str(vintage),
            pl.col("area_code").is_in(communes),
            pl.col("unit") == "count",
        )
        .group_by("area_code")
        .agg(pl.col("numerator").sum())
        .sort("numerator", "area_code", descending=[True, False])
        .head(1)
        .collect()
    )
    return [province, *people["area_code"].to_list()]


def _counts(linked: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in linked.items() if isinstance(value, int))


def _farewell(outcome: DemoOutcome) -> str:
    out = outcome.out
    lines = ["", "Seconds: " + ", ".join(f"{name} {taken:.1f}" for name, taken in outcome.seconds.items())]
    lines += [f"Failed: {line}" for line in outcome.failed]
    lines += [
        "Every person in this demo is invented.",
        f"Release:  {outcome.release} in {out / 'registry' / 'releases'}",
        f"Reports:  {out / 'reports' / outcome.release}",
        f"Forms:    {out / 'forms'}",
        f"Look at:  {out / 'site' / 'index.html'}",
        f"Service:  ncdsurv serve --store {out / 'registry'} --insecure-dev",
        "",
    ]
    return "\n".join(lines)
