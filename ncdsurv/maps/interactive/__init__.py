"""A map with a slider over the periods, as one web page that needs no network."""

from ncdsurv.maps.interactive.draw import interactive_map
from ncdsurv.maps.interactive.result import InteractiveMap

__all__ = ["InteractiveMap", "interactive_map"]
