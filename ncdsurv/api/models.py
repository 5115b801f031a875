"""Typed answers of releases, definitions, areas, periods and values, as the API description shows them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Text(BaseModel):
    """A text in Vietnamese and English."""

    vi: str
    en: str


class Page(BaseModel):
    """Where in the rows this answer is."""

    limit: int
    count: int = Field(description="Rows in this answer.")
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class ReleaseItem(BaseModel):
    """A release: what it was made of and when."""

    id: str
    as_of: str = Field(description="Reference month.")
    created_at: str
    definitions_hash: str | None = None
    latest: bool


class ReleaseList(BaseModel):
    """All releases, newest first."""

    data: list[ReleaseItem]


class ReleaseDetail(BaseModel):
    """A release's manifest."""

    id: str
    manifest: dict[str, Any]
    dossier: dict[str, Any] = Field(description="What was done against disclosure.")


class IndicatorCard(BaseModel):
    """What an indicator says of itself to a reader, in both languages; null where its release did not hold it."""

    definition: Text
    rationale: Text | None = Field(description="Why it is worth knowing.")
    numerator: Text | None = Field(description="What is counted, in words.")
    denominator: Text | None = Field(description="Among whom, in words; null for a count.")
    polarity: Text | None = Field(description="Whether higher is better.")
    unit: Text | None
    method: Text | None = Field(description="How it is summed over a period, and its interval.")
    source: Text | None = Field(description="With a word on whether it was checked against the document.")
    caveats: list[Text] = Field(description="What must not be concluded.")
    version: int | None = Field(description="Rises when the meaning changes.")


class IndicatorItem(BaseModel):
    """An indicator's definition, as it was when the release was built."""

    id: str
    names: Text
    definition: Text
    kind: str = Field(description="stock (as of the period's end), flow (summed) or cohort.")
    unit: str
    polarity: str
    presets: list[str]
    ci_method: str
    source: str
    verified: bool
    published: bool = Field(description="Whether the release holds values of it.")
    card: IndicatorCard


class IndicatorDetail(IndicatorItem):
    """The full definition, with its conditions and what the presets mean by it."""

    definition_data: dict[str, Any] = Field(description="The definition as data: numerator, denominator, ...")
    preset_data: dict[str, Any] = Field(description="The presets it is published under.")
    prevalence_data: dict[str, Any] = Field(
        description="For estimated cases and rates over them: the survey figure used for each disease, and "
        "whether it is verified."
    )


class IndicatorList(BaseModel):
    """All indicators of a release."""

    release: str
    data: list[IndicatorItem]


class AreaItem(BaseModel):
    """An administrative unit; the code means nothing without the vintage."""

    code: str
    vintage: str
    level: str
    name: str
    name_en: str | None
    type: str | None
    parent_code: str | None
    lon: float | None
    lat: float | None
    area_km2: float | None


class AreaList(BaseModel):
    """Areas, by vintage, level and code."""

    release: str
    data: list[AreaItem]
    page: Page


class PeriodItem(BaseModel):
    """A period that has values."""

    period: str
    kind: Literal["month", "quarter", "half_year", "nine_months", "year"]
    first_month: str
    last_month: str
    vintage_in_force: str = Field(description="Administrative units in force at its end.")


class PeriodList(BaseModel):
    """Periods of a release."""

    release: str
    data: list[PeriodItem]


class AvailabilityItem(BaseModel):
    """A combination that has values."""

    indicator: str
    preset: str | None
    disease: str | None
    area_vintage: str
    area_level: str
    standardisation: str
    period_kind: str
    first_period: str
    last_period: str
    areas: int
    by_sex_and_age: bool


class AvailabilityList(BaseModel):
    """What can be asked for."""

    release: str
    data: list[AvailabilityItem]


class ValueItem(BaseModel):
    """One published value. A null value has a `flag` that says why: it is never 0 instead."""

    release: str
    indicator: str
    preset: str | None
    disease: str | None
    area_code: str
    area_vintage: str
    area_level: str
    area_name: str | None
    period: str
    sex: str
    age_band: str
    numerator: float | None
    denominator: float | None
    value: float | None = Field(description="Percent 0-100, rate per 100,000, or count: see `unit`.")
    lower: float | None
    upper: float | None
    ci_method: str | None
    standardisation: str
    unit: str
    flag: str


class ValueList(BaseModel):
    """A page of values."""

    release: str
    data: list[ValueItem]
    page: Page
