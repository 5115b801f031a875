"""Joinpoint regression: how often, when and by how much a trend changed."""
