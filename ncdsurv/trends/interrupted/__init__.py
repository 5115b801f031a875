"""Interrupted series: what changed at a date, against what would have been expected without it."""
