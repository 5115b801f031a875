"""The funnel plot: areas against the limits that chance sets for their size."""
