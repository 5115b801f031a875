"""Writes the baselines of tests/pictures: each kind of picture, on a small palette.

python scripts/build_pictures.py    # then look at every picture that is another, and commit it
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.build_gallery import shrink  # noqa: E402
from tests.picture_support import BASELINES, DPI  # noqa: E402

WIDEST = 20 * DPI  # no picture is that wide: only the palette is made smaller


def main() -> None:
    """Draw all pictures anew and replace the baselines; those without a picture any more are removed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/pictures/test_pictures.py",
        ]
        done = subprocess.run([*command, f"--mpl-generate-path={folder}"], cwd=ROOT, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        drawn = sorted(Path(folder).glob("*.png"))
        BASELINES.mkdir(exist_ok=True)
        for old in BASELINES.glob("*.png"):
            if old.name not in {path.name for path in drawn}:
                old.unlink()
        for path in drawn:
            (BASELINES / path.name).write_bytes(shrink(path.read_bytes(), WIDEST))
    print(f"{len(drawn)} pictures in {BASELINES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
