"""Mann-Kendall: whether a series rises or falls, whatever the shape of its errors."""
