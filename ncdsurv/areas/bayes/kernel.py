"""The log density of the BYM2 model and its gradient, compiled: it is asked for hundreds of thousands of times."""

from __future__ import annotations

from math import exp, log, log1p, sqrt

import numpy as np

from ncdsurv.compiling import compile_once

FIRST = 3  # level, log sigma, logit phi stand before the patterns' own numbers
_FAR = 60.0  # beyond this a rate is 0 or beyond all people: clipped so that a wild step stays a number
_NEAR = 1e-9  # what phi keeps from 0 and 1, where nothing is told apart any more


@compile_once
def mixture(x, excess):
    """sigma, phi, and the log standard deviation of every pattern."""
    sigma = exp(min(max(x[1], -_FAR), _FAR))
    phi = 1 / (1 + exp(-min(max(x[2], -_FAR), _FAR)))
    phi = min(max(phi, _NEAR), 1 - _NEAR)
    return sigma, phi, log(sigma) + 0.5 * np.log1p(phi * excess)


@compile_once
def share_density(phi, excess, levels, rate):
    """Log density of the prior of phi (up to a constant) and its derivative; see `prior`."""
    squared = slope = bend = 0.0
    for at in range(excess.size):
        if levels[at]:
            continue
        grown = phi * excess[at]
        squared += grown - log1p(grown)
        part = excess[at] / (1 + grown)
        slope += excess[at] - part
        bend += part * part
    far = sqrt(max(squared, 1e-300))
    steep = slope / (2 * far)
    return -rate * far + log(steep), -rate * steep + bend / slope - steep / far


@compile_once
def log_density(
    x,
    count,
    people,
    binomial,
    start,
    level_spread,
    sigma_rate,
    patterns,
    turned,
    excess,
    levels,
    phi_rate,
    centred,
):
    """Log density (up to a constant) and gradient at x; the names are those of `model.Model`."""
    n = count.size
    sigma, phi, log_spread = mixture(x, excess)
    level, own = x[0], x[FIRST:]
    swing = patterns @ (np.exp((1 - centred) * log_spread) * own)
    prior, prior_slope = share_density(phi, excess, levels, phi_rate)
    value = prior + log(phi) + log(1 - phi) - sigma_rate * sigma + x[1] - 0.5 * (level / level_spread) ** 2
    slope = np.empty(n)
    for at in range(n):
        eta = min(max(start + level + swing[at], -_FAR), _FAR)
        if binomial:
            value += count[at] * eta - people[at] * (max(eta, 0.0) + log1p(exp(-abs(eta))))
            slope[at] = count[at] - people[at] / (1 + exp(-eta))
        else:
            expected = people[at] * exp(eta)
            value += count[at] * eta - expected
            slope[at] = count[at] - expected
    pull = turned @ slope
    out = np.empty_like(x)
    along = turn = 0.0
    for at in range(n):
        wide = exp((1 - centred[at]) * log_spread[at])
        narrow = own[at] * exp(-2 * centred[at] * log_spread[at])
        value -= 0.5 * own[at] * narrow + centred[at] * log_spread[at]
        out[FIRST + at] = pull[at] * wide - narrow
        # by the log standard deviation of the pattern
        grow = pull[at] * wide * own[at] * (1 - centred[at]) + centred[at] * (own[at] * narrow - 1)
        along += grow
        turn += grow * 0.5 * excess[at] / (1 + phi * excess[at])
    out[0] = slope.sum() - level / level_spread**2
    out[1] = along - sigma_rate * sigma + 1
    out[2] = (turn + prior_slope) * phi * (1 - phi) + 1 - 2 * phi
    return value, out
