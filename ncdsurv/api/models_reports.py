"""Typed answers of trends, maps, forms, quality and health."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from ncdsurv.api.models import Page, Text


class TrendPoint(BaseModel):
    """A month of a fitted series."""

    period: str
    observed: float | None
    fitted: float | None
    lower: float | None
    upper: float | None
    trend: float | None
    numerator: float | None
    denominator: float | None
    flag: str | None


class FamilyTest(BaseModel):
    """How the family of the counts was chosen: the auxiliary regression of Cameron and Trivedi (1990)."""

    name: Literal["cameron_trivedi"]
    p_value: float = Field(description="One-sided: does the variance grow with the square of the mean?")
    overdispersion_p_value: float = Field(description="One-sided: is there more variance than Poisson's?")
    reason: str = Field(
        description="`test_linear`: quasi-Poisson kept; `test_quadratic`: negative binomial chosen; `no_excess`: the "
        "test pointed to it, but no excess variance could be estimated; `given`: asked for."
    )


class TrendAnswer(BaseModel):
    """A fitted trend: change per year in percent with its interval, the family of counts and its test, the series."""

    release: str
    series: dict[str, Any]
    annual_change_percent: float
    lower: float
    upper: float
    interval: str
    family: Literal["quasi_poisson", "negative_binomial"]
    dispersion: float = Field(
        description="Pearson chi-square of the Poisson model over its degrees of freedom."
    )
    test: FamilyTest
    window_months: int = Field(
        description="How many months one value looks back; the interval counts the overlap."
    )
    months: int
    explanation: str
    data: list[TrendPoint]


class FormItem(BaseModel):
    """A version of a statutory form."""

    id: str
    names: Text
    instrument: Text
    valid_from: str
    valid_to: str
    vintage: str
    levels: list[str]
    periods: list[str]
    preset: str
    verified: bool
    unverified: Text | None


class FormList(BaseModel):
    """All versions of all forms."""

    data: list[FormItem]


class FormRowItem(BaseModel):
    """One printed row."""

    row_code: str
    label: str
    depth: int
    unit_code: str | None
    cells: list[dict[str, Any]] = Field(
        description="disease (block), measure, value (null when blank), state (figure, blocked, no_data)."
    )


class FormFinding(BaseModel):
    """A check of the form that its figures do not keep."""

    check: str
    text: str


class FormAnswer(BaseModel):
    """A filled form."""

    release: str
    form: str
    number: str
    title: str
    verified: bool
    level: str
    area_code: str
    area_name: str
    vintage: str
    period: str
    figures_to: str
    standing: list[str]
    notes: list[str]
    rows: list[FormRowItem]
    findings: list[FormFinding]


class QualityItem(BaseModel):
    """A quality metric of a station or an area in a month."""

    area_code: str | None
    area_vintage: str | None
    area_level: str | None
    facility: str | None = None
    source: str | None = None
    month: str | None
    metric: str
    numerator: float | None
    denominator: float | None
    value: float | None
    flag: str | None = None


class QualityList(BaseModel):
    """A page of the quality table."""

    release: str
    data: list[QualityItem]
    page: Page


class FeatureCollection(BaseModel):
    """A map as GeoJSON (RFC 7946)."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class Health(BaseModel):
    """Whether the service runs, and whether it has something to serve."""

    status: Literal["ok", "ready"]
    version: str
    release: str | None = None
