"""The shape of files that carry one visit per HOSO with parts XML1..XML15: shells, roots and lines, as data.

The insurance file and the health-check file are the same idea with other names; a mapping says which.
"""

from __future__ import annotations

from pydantic import Field

from ncdsurv.catalog.models import Definition


class PartMapping(Definition):
    """One part of a visit: the elements that hold it whole, and the element of one line when it is a list."""

    roots: tuple[str, ...] = Field(min_length=1)
    line: str | None = None


class DrugLines(Definition):
    """Which part lists drugs, and what of each line is kept: the dose as written, then the quantity."""

    part: str
    dose: str
    quantity: str


class ResultLines(Definition):
    """Which part lists laboratory results. A line is what holds a `value`, whatever its own name is."""

    part: str
    service: str
    indicator: str | None = None
    names: tuple[str, ...] = ()
    value: str
    unit: str


class HosoMapping(Definition):
    """Names of the shell and of the parts.

    Attributes:
        visit: Element of one visit.
        unit: Element with the sender's facility code.
        file: Element around one part, with its `file_name` and `content` (base64 or inline).
        head: The part without which a visit cannot be read.
        visit_key: Place (`XML1.MA_LK`) of the source's own number of the visit.
        parts: Part by name.
        payload: Keys under which a JSON envelope carries the file, from outside in.
    """

    visit: str = "HOSO"
    unit: str = "MACSKCB"
    file: str = "FILEHOSO"
    file_name: str = "LOAIHOSO"
    content: str = "NOIDUNGFILE"
    head: str = "XML1"
    visit_key: str = "XML1.MA_LK"
    parts: dict[str, PartMapping]
    drugs: DrugLines | None = None
    results: ResultLines | None = None
    payload: tuple[str, ...] = ()

    @property
    def key_tag(self) -> str:
        """The tag that carries the visit's number."""
        return self.visit_key.rpartition(".")[2]

    @property
    def part_of_root(self) -> dict[str, str]:
        """Part by the element that holds it whole."""
        return {root: name for name, part in self.parts.items() for root in part.roots}
