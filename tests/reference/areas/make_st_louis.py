"""Reference numbers of smoothed rates from PySAL: homicides in 78 counties around St Louis, 1979-84.

Run from this folder in an environment with libpysal 4.14 and esda 2.9:  python make_st_louis.py
Data: `stl_hom.csv` and `stl.gal`, which libpysal ships. Writes st_louis.csv.
"""

from pathlib import Path

import esda
import libpysal
import numpy as np
from esda.smoothing import Empirical_Bayes, Spatial_Empirical_Bayes
from libpysal.examples import get_path

table = libpysal.io.open(get_path("stl_hom.csv"), "r")
count, population = np.array(table[:, 10]), np.array(table[:, 13])
w = libpysal.io.open(get_path("stl.gal"), "r").read()
if not w.id_order_set:
    w.id_order = range(1, len(table) + 1)
everywhere = Empirical_Bayes(count, population).r.ravel()
around = Spatial_Empirical_Bayes(count, population, w).r.ravel()
place = {name: at for at, name in enumerate(w.id_order)}
lines = [f"# libpysal {libpysal.__version__} - esda {esda.__version__} - script make_st_louis.py"]
lines.append("area,count,population,global_bayes,spatial_bayes,neighbours")
for at, name in enumerate(w.id_order):
    near = " ".join(str(place[other]) for other in w.neighbors[name])
    row = (at, int(count[at]), int(population[at]), f"{everywhere[at]:.12g}", f"{around[at]:.12g}", near)
    lines.append(",".join(map(str, row)))
Path("st_louis.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
