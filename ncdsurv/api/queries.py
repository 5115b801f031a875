"""Query parameters as strict models: an unknown one is refused, lists may be repeated or comma-separated."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ncdsurv.api.answers import Format
from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Language, Vintage

LIMIT, MAX_LIMIT = 1_000, 10_000


def _split(values: list[str]) -> list[str]:
    """`a,b` and repeated parameters alike; order kept, each once."""
    return list(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))


Codes = Annotated[list[str], AfterValidator(_split)]
ReleaseId = Annotated[
    str | None,
    Field(description="Release id; without it (or `latest`) the latest. A named release never changes."),
]
VintageCode = Annotated[
    Vintage | None,
    Field(description="List of administrative units: 2024 (63 provinces) or 2025 (34). Needed with an area."),
]
Cursor = Annotated[str | None, Field(description="Opaque mark of the next page, from `page.next` or `Link`.")]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Rows of a page; never cut without a `next`.")]
FormatName = Annotated[Format | None, Field(description="json or csv (forms: also xlsx); else by Accept.")]


class Strict(BaseModel):
    """Base: a parameter that is not named here is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseQuery(Strict):
    """Which release."""

    release: ReleaseId = None


class Paged(ReleaseQuery):
    """A release and a page of it."""

    limit: Limit = LIMIT
    cursor: Cursor = None
    format: FormatName = None


class DataQuery(Paged):
    """Filters of published values; each may name several codes."""

    indicator: Codes = Field([], description="Indicator codes; see /v1/indicators.")
    disease: Codes = Field([], description="Disease codes.")
    preset: Codes = Field([], description="Presets of definitions; every row says which one it used.")
    level: Codes = Field(
        [],
        description="Area levels; `facility` and `source` for stations and source systems, which are given only "
        "when asked for.",
    )
    vintage: VintageCode = None
    area: Codes = Field(
        [],
        description="Area codes as text, with leading zeros; `vintage` says of which list. With level `facility` "
        "or `source` codes of facilities or source systems.",
    )
    period: Codes = Field([], description="Periods: 2026-06, 2026-Q2, 2026-H1, 2026-9M, 2026.")
    from_: str | None = Field(
        None, alias="from", description="First month: periods that begin in it or later."
    )
    to: str | None = Field(None, description="Last month: periods that end in it or earlier.")
    sex: Codes = Field([BOTH_SEXES], description="both, male, female; `any` for every row.")
    age_band: Codes = Field([ALL_AGES], description="Age bands, or `all`; `any` for every row.")
    standardisation: Codes = Field(["crude"], description="crude or the standard population; `any` for both.")


class AreaQuery(Paged):
    """Filters of areas."""

    level: Codes = Field([], description="Area levels.")
    vintage: VintageCode = None
    parent: str | None = Field(None, description="Code of the area directly above; needs `vintage`.")


class AvailabilityQuery(ReleaseQuery):
    """Filters of what is published."""

    indicator: Codes = Field([], description="Indicator codes.")
    disease: Codes = Field([], description="Disease codes.")
    preset: Codes = Field([], description="Presets.")
    level: Codes = Field([], description="Area levels.")
    vintage: VintageCode = None


class SeriesQuery(ReleaseQuery):
    """One series: an indicator of a disease under a preset in one area."""

    indicator: str = Field(description="Indicator code.")
    disease: str = Field(description="Disease code.")
    preset: str = Field(description="Preset of definitions.")
    area: str = Field(description="Area code.")
    vintage: Vintage = Field(description="List of administrative units the code is of.")
    from_: str | None = Field(None, alias="from", description="First month.")
    to: str | None = Field(None, description="Last month.")
    season: bool = Field(True, description="Model the season (needs 24 months).")
    lang: Language = Field(Language.VI, description="Language of the explanation.")


class MapQuery(ReleaseQuery):
    """One map: an indicator of a disease under a preset at one period."""

    indicator: str = Field(description="Indicator code.")
    disease: str = Field(description="Disease code.")
    preset: str = Field(description="Preset of definitions.")
    vintage: Vintage = Field(description="List of administrative units.")
    period: str = Field(description="A period: 2026-06, 2026-Q2, 2026-H1, 2026-9M, 2026.")
    within: str | None = Field(
        None, description="Code of an area to stay inside; without it the whole nation."
    )


class FormQuery(ReleaseQuery):
    """Which unit and period to fill a form for."""

    area: str = Field(description="Code of the reporting unit, in the form's vintage.")
    period: str = Field(description="A period that ends within the form's validity.")
    lang: Language = Field(Language.VI, description="Language of labels.")
    format: FormatName = None


class QualityQuery(Paged):
    """Filters of the quality table."""

    metric: Codes = Field([], description="Quality metrics.")
    level: Codes = Field([], description="Area levels.")
    vintage: VintageCode = None
    area: Codes = Field([], description="Area codes; needs `vintage`.")
    period: Codes = Field([], description="Months: 2026-06.")


class NoQuery(Strict):
    """No parameter is taken."""
