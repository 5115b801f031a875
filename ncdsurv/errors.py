"""One family of errors. Each says what was wrong, what was got, what is allowed and what to do.

A message may show file names, column headers, codes and definitions; it never shows a patient's value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, EXIT_PREFLIGHT, EXIT_ALL_FAILED, EXIT_STOPPED = 0, 1, 2, 3, 4, 130


class NcdsurvError(Exception):
    """Base of all errors a user can meet; printed as one line, without a traceback.

    Args:
        what: What was wrong, in one clause.
        got: What was received (never a patient's value).
        allowed: What would have been accepted.
        do: What to do about it.

    >>> str(NcdsurvError("unknown period", got="2026-13", allowed="YYYY-MM", do="give a month"))
    'unknown period: got 2026-13; allowed: YYYY-MM; do: give a month'
    """

    exit_code = EXIT_SOME_FAILED

    def __init__(
        self, what: str, *, got: object = None, allowed: object = None, do: str | None = None
    ) -> None:
        self.what, self.got, self.allowed, self.do = what, got, allowed, do
        parts = [
            f"got {got}" if got is not None else "",
            f"allowed: {allowed}" if allowed is not None else "",
        ]
        parts.append(f"do: {do}" if do else "")
        tail = "; ".join(part for part in parts if part)
        super().__init__(f"{what}: {tail}" if tail else what)


class UsageError(NcdsurvError):
    """The caller asked for something that does not exist or does not fit (exit 2)."""

    exit_code = EXIT_USAGE


class DefinitionError(NcdsurvError):
    """A definition file is wrong; carries every problem of all files at once (exit 3)."""

    exit_code = EXIT_PREFLIGHT

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = sorted(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in definitions:\n  " + "\n  ".join(self.problems)
        )


class InputError(NcdsurvError):
    """A file received cannot be read or trusted (exit 1)."""


class StoreError(NcdsurvError):
    """The registry folder is missing, locked, full or damaged (exit 3)."""

    exit_code = EXIT_PREFLIGHT


class IdentityError(NcdsurvError):
    """Counts break an identity that must hold; nothing was published (exit 4)."""

    exit_code = EXIT_ALL_FAILED


class StatisticsError(NcdsurvError):
    """A statistic was asked for where it is not defined (exit 1)."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None.

    >>> nearest("hypertention", ["hypertension", "diabetes"])
    'hypertension'
    """
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def unknown(kind: str, word: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not known, with the nearest one."""
    names = sorted(known)
    near = nearest(word, names)
    shown = ", ".join(names[:20]) + (f", ... ({len(names)} in all)" if len(names) > 20 else "")
    return UsageError(
        f"unknown {kind}", got=word, allowed=shown or "none", do=f"try {near}" if near else None
    )
