"""Forecasts of one monthly series, their intervals checked on the series itself."""
