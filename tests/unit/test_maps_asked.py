"""Options of the verbs of maps and areas: written once, shown by every verb, refused where a verb has none such."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import ncdsurv as ns
from ncdsurv.areas.bayes.result import BayesResult
from ncdsurv.areas.clustering import ClusterResult
from ncdsurv.areas.scanning import ScanResult
from ncdsurv.areas.smoothing import SmoothResult
from ncdsurv.errors import UsageError
from ncdsurv.maps import asked
from tests.picture_support import REFERENCE, communes, provinces

VERBS: dict[Any, Any] = {
    ns.choropleth: asked.MapAsked,
    ns.small_multiples: asked.MapsAsked,
    ns.bivariate: asked.TwoAsked,
    ns.tile_map: asked.TilesAsked,
    ns.interactive_map: asked.MapsAsked,
    ns.write_areas: asked.PlaceChoice,
    ns.smooth: asked.AreasAsked,
    ns.clusters: asked.AreasAsked,
    ns.funnel: asked.AreasAsked,
    SmoothResult.plot: asked.RatesAsked,
    BayesResult.plot: asked.RatesAsked,
    ClusterResult.plot: asked.Look,
    ScanResult.plot: asked.Look,
}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__qualname__)
def test_every_verb_shows_and_describes_each_of_its_options_once(verb: Any):
    parameters = inspect.signature(verb).parameters
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    assert list(parameters)[-len(asked.options_of(VERBS[verb])) :] == list(asked.options_of(VERBS[verb]))
    told = inspect.getdoc(verb) or ""
    described = re.findall(r"^ {4}((?:\w+, )*\w+): ", told.split("Args:")[1].split("\n\n")[0], re.MULTILINE)
    names = [name for line in described for name in line.split(", ")]
    assert sorted(names) == sorted(name for name in parameters if name != "self")
    for name, option in asked.options_of(VERBS[verb]).items():
        assert parameters[name].default == option.default
        assert re.sub(r"\s+", " ", f"{name}: {option.text}") in re.sub(r"\s+", " ", told)


def test_an_option_is_written_in_one_place():
    kinds = [one for one in vars(asked).values() if isinstance(one, type) and hasattr(one, "__total__")]
    held: dict[str, set[int]] = {}
    for kind in kinds:
        for name, option in asked.options_of(kind).items():
            held.setdefault(name, set()).add(id(option))
    assert set(map(len, held.values())) == {1}
    assert {"period", "level", "vintage", "within", "lang", "classes", "k", "breaks", "size"} <= set(held)


CALLS: list[Any] = [
    lambda **wrong: ns.choropleth(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.tile_map(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.small_multiples(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.bivariate(provinces(), provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.interactive_map(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.write_areas(provinces(), "areas.geojson", reference=REFERENCE, **wrong),
    lambda **wrong: ns.smooth(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.clusters(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.funnel(provinces(), reference=REFERENCE, **wrong),
    lambda **wrong: ns.smooth(communes(), reference=REFERENCE).plot(**wrong),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_option_that_a_verb_does_not_have_is_refused_with_the_nearest(call: Any):
    with pytest.raises(UsageError, match="unknown option") as caught:
        call(vintagee="2025")
    assert caught.value.got == "vintagee"


def test_the_refusal_names_the_option_that_was_meant():
    with pytest.raises(UsageError) as caught:
        ns.choropleth(provinces(), reference=REFERENCE, vintagee="2025")  # type: ignore[call-arg]
    assert "try vintage" in str(caught.value)


def test_maps_of_results_take_limits_and_give_them_back():
    drawn = ns.smooth(communes(), reference=REFERENCE).plot(lang="en", breaks=[40, 50], labels=False)
    assert drawn.breaks == (40.0, 50.0)
    again = ns.smooth(communes(), reference=REFERENCE).plot(
        "raw", lang="en", breaks=drawn.breaks, labels=False
    )
    assert again.data["class"].drop_nulls().to_list() == [
        int(value >= 40) + int(value >= 50) for value in again.data["value"].drop_nulls()
    ]
    assert "limits given beforehand" in " ".join(text.get_text() for text in again.figure.texts)
