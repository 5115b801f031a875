"""The compiled walk of the scan: every circle of every drawing in one pass, nothing kept but the best of each."""

from __future__ import annotations

from math import log, sqrt

import numpy as np

from ncdsurv.compiling import compile_once


@compile_once
def _xlogy(x, y):
    return x * log(y) if x > 0 else 0.0


@compile_once
def _log_ratio(inside, population, cases, people, bernoulli):
    """As `scan_drawings.log_ratios`, of one circle."""
    expected = cases * population / people
    outside = max(cases - inside, 0.0)
    ratio = _xlogy(inside, inside / expected) + _xlogy(outside, outside / (cases - expected))
    if bernoulli:
        share = (people - cases) / people
        free, others = population - inside, (people - population) - outside
        ratio += _xlogy(free, free / (population * share))
        ratio += _xlogy(others, others / ((people - population) * share))
    return ratio


@compile_once
def best_of_batch(order, population, expected, scale, used, drawn, cases, people, bernoulli, high, low):
    """The highest log likelihood ratio of some drawings.

    Args:
        order: Areas from each centre outwards, Int32 (n, K).
        population: People in each circle, Float64 (n, K).
        expected: Cases expected in it, Float32 (n, K).
        scale: One over the standard deviation of its cases, Float32 (n, K); 0 where no circle ends.
        used: Circles to walk at each centre, Int64 (n,).
        drawn: Cases dealt to each area, Int32 (n, drawings).
        cases, people: In all.
        bernoulli: Or Poisson.
        high, low: Sides to look at.

    Returns:
        Float64 (drawings,).
    """
    drawings = drawn.shape[1]
    top = np.zeros(drawings)
    limit = np.zeros(drawings, dtype=np.float32)
    inside = np.zeros(drawings, dtype=np.int32)
    both = high and low
    sign = np.float32(1.0 if high else -1.0)
    for at in range(order.shape[0]):
        inside[:] = 0
        for place in range(used[at]):
            row = drawn[order[at, place]]
            middle, steep = expected[at, place], scale[at, place] * sign
            hits = 0
            # Whole counts are exact; only the score, which the margin below the limit forgives, is in single precision.
            for one in range(drawings):
                found = inside[one] + row[one]
                inside[one] = found
                score = (np.float32(found) - middle) * steep
                if both:
                    score = abs(score)
                hits += score > limit[one]
            if hits == 0:
                continue
            for one in range(drawings):
                score = (np.float32(inside[one]) - middle) * steep
                if both:
                    score = abs(score)
                if score > limit[one]:
                    ratio = _log_ratio(float(inside[one]), population[at, place], cases, people, bernoulli)
                    if ratio > top[one]:
                        top[one] = ratio
                        limit[one] = np.float32(sqrt(ratio) * 0.999)
    return top
