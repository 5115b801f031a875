"""Vietnamese text typed with fonts of before Unicode (TCVN3 = ABC, VNI) that reached us as Latin letters.

Maps are those of the fonts (TCVN 5712:1993 VN3; VNI Windows). Which one applies is voted on a whole column
by the share of legal syllables; text that already is good Unicode is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ncdsurv.ingest.syllables import is_syllable, share_of_syllables

_TCVN3 = dict(
    zip(
        "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\u00adõøö÷ùúýûüþ¡¢§£¤¥¦",
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
    )
)
_VNI_MARKS = {
    "a": dict(zip("øùûõïâàáåãäêèéúüë", "àáảãạâầấẩẫậăằắẳẵặ")),
    "e": dict(zip("øùûõïâàáåãä", "èéẻẽẹêềếểễệ")),
    "o": dict(zip("øùûõïâàáåãä", "òóỏõọôồốổỗộ")),
    "u": dict(zip("øùûõï", "ùúủũụ")),
    "y": dict(zip("øùûõ", "ỳýỷỹ")),
    "ô": dict(zip("øùûõï", "ờớởỡợ")),
    "ö": dict(zip("øùûõï", "ừứửữự")),
}
_VNI_ALONE = dict(zip("ôöæóòîñ", "ơưỉĩịỵđ"))
_VNI = {base + mark: out for base, marks in _VNI_MARKS.items() for mark, out in marks.items()} | _VNI_ALONE
_VNI |= {pair.upper(): out.upper() for pair, out in _VNI.items()}
_VNI |= {
    base.upper() + mark: out.upper() for base, marks in _VNI_MARKS.items() for mark, out in marks.items()
}
_VNI_PATTERN = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))
_TCVN3_TABLE = str.maketrans(_TCVN3)

# Letters of Latin-1 that no Vietnamese word has, and letters that only Unicode text can have.
IMPOSSIBLE = "[\u00a1-\u00bf\u00c4-\u00c7\u00cb\u00ce\u00cf\u00d1\u00d6-\u00d8\u00db\u00dc\u00de-\u00df" + (
    "\u00e4-\u00e7\u00eb\u00ee\u00ef\u00f1\u00f6-\u00f8\u00fb\u00fc\u00fe\u00ff]"
)
UNICODE_ONLY = "[\u0102\u0103\u0110\u0111\u0128\u0129\u0168\u0169\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]"
_IMPOSSIBLE, _UNICODE_ONLY = re.compile(IMPOSSIBLE), re.compile(UNICODE_ONLY)
_CONVINCING = 0.7
_HIGH = re.compile("[\u00a1-\u00ff]")


def from_tcvn3(text: str) -> str:
    """Text in TCVN3 (fonts .VnTime) as Unicode; a word typed in a capitals font becomes all capitals.

    >>> from_tcvn3("NguyÔn V¨n §øc")
    'Nguyễn Văn Đức'
    """
    return _even_case(text.translate(_TCVN3_TABLE))


def from_vni(text: str) -> str:
    """Text in VNI Windows as Unicode.

    >>> from_vni("Nguyeãn Vaên Ñöùc")
    'Nguyễn Văn Đức'
    """
    return _VNI_PATTERN.sub(lambda found: _VNI[found[0]], text)


def _even_case(text: str) -> str:
    """Capitals the encoding does not have: `NGUYễN ĐứC` is all capitals, `Trần Thị ánh` ends in a name."""
    plain = re.sub(r"[^A-Za-z ]", "", text)
    if plain.isupper() and max(map(len, plain.split())) > 1:
        return text.upper()
    words = text.split(" ")
    if any(word[:1].isupper() for word in words):
        words = [
            word[0].upper() + word[1:] if word[:1].islower() and not word[0].isascii() else word
            for word in words
        ]
    return " ".join(words)


DECODERS: dict[str, Callable[[str], str]] = {"tcvn3": from_tcvn3, "vni": from_vni}


def vote(texts: Sequence[str]) -> str | None:
    """Which legacy encoding a column is in, or None.

    Args:
        texts: Distinct cells of one column.

    Returns:
        `tcvn3` or `vni` when enough cells hold letters no Vietnamese word has and the decoded words are
        legal syllables more often than the words as they stand.
    """
    suspect = [text for text in texts if _IMPOSSIBLE.search(text) and not _UNICODE_ONLY.search(text)]
    if not suspect:
        return None
    scores = {
        name: share_of_syllables([decode(text) for text in suspect]) for name, decode in DECODERS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _CONVINCING and scores[best] > share_of_syllables(suspect) else None


def repair(texts: Sequence[str]) -> dict[str, str]:
    """The cells of one column that are in a legacy encoding, with their right text.

    A column that also holds good Unicode is mixed: there a cell changes only when it holds a letter no
    Vietnamese word has and every decoded word is a legal syllable.
    """
    name = vote(texts)
    if name is None:
        return {}
    decode = DECODERS[name]
    mixed = any(_UNICODE_ONLY.search(text) for text in texts)
    found = {}
    for text in texts:
        if not _HIGH.search(text) or _UNICODE_ONLY.search(text):
            continue
        right = decode(text)
        if mixed and not (
            _IMPOSSIBLE.search(text) and all(is_syllable(word) for word in right.split() if word.isalpha())
        ):
            continue
        if right != text:
            found[text] = right
    return found


VOTING_LINES = 2000
"""So many lines tell in what a file is written."""


def best_codec(data: bytes) -> str:
    """What a file that is not UTF-8 is read with, by its first lines: `cp1258`, or `latin-1` for glyph text.

    Glyph text is left as it stands (Latin letters); the cleaning repairs and logs it.
    """
    glyphs = data.decode("latin-1").splitlines()[:VOTING_LINES]
    legacy = max(share_of_syllables([decode(line) for line in glyphs]) for decode in DECODERS.values())
    windows = data.decode("cp1258", errors="replace").splitlines()[:VOTING_LINES]
    return "cp1258" if share_of_syllables(windows) >= legacy else "latin-1"
