"""Commands that make something to read: demo, sample, report, form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ncdsurv.cli.options import (
    DEFAULT_STORE,
    LATEST,
    ForceOption,
    JobsOption,
    LanguageOption,
    ReleaseOption,
    StoreOption,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (demo, sample, report, form):
        app.command()(command)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = Path("demo"),
    patients: Annotated[int, typer.Option("--patients", min=100, help="Invented people.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the invented registry.")] = 20_260_630,
    lang: Annotated[
        list[str] | None, typer.Option("--lang", help="Language of the reports: vi or en; default: both.")
    ] = None,
    jobs: JobsOption = None,
    force: ForceOption = False,
) -> None:
    """Sample exports to registry, release, province reports, forms and an offline site."""
    from ncdsurv.reports.demo import run_demo

    outcome = run_demo(out, patients=patients, seed=seed, jobs=jobs, force=force, languages=lang or None)
    raise typer.Exit(outcome.exit_code)


def sample(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")],
    patients: Annotated[int, typer.Option("--patients", min=1, help="Invented people.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same people.")] = 20_260_630,
) -> None:
    """Write exports of invented patients in every source's own file format."""
    from ncdsurv.reports.progress import Progress
    from ncdsurv.synthetic import sample as write_sample

    with Progress.for_terminal() as progress:
        written = write_sample(patients, seed, out, progress=progress.callback("sample"))
    typer.echo(f"{len(written)} files of {patients:,} invented people in {out}")


def report(
    notebook: Annotated[
        str, typer.Argument(help="Notebook name, as `ncdsurv catalog notebooks` lists them.")
    ],
    province: Annotated[
        list[str] | None, typer.Option("--province", help="Province code, `pilot` or `all`; may be repeated.")
    ] = None,
    release: ReleaseOption = LATEST,
    store: StoreOption = DEFAULT_STORE,
    out: Annotated[Path, typer.Option("--out", help="Folder of the reports.")] = Path("reports"),
    jobs: JobsOption = None,
    lang: LanguageOption = "vi",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE of a notebook parameter.")
    ] = None,
    force: ForceOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, run nothing.")] = False,
    list_parameters: Annotated[bool, typer.Option("--list-parameters", help="Print the parameters.")] = False,
) -> None:
    """Run a notebook for each province: HTML and executed notebook, checked before they appear."""
    from ncdsurv.cli.show import show_rows
    from ncdsurv.reports import find_notebook, run_reports
    from ncdsurv.reports.parameters import parse_assignments
    from ncdsurv.reports.progress import Progress

    if list_parameters:
        show_rows(find_notebook(notebook).describe_parameters(), ["name", "type", "default", "about"])
        return
    with Progress.for_terminal() as progress:
        run = run_reports(
            notebook,
            provinces=province,
            release=release,
            store=store,
            out=out,
            jobs=jobs,
            lang=lang,
            parameters=parse_assignments(parameter or []),
            force=force,
            dry_run=dry_run,
            progress=progress,
        )
    for entry in run.entries:
        typer.echo(entry.line(), err=entry.failed)
    raise typer.Exit(run.exit_code)


def form(
    form_id: Annotated[str, typer.Argument(help="Form id, as `ncdsurv catalog forms` lists them.")],
    area: Annotated[str, typer.Option("--area", help="Code of a commune or province.")],
    period: Annotated[
        str, typer.Option("--period", help="Month or longer: 2026-06, 2026-Q2, 2026-H1, 2026-9M, 2026.")
    ],
    out: Annotated[Path, typer.Option("--out", help="XLSX file to write.")],
    release: ReleaseOption = LATEST,
    store: StoreOption = DEFAULT_STORE,
    lang: LanguageOption = "vi",
) -> None:
    """Fill a statutory form from a release and write it as XLSX."""
    from ncdsurv import open_store
    from ncdsurv.catalog.vocabulary import Period
    from ncdsurv.forms import fill_form, write_form

    Period.parse(period)
    chosen = open_store(store).releases.open(release)
    write_form(fill_form(form_id, area=area, period=period, release=chosen, lang=lang), out)
    typer.echo(f"{form_id} {area} {period} ({chosen.id}): {out}")
