"""What a Vietnamese syllable can look like: one table, used to tell right text from text in a wrong encoding."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ONSETS = "ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x|"
_RHYMES_TEXT = """
a ai ao au ay ac ach am an ang anh ap at ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu
iêc iêm iên iêng iêp iêt iêu y yêm yên yêng yêt yêu
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong op ot
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt ơu
u ua uân uâng uât uây uc uê uêch uênh ui um un ung up ut uôc uôi uôm uôn uông uôt uơ uy uya uych uyên uyêt
uyn uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
"""
_RHYMES = _RHYMES_TEXT.split()
_SYLLABLE = re.compile(rf"^(?:{_ONSETS})(?:{'|'.join(sorted(_RHYMES, key=len, reverse=True))})$|^gin?h?$")
_TONES = frozenset("\u0300\u0301\u0309\u0303\u0323")
_WORD = re.compile(r"[^\s\d.,;:/()\[\]\"'*+_\\|?!<>=-]+")
_SAMPLE = 4000


@lru_cache(maxsize=65_536)
def is_syllable(word: str) -> bool:
    """Whether a word is a legal Vietnamese syllable, tone included.

    >>> is_syllable("Nguyễn"), is_syllable("NguyÔn"), is_syllable("Thóy")
    (True, False, False)
    """
    marks = unicodedata.normalize("NFD", word.lower())
    if sum(mark in _TONES for mark in marks) > 1:
        return False
    plain = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES))
    return _SYLLABLE.match(plain) is not None


def share_of_syllables(texts: list[str]) -> float:
    """Share of legal syllables among the words that hold a letter beyond ASCII (0 when there are none)."""
    words = [word for text in texts for word in _WORD.findall(text) if not word.isascii()][:_SAMPLE]
    return sum(map(is_syllable, words)) / len(words) if words else 0.0
