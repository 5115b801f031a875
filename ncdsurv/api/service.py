"""What the routes share: releases opened once, their reference data and contents, and the caller's checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from ncdsurv.api.auth import Caller, visible_areas
from ncdsurv.api.keys import KeyFile
from ncdsurv.api.problems import Fault, Problem, unknown_code, unprocessable
from ncdsurv.catalog.vocabulary import ALL_AGES, BOTH_SEXES, Period
from ncdsurv.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from ncdsurv.store import Release, ReleaseStore

LATEST = "latest"
KEPT_OPEN = 8


@dataclass(frozen=True)
class FormSource:
    """A release as `fill_form` reads it, without loading the reference data again."""

    id: str
    release: Release
    opened: Any

    @property
    def manifest(self) -> dict[str, Any]:
        """The release's manifest."""
        return self.release.manifest

    def measures(self) -> pl.LazyFrame:
        """The release's measures."""
        return self.release.measures()

    def reference(self) -> Any:
        """Reference data in use."""
        return self.opened


class OpenRelease:
    """A release with what is worked out once: contents, reference data, areas.

    Args:
        release: The release (read only).
    """

    def __init__(self, release: Release) -> None:
        self.release, self.id = release, release.id
        self._seen: dict[tuple[str, ...], pl.DataFrame] = {}

    @cached_property
    def reference(self) -> Any:
        """Reference data in use."""
        return self.release.reference()

    @cached_property
    def packs(self) -> str:
        """The reference packs in use, as one text that changes when one of them does."""
        return " ".join(f"{pack}={mark}" for pack, mark in self.reference.fingerprints.items())

    @cached_property
    def areas(self) -> pl.DataFrame:
        """Reference areas of every vintage."""
        return self.reference.areas()

    @cached_property
    def names(self) -> pl.DataFrame:
        """[area_vintage, area_code, area_name]."""
        return self.areas.select(area_vintage="vintage", area_code="code", area_name="name").unique(
            ["area_vintage", "area_code"], keep="first", maintain_order=True
        )

    @cached_property
    def codes(self) -> Mapping[str, frozenset[str]]:
        """Vintage -> area codes."""
        import polars as pl

        vintages = self.areas["vintage"].unique().to_list()
        return {
            vintage: frozenset(self.areas.filter(pl.col("vintage") == vintage)["code"])
            for vintage in vintages
        }

    @cached_property
    def contents(self) -> Mapping[str, list[str]]:
        """Key column of the values -> what it holds."""
        return {name: list(found) for name, found in self.release.contents().items()}

    @cached_property
    def catalog(self) -> Mapping[str, Any]:
        """Definitions as they were when the release was built."""
        return self.release.catalog

    @cached_property
    def quality(self) -> pl.DataFrame:
        """The quality table."""
        return self.release.quality()

    @cached_property
    def filled_from(self) -> FormSource:
        """What forms are filled from: the release's measures, with the reference data already open."""
        return FormSource(self.id, self.release, self.reference)

    @cached_property
    def availability(self) -> pl.DataFrame:
        """What is published: one row per combination, with its first and last period and number of areas."""
        import polars as pl

        kinds = {text: Period.parse(text).kind.value for text in self.contents["period"]}
        kind = pl.col("period").replace_strict(kinds, return_dtype=pl.String)
        keys = ["indicator", "preset", "disease", "area_vintage", "area_level", "standardisation"]
        return (
            pl.concat([self.release.scan_values(), self.release.scan_units()])
            .with_columns(
                period_kind=kind,
                stratified=(pl.col("sex") != BOTH_SEXES) | (pl.col("age_band") != ALL_AGES),
            )
            .group_by(*keys, "period_kind")
            .agg(
                first_period=pl.col("period").min(),
                last_period=pl.col("period").max(),
                areas=pl.col("area_code").n_unique(),
                by_sex_and_age=pl.col("stratified").any(),
            )
            .collect()
            .sort(*keys, "period_kind", nulls_last=True)
        )

    def visible(self, caller: Caller) -> pl.DataFrame | None:
        """Areas the caller may read: [area_vintage, area_code], None for all."""
        if caller.areas is None:
            return None
        if caller.areas not in self._seen:
            self._seen[caller.areas] = visible_areas(caller.areas, self.reference)
        return self._seen[caller.areas]

    def visible_facilities(self, caller: Caller) -> frozenset[str] | None:
        """Facilities that lie in an area the caller may read, None for all; one of unknown place is in none."""
        import polars as pl

        areas = self.visible(caller)
        if areas is None:
            return None
        lies = self.quality.filter(pl.col("facility").is_not_null()).select(
            "facility", "area_vintage", "area_code"
        )
        return frozenset(lies.unique().join(areas, on=["area_vintage", "area_code"], how="semi")["facility"])

    def unit_faults(self, codes: Iterable[str], parameter: str = "area") -> list[Fault]:
        """A fault for each code that is of no facility and no source system with values."""
        known = self.release.units
        return [unknown_code(parameter, code, known) for code in codes if code not in known]

    def area_faults(
        self, codes: Iterable[str], vintages: Iterable[str], parameter: str = "area"
    ) -> list[Fault]:
        """A fault for each code that is in none of the vintages."""
        known = frozenset().union(*(self.codes.get(vintage, frozenset()) for vintage in vintages))
        return [unknown_code(parameter, code, known) for code in codes if code not in known]

    def require_visible(self, caller: Caller, areas: Iterable[tuple[str, str]]) -> None:
        """Refuse areas (vintage, code) that the caller may not read.

        Raises:
            Problem: 403.
        """
        allowed = self.visible(caller)
        if allowed is None:
            return
        pairs = set(allowed.rows())
        hidden = sorted({code for vintage, code in areas if (vintage, code) not in pairs})
        if hidden:
            raise Problem(403, f"this key may not read area {', '.join(hidden)}")


@dataclass
class Service:
    """The state of one app: where releases are, whose keys count.

    Args:
        releases: The release store.
        keys: Keys file, None when nobody can be let in (or `insecure_dev`).
        insecure_dev: Answer without a key.
    """

    releases: ReleaseStore
    keys: KeyFile | None
    insecure_dev: bool = False

    def __post_init__(self) -> None:
        self._open: dict[str, OpenRelease] = {}
        self._lock = Lock()

    def latest_id(self) -> str:
        """Id of the latest release.

        Raises:
            StoreError: There is none.
        """
        return self.releases.latest().id

    def open(self, release_id: str | None) -> OpenRelease:
        """A release by id; None and `latest` are the latest. Kept open, as releases never change.

        Raises:
            UsageError: There is no such release.
            StoreError: There is no release at all.
        """
        wanted = self.latest_id() if release_id in (None, LATEST) else str(release_id)
        with self._lock:
            if wanted not in self._open:
                opened = OpenRelease(self.releases.open(wanted))
                self._open[wanted] = opened
                while len(self._open) > KEPT_OPEN:
                    self._open.pop(next(iter(self._open)))
            return self._open[wanted]

    def open_for(self, release_id: str | None) -> OpenRelease:
        """As `open`, with the fault put on the query parameter `release`."""
        try:
            return self.open(release_id)
        except UsageError as error:
            fault = unknown_code("release", str(release_id), self.releases.ids())
            raise unprocessable([fault]) from error
