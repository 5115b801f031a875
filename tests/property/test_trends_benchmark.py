"""The simulation studies of benchmarks/trends.py in a small size: what must hold even so, and that they can fail."""

from __future__ import annotations

import pytest

from benchmarks.trends import (
    Study,
    coverage,
    false_positives,
    independent,
    kendall_positives,
    overlapping,
    permutation_time,
    seasonal,
    trend_coverage,
)

SMALL = 80


def kept(study: Study) -> bool:
    """Whether the promise is kept within four Monte Carlo errors; finding less than the level is no breach."""
    excess = study.share - study.promised
    return (excess if study.promised < 0.5 else -excess) <= 4 * study.error


@pytest.mark.parametrize(
    ("draw", "settings"), [(independent, {}), (seasonal, {"harmonics": 1}), (overlapping, {"rho": 2 / 3})]
)
def test_the_joinpoint_test_keeps_its_level(draw, settings):
    study = false_positives("small", draw, 36, SMALL, permutations=99, **settings)
    assert kept(study), study.line()


def test_overlap_left_alone_breaks_the_level_so_the_study_can_fail():
    assert not kept(false_positives("small", overlapping, 36, SMALL, permutations=99))


def test_intervals_of_segments_average_and_joinpoint_keep_their_level():
    for study in coverage("small", independent, 36, SMALL, averaged=True):
        assert kept(study), study.line()


def test_the_rate_trend_and_mann_kendall_keep_their_level():
    studies = [
        trend_coverage("small", independent, 36, SMALL, None),
        trend_coverage("small, shared windows", overlapping, 36, SMALL, None, window=3),
        trend_coverage("small, thinned", overlapping, 60, SMALL, None, step=3),
        kendall_positives("small", independent, 36, SMALL),
        kendall_positives("small, thinned", overlapping, 36, SMALL, step=3),
    ]
    for study in studies:
        assert kept(study), study.line()
    assert not kept(kendall_positives("overlap left alone", overlapping, 36, SMALL))


def test_the_timed_run_finds_what_is_there():
    found = {one.name: one for one in permutation_time(points=60, most=3, permutations=99)}
    assert (found["no joinpoint"].found, found["three"].found) == (0, 3)
    arrays = permutation_time(points=60, most=3, permutations=99, form="arrays")
    assert [one.p_values for one in arrays] == [one.p_values for one in found.values()]
