"""What the verbs of maps and areas are asked: each option named, typed, described and given its default here alone.

A verb takes `**asked: Unpack[...]` of the options it knows and is decorated with `takes`, which shows them by name in
its signature and in its docstring. The annotations are read at run time, so they are not postponed in this module.
"""

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, TypeVar

from ncdsurv.errors import unknown

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

_WIDTH = 116  # of a docstring


@dataclass(frozen=True)
class Option:
    """Default and description of an option."""

    default: Any
    text: str


class PeriodChoice(TypedDict, total=False):
    """Which period of the values."""

    period: Annotated[
        str | None,
        Option(None, "`2026-06`, `2026-Q2` or `2026`; may be left out when the values hold one."),
    ]


class AreaChoice(TypedDict, total=False):
    """What the codes of the values mean."""

    vintage: Annotated[
        str | None, Option(None, "Vintage of the codes; may be left out when the values hold one.")
    ]
    reference: Annotated[
        "Reference | None",
        Option(None, "Codes, names, boundaries and centroids; the built-in pack unless given."),
    ]


class LevelChoice(AreaChoice, total=False):
    """Which areas of the values."""

    level: Annotated[
        str | None, Option(None, "Level of the areas; may be left out when the values hold one.")
    ]


class PlaceChoice(LevelChoice, total=False):
    """Which areas of the values, and what part of the country to show."""

    within: Annotated[
        str | None,
        Option(
            None,
            "Code of the area to stay inside (of the same vintage). Left out, values of communes or districts of a "
            "single province give that province's map, all others the nation's.",
        ),
    ]


class Wording(TypedDict, total=False):
    """How to speak."""

    lang: Annotated[str, Option("vi", "Language of figure, table and explanation, `vi` or `en`.")]
    catalog: Annotated[
        "Catalog | None", Option(None, "Names and definitions; the built-in catalog unless given.")
    ]


class ClassChoice(TypedDict, total=False):
    """How values are put into classes of one colour each."""

    classes: Annotated[
        str,
        Option("quantile", "`quantile`, `natural` (Fisher-Jenks) or `target` (against the national target)."),
    ]
    k: Annotated[
        int,
        Option(
            5,
            "Number of classes, 2 to 7 (not for `target`); fewer where there are not two areas for each.",
        ),
    ]
    breaks: Annotated[
        Sequence[float] | None,
        Option(
            None,
            "Limits between the classes, ascending, in the values' unit (`.breaks` of another map, for instance); "
            "`classes` and `k` then say nothing. A value on a limit is in the class above it.",
        ),
    ]


class AcrossChoice(TypedDict, total=False):
    """Whether the classes are those of other periods too."""

    across: Annotated[
        bool,
        Option(
            False,
            "Work the classes out over all periods of the values that are as long as this one (months with months), "
            "so that maps of several months have the same classes; see also `ns.small_multiples`.",
        ),
    ]


class Look(TypedDict, total=False):
    """How the page looks."""

    labels: Annotated[
        bool | None, Option(None, "Write area names; None writes them when there are few enough.")
    ]
    size: Annotated[
        tuple[float, float] | None,
        Option(None, "Width and height in inches; None suits the area's shape."),
    ]


class PictureAsked(PeriodChoice, PlaceChoice, ClassChoice, AcrossChoice, Wording, total=False):
    """What decides a picture before it is drawn."""


class SymbolChoice(TypedDict, total=False):
    """Whether counts are drawn."""

    symbols: Annotated[
        str | None,
        Option(
            None,
            "Draw counts as circles whose area is proportional to them: `numerator` or `denominator` (the circles then "
            "take the colour of the value's class), or `value` where the values are counts. The areas stay pale.",
        ),
    ]


class MapAsked(PictureAsked, SymbolChoice, Look, total=False):
    """Options of a map of one indicator in one period."""


class MapsAsked(PlaceChoice, ClassChoice, Wording, total=False):
    """Options of maps of one indicator in several periods."""


class TilesAsked(PeriodChoice, AreaChoice, ClassChoice, AcrossChoice, Wording, total=False):
    """Options of a map of tiles."""


class TwoAsked(PeriodChoice, PlaceChoice, Wording, Look, total=False):
    """Options of a map of two indicators."""


class RatesAsked(ClassChoice, Look, total=False):
    """Options of a map of rates that a result already holds."""


class AreasAsked(PeriodChoice, LevelChoice, Wording, total=False):
    """Options of a comparison of areas."""


Asked = TypeVar("Asked")
Verb = TypeVar("Verb", bound=Callable[..., Any])


def options_of(kind: type) -> dict[str, Option]:
    """The options of one of the kinds above, by name.

    >>> options_of(ClassChoice)["k"].default
    5
    """
    return {name: told.__metadata__[0] for name, told in kind.__annotations__.items()}


def settle(kind: type[Asked], asked: Mapping[str, Any]) -> Asked:
    """What was asked, and the default of what was not.

    Raises:
        UsageError: An option that this kind does not have.

    >>> settle(Look, {"labels": True})
    {'labels': True, 'size': None}
    """
    known = options_of(kind)
    for name in asked:
        if name not in known:
            raise unknown("option", name, known)
    return {name: asked.get(name, option.default) for name, option in known.items()}  # type: ignore[return-value]


def part(kind: type[Asked], asked: Any) -> Asked:
    """The options of one kind among those of a wider one."""
    return {name: asked[name] for name in options_of(kind) if name in asked}  # type: ignore[return-value]


def takes(kind: type) -> Callable[[Verb], Verb]:
    """Show the options of a kind by name in a verb's signature, and describe them where its docstring says `**`."""

    def decorate(verb: Verb) -> Verb:
        own = inspect.signature(verb)
        named = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        for name, option in options_of(kind).items():
            note = kind.__annotations__[name].__origin__
            named.append(
                inspect.Parameter(
                    name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=note
                )
            )
        verb.__signature__ = own.replace(parameters=named)  # type: ignore[attr-defined]
        if verb.__doc__:
            verb.__doc__ = _described(verb.__doc__, kind)
        return verb

    return decorate


def _described(doc: str, kind: type) -> str:
    """The docstring with every option in the place of the line that begins with `**`."""
    lines = doc.split("\n")
    at = next(place for place, line in enumerate(lines) if line.lstrip().startswith("**"))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    told = [
        textwrap.fill(
            f"{name}: {option.text}", _WIDTH, initial_indent=indent, subsequent_indent=indent + " " * 4
        )
        for name, option in options_of(kind).items()
    ]
    return "\n".join([*lines[:at], *told, *lines[at + 1 :]])
