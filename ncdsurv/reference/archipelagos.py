"""Hoàng Sa and Trường Sa, drawn on every national map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Archipelago:
    """An archipelago as a map shows it: dots in an inset box, with its label and province.

    Attributes:
        id: Short name.
        label_vi, label_en: Its name.
        province_vi, province_en: The province it belongs to.
        province: Code of that province by vintage.
        area: Code of the unit (2024 district, 2025 special zone) by vintage.
        box: West, south, east, north of the inset, degrees (WGS84).
        islands: (name, lon, lat) of named islands; positions are approximate.
    """

    id: str
    label_vi: str
    label_en: str
    province_vi: str
    province_en: str
    province: Mapping[str, str]
    area: Mapping[str, str]
    box: tuple[float, float, float, float]
    islands: tuple[tuple[str, float, float], ...]

    def label(self, lang: str) -> str:
        """Label with the province, in a language: "Quần đảo Hoàng Sa (Đà Nẵng)"."""
        vietnamese = lang == "vi"
        name, province = (
            (self.label_vi, self.province_vi) if vietnamese else (self.label_en, self.province_en)
        )
        return f"{name} ({province})"


def read_archipelagos(entries: Sequence[Mapping[str, Any]]) -> tuple[Archipelago, ...]:
    """Archipelagos from the entries of a pack's archipelagos.toml."""
    return tuple(
        Archipelago(
            **{key: entry[key] for key in ("id", "label_vi", "label_en", "province_vi", "province_en")},
            province=dict(entry["province"]),
            area=dict(entry["area"]),
            box=(*map(float, entry["box"]),),  # type: ignore[arg-type]
            islands=tuple((i["name"], float(i["lon"]), float(i["lat"])) for i in entry["islands"]),
        )
        for entry in entries
    )
