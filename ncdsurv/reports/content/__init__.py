"""What the notebooks call: each method gives one block of a report, as a table, a figure or a paragraph."""

from __future__ import annotations

from ncdsurv.reports.content.report import Report, open_report

__all__ = ["Report", "open_report"]
