"""The parts of a report as methods, so that a notebook sees one object; each stands in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ncdsurv.catalog.vocabulary import Level

if TYPE_CHECKING:
    from ncdsurv.reports.content.blocks import Block
    from ncdsurv.reports.content.report import Report


class Parts:
    """What a notebook may call; each method returns a block that displays itself, its frame in `.data`."""

    @property
    def own(self) -> Report:
        """This report."""
        return cast("Report", self)

    def header(self) -> Block:
        """Title, what the page is of, and the warnings that belong before any number."""
        from ncdsurv.reports.content.frame import header

        return header(self.own)

    def chapter(self, disease: str) -> Block:
        """Heading of a disease and its key figures."""
        from ncdsurv.reports.content.headline import chapter

        return chapter(self.own, disease)

    def cascade(self, disease: str) -> Block:
        """Estimated, detected, managed, treated, controlled."""
        from ncdsurv.reports.content.cascade import cascade

        return cascade(self.own, disease)

    def control(self, disease: str) -> Block:
        """The control rate by every preset, each saying among whom."""
        from ncdsurv.reports.content.cascade import control

        return control(self.own, disease)

    def control_trend(self, disease: str) -> Block:
        """The control rate over the months shown, with a fitted trend."""
        from ncdsurv.reports.content.series import control_trend

        return control_trend(self.own, disease)

    def getting_better(self, disease: str, indicator: str | None = None) -> Block:
        """The trend in a sentence and a picture, the last values, and whether national targets will be met."""
        from ncdsurv.reports.content.better import getting_better

        return getting_better(self.own, disease, indicator)

    def follow_up(self, disease: str) -> Block:
        """What became of the people under care, and how many were lost."""
        from ncdsurv.reports.content.series import follow_up

        return follow_up(self.own, disease)

    def by_sex_and_age(self, disease: str) -> Block:
        """The control rate by sex and age band."""
        from ncdsurv.reports.content.strata import by_sex_and_age

        return by_sex_and_age(self.own, disease)

    def map(self, disease: str, of: str = Level.COMMUNE, indicator: str | None = None) -> Block:
        """The areas of a level on a map."""
        from ncdsurv.reports.content.places import place_map

        return place_map(self.own, disease, str(of), indicator)

    def map_course(self, disease: str, of: str = Level.PROVINCE) -> Block:
        """The areas of a level on the same map in a few months up to now."""
        from ncdsurv.reports.content.places import map_course

        return map_course(self.own, disease, str(of))

    def where(self, disease: str, of: str = Level.COMMUNE, indicator: str | None = None) -> Block:
        """The areas of a level: who stands out, a map safe from small numbers, clusters if any."""
        from ncdsurv.reports.content.where import where

        return where(self.own, disease, str(of), indicator)

    def places(self, disease: str, of: str = Level.COMMUNE) -> Block:
        """The areas of a level in a table with intervals, in order of code: no ranking."""
        from ncdsurv.reports.content.places import place_table

        return place_table(self.own, disease, str(of))

    def annex_table(self, *diseases: str, of: str = Level.COMMUNE) -> Block:
        """Published figures of every area of a level for all diseases, for looking up."""
        from ncdsurv.reports.content.annex import annex_table

        return annex_table(self.own, diseases, str(of))

    def caterpillar(self, disease: str, of: str = Level.PROVINCE) -> Block:
        """The areas of a level with their intervals beside the average."""
        from ncdsurv.reports.content.places import caterpillar

        return caterpillar(self.own, disease, str(of))

    def quality(self, brief: bool = False) -> Block:
        """How far the records can be trusted; `brief` for the measures that decide it."""
        from ncdsurv.reports.content.quality import quality

        return quality(self.own, brief)

    def quality_methods(self) -> Block:
        """The method note of every quality metric."""
        from ncdsurv.reports.content.quality import quality_methods

        return quality_methods(self.own)

    def heaping(self) -> Block:
        """Digit preference, by source system."""
        from ncdsurv.reports.content.quality_figures import heaping

        return heaping(self.own)

    def completeness(self) -> Block:
        """Readings recorded, month by month."""
        from ncdsurv.reports.content.quality_figures import completeness

        return completeness(self.own)

    def timeliness(self) -> Block:
        """Contacts received in time, month by month."""
        from ncdsurv.reports.content.quality_figures import timeliness

        return timeliness(self.own)

    def patterns(self) -> Block:
        """Readings that look copied or invented, doubles and missing identity, by source system."""
        from ncdsurv.reports.content.quality_figures import patterns

        return patterns(self.own)

    def sensitivity(self) -> Block:
        """Heaping beside the control rate with the limit and with lower ones."""
        from ncdsurv.reports.content.quality_control import sensitivity

        return sensitivity(self.own)

    def quality_by_station(self) -> Block:
        """Stations whose readings pile up below the threshold, in a funnel."""
        from ncdsurv.reports.content.quality_figures import stations

        return stations(self.own)

    def trend_of(self, indicator: str, disease: str) -> Block:
        """Any indicator over the months shown, with a fitted trend."""
        from ncdsurv.reports.content.series import trend_of

        return trend_of(self.own, indicator, disease)

    def months_of(self, indicator: str, disease: str) -> Block:
        """Any indicator month by month, with its interval."""
        from ncdsurv.reports.content.series import months_of

        return months_of(self.own, indicator, disease)

    def analysis(self, method: str, indicator: str, disease: str, **given: str) -> Block:
        """One series under one method: the finding and its picture."""
        from ncdsurv.reports.content.explorer import analysis

        return analysis(self.own, method, indicator, disease, **given)

    def analysis_table(self, method: str, indicator: str, disease: str, **given: str) -> Block:
        """The numbers of the same finding."""
        from ncdsurv.reports.content.explorer import analysis_table

        return analysis_table(self.own, method, indicator, disease, **given)

    def explain_analysis(self, method: str, indicator: str, disease: str, **given: str) -> Block:
        """How the same finding was made and how far to trust it."""
        from ncdsurv.reports.content.explorer import explain_analysis

        return explain_analysis(self.own, method, indicator, disease, **given)

    def annex(self) -> Block:
        """Heading of what is for looking up."""
        from ncdsurv.reports.content.blocks import heading

        return heading(self.own.text("places.annex"), 2, "annex")

    def methods(self) -> Block:
        """Definitions, sources, what is not verified, and how the numbers were made."""
        from ncdsurv.reports.content.frame import methods

        return methods(self.own)
