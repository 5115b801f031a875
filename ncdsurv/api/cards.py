"""The card of an indicator as an answer: from the definitions of its release, which may be older than the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from ncdsurv.catalog.cards import method_text, source_text, words
from ncdsurv.catalog.models import Indicator
from ncdsurv.catalog.vocabulary import Language

_PERIODS = "outcome_of_period"
_IN_WORDS = {"rationale": "rationale", "numerator": "counts", "denominator": "among"}


def card_of(definition: Mapping[str, Any], catalog: Mapping[str, Any]) -> dict[str, Any]:
    """The card in both languages.

    Args:
        definition: The indicator as the release's `catalog.json` holds it.
        catalog: That file.

    Returns:
        The fields of `models.IndicatorCard`; null where the release did not hold the text, or holds a definition
        that this version of the package does not know any more.

    >>> from ncdsurv.catalog import load_catalog
    >>> catalog = load_catalog().model_dump(mode="json")
    >>> card_of(catalog["indicators"]["overdue_rate"], catalog)["polarity"]["en"]
    'lower is better'
    """
    confidence = next(iter(catalog["publication"].values()))["confidence"]
    try:
        indicator = Indicator.model_validate(definition)
    except ValidationError:
        indicator = None
    # A release of before says nothing of longer periods: all of its presets rest on the last month.
    rests_on = {name: preset.get(_PERIODS, "") for name, preset in catalog["presets"].items()}
    return {
        "definition": definition["definition"],
        **{name: definition.get(field) for name, field in _IN_WORDS.items()},
        "polarity": _word("polarity", definition),
        "unit": _word("unit", definition),
        "method": indicator and _both(lambda lang: method_text(indicator, confidence, lang, rests_on)),
        "source": indicator and _both(lambda lang: source_text(indicator, lang)),
        "caveats": list(definition.get("caveats") or ()),
        "version": definition.get("version"),
    }


def _both(say: Callable[[str], str]) -> dict[str, str]:
    return {language.value: say(language.value) for language in Language}


def _word(field: str, definition: Mapping[str, Any]) -> dict[str, str] | None:
    name = f"{field}.{definition.get(field)}"
    return _both(lambda lang: words(lang)[name]) if name in words(Language.EN.value) else None
