"""Bayesian smoothing: the BYM2 model, sampled; needs the extra `bayes`."""
