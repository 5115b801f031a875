"""What an ingest did, to the row: kept, rejected by rule, duplicates, repaired by rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

_SHOWN = 10
NEW, KNOWN, REFUSED = "new", "already_known", "refused"


@dataclass(frozen=True)
class FileReport:
    """One file: `rows_in` = `kept` + `rejected` + `duplicates`, exactly.

    Attributes:
        status: `new`, `already_known` (the same bytes came before: nothing changed) or `refused` (not
            readable as this source; `error` says why, and the file may be sent again).
        skipped_sheets: Sheets that hold no table of the source, each with the reason; their rows are not
            in `rows_in`.
        totals: Totals that a book reports of itself; they stand in the table `reported_totals`, never in `rows_in`.
        totals_unlike: How many of them its own lines do not bear out.
    """

    name: str
    sha256: str
    status: str = NEW
    rows_in: int = 0
    kept: int = 0
    rejected: int = 0
    duplicates: int = 0
    repaired: int = 0
    error: str | None = None
    skipped_sheets: tuple[tuple[str, str], ...] = ()
    totals: int = 0
    totals_unlike: int = 0

    @property
    def balances(self) -> bool:
        """Whether every row is accounted for."""
        return self.rows_in == self.kept + self.rejected + self.duplicates


@dataclass(frozen=True)
class IngestReport:
    """One ingest: a report per file and the totals by rule.

    Attributes:
        rejected_by_rule: Rule -> rows that broke it (a row may break several).
        repaired_by_rule: Rule -> values repaired.
        commit: Number of the registry's state that holds the rows; None when nothing changed.
    """

    source: str
    files: tuple[FileReport, ...]
    rejected_by_rule: dict[str, int] = field(default_factory=dict)
    repaired_by_rule: dict[str, int] = field(default_factory=dict)
    commit: int | None = None
    seconds: float = 0.0

    def _sum(self, name: str) -> int:
        return sum(getattr(file, name) for file in self.files)

    def of(self, status: str) -> tuple[FileReport, ...]:
        """The files of one status."""
        return tuple(file for file in self.files if file.status == status)

    @property
    def rows_in(self) -> int:
        """Rows received in new files."""
        return self._sum("rows_in")

    @property
    def kept(self) -> int:
        """Rows that became records."""
        return self._sum("kept")

    @property
    def rejected(self) -> int:
        """Rows that broke a rule; each is in the table `rejects` with file, row, rule and column."""
        return self._sum("rejected")

    @property
    def duplicates(self) -> int:
        """Rows that say again what another row said."""
        return self._sum("duplicates")

    @property
    def repaired(self) -> int:
        """Values repaired; each is in the table `repairs` with its rule."""
        return self._sum("repaired")

    @property
    def refused(self) -> tuple[FileReport, ...]:
        """Files that could not be read as this source; the others were taken in."""
        return self.of(REFUSED)

    @property
    def balances(self) -> bool:
        """Whether every row of every file is accounted for."""
        return all(file.balances for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        totals = {
            name: getattr(self, name)
            for name in ("rows_in", "kept", "rejected", "duplicates", "repaired", "balances")
        }
        return {
            "source": self.source,
            "commit": self.commit,
            "seconds": round(self.seconds, 2),
            **totals,
            "rejected_by_rule": self.rejected_by_rule,
            "repaired_by_rule": self.repaired_by_rule,
            "files": [asdict(file) for file in self.files],
        }

    def __str__(self) -> str:
        lines = [
            f"{self.source}: {len(self.of(NEW))} new files, {len(self.of(KNOWN))} already known, "
            f"{len(self.refused)} refused ({self.seconds:.1f} s)",
            f"rows {self.rows_in:,} = kept {self.kept:,} + rejected {self.rejected:,} + duplicates "
            f"{self.duplicates:,}",
        ]
        for title, counts in (("rejected", self.rejected_by_rule), ("repaired", self.repaired_by_rule)):
            lines += [f"  {title} by {rule}: {n:,}" for rule, n in counts.items()]
        totals, unlike = self._sum("totals"), self._sum("totals_unlike")
        lines += [f"  totals reported by books: {totals:,}, unlike their lines: {unlike:,}"] if totals else []
        reasons = Counter(reason for file in self.files for _, reason in file.skipped_sheets)
        lines += [f"  sheets left out, {reason}: {n:,}" for reason, n in sorted(reasons.items())]
        lines += [f"  refused {file.name}: {file.error}" for file in self.refused[:_SHOWN]]
        if len(self.refused) > _SHOWN:
            lines.append(f"  refused: {len(self.refused) - _SHOWN} more")
        return "\n".join(lines)
