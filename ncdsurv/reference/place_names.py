"""How a Vietnamese place is written: kinds of units, their short forms, and names compared wherever the tone sits."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

COMMUNE, DISTRICT, PROVINCE = "commune", "district", "province"
# Kind of unit -> the levels it can name. A city is a province, or a district of 2024.
LEVELS: dict[str, tuple[str, ...]] = {
    "xã": (COMMUNE,),
    "phường": (COMMUNE,),
    "thị trấn": (COMMUNE,),
    "đặc khu": (COMMUNE,),
    "quận": (DISTRICT,),
    "huyện": (DISTRICT,),
    "thị xã": (DISTRICT,),
    "thành phố": (PROVINCE, DISTRICT),
    "tỉnh": (PROVINCE,),
}
_SHORT = {
    "tt": "thị trấn",
    "tx": "thị xã",
    "tp": "thành phố",
    "p": "phường",
    "q": "quận",
    "h": "huyện",
    "x": "xã",
    "t": "tỉnh",
}
_WORDS = "thị trấn|thị xã|thành phố|đặc khu|phường|huyện|quận|tỉnh|xã"
_PLAIN = {"thi tran": "thị trấn", "thi xa": "thị xã", "thanh pho": "thành phố", "dac khu": "đặc khu",
          "phuong": "phường", "huyen": "huyện", "quan": "quận", "tinh": "tỉnh", "xa": "xã"}  # fmt: skip
# A short form needs its dot or a number behind it (`P.5`, `Q1`), but `TP Trà Vinh` is common enough.
_KIND = re.compile(
    rf"^(?:(?P<word>{_WORDS})\b|(?P<short>tt|tx|tp|p|q|h|x|t)\s*\.|(?P<city>tp|tt|tx)\s+|(?P<number>p|q)\s*(?=\d)|"
    rf"(?P<plain>{'|'.join(_PLAIN)})\b)\s*\.?\s*",
    re.IGNORECASE,
)
_CUT = re.compile(r"[,;/\n()]")
_DASH = re.compile(r"\s[-–]\s")  # cuts where nothing else does: it also stands inside names
_SHORT_AHEAD = r"(?:tt|tx|tp|p|q|h|x|t)\s*\.|tp\s"
_BEFORE_KIND = re.compile(rf"(?<!thị)\s+(?=(?:{_WORDS})\s|{_SHORT_AHEAD})", re.IGNORECASE)
_BEFORE_PLAIN = re.compile(rf"(?<!thi)\s+(?=(?:{'|'.join(_PLAIN)})\s|{_SHORT_AHEAD})", re.IGNORECASE)
_TONES = "\u0300\u0301\u0309\u0303\u0323"


class Part(NamedTuple):
    """One unit named in an address: its kind if written, its name."""

    kind: str | None
    name: str


@lru_cache(maxsize=65_536)
def name_of(text: str) -> str:
    """A name to compare: no case, no marks of writing, the tone at the end of its syllable.

    >>> name_of("Hoà  Thuận") == name_of("HÒA THUẬN"), name_of("05")
    (True, '5')
    """
    words = []
    for word in re.split(r"[^\w]+", unicodedata.normalize("NFC", text.casefold())):
        letters = unicodedata.normalize("NFD", word)
        tone = "".join(mark for mark in letters if mark in _TONES)
        bare = "".join(mark for mark in letters if mark not in _TONES)
        words.append(str(int(bare)) if bare.isdecimal() else unicodedata.normalize("NFC", bare) + tone)
    return " ".join(word for word in words if word)


@lru_cache(maxsize=65_536)
def plain_of(text: str) -> str:
    """A name without any mark, for addresses typed without them.

    >>> plain_of("Đồng Tháp")
    'dong thap'
    """
    letters = unicodedata.normalize("NFD", name_of(text).replace("đ", "d"))
    return "".join(mark for mark in letters if not unicodedata.combining(mark))


def has_marks(text: str) -> bool:
    """Whether a text is typed with Vietnamese letters."""
    return any(ord(letter) > 127 for letter in text)


@lru_cache(maxsize=65_536)
def split_kind(text: str) -> Part:
    """A unit's kind and name.

    >>> split_kind("TP. Trà Vinh"), split_kind("P5"), split_kind("Long Đức")
    (Part(kind='thành phố', name='Trà Vinh'), Part(kind='phường', name='5'), Part(kind=None, name='Long Đức'))
    """
    text = unicodedata.normalize("NFC", text).strip(" .")
    found = _KIND.match(text)
    if found is None or found.end() == len(text) or (found["plain"] and has_marks(text)):
        return Part(None, text)  # "Quan Hóa" is a name, "quan Ba Dinh" is a kind and a name
    word = (found["word"] or "").casefold()
    short = (found["short"] or found["city"] or found["number"] or "").casefold()
    plain = (found["plain"] or "").casefold()
    return Part(word or _SHORT.get(short) or _PLAIN[plain], text[found.end() :].strip(" ."))


def parts_of(address: str) -> list[Part]:
    """The units an address names, in the order written.

    >>> [part.name for part in parts_of("Ấp 3 xã Long Đức TP. Trà Vinh, tỉnh Trà Vinh")]
    ['Ấp 3', 'Long Đức', 'Trà Vinh', 'Trà Vinh']
    """
    address = unicodedata.normalize("NFC", address)
    cuts = _CUT.split(address) if _CUT.search(address) else _DASH.split(address)
    before = _BEFORE_KIND if has_marks(address) else _BEFORE_PLAIN
    pieces = [piece for cut in cuts for piece in before.split(cut)]
    return [part for piece in pieces if (part := split_kind(piece)).name]
