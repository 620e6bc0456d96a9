"""The words of a text as the full-text index keeps them, and what a substring asks of them.

Where words end is a convention that only has to be the same for texts and needles: then a substring without any
separator lies inside one word of the text, and one with separators begins at the end of a word and ends at the
beginning of another. Scripts that are written without spaces are cut into overlapping pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from mailstack.model.search import Word, WordMatch

MAX_WORD_CHARACTERS = 128
MAX_NEEDLE_WORDS = 16

# Kana, Han, Thai and its neighbours, Khmer.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Combining marks belong to their words.
WIDE_SEPARATORS = (
    "\x80-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7\u2000-\u206f\u20a0-\u20bf\u2190-\u2bff\u3000-\u3004"
    "\u3008-\u303f\ud800-\udfff\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uff0f\ufff0-\uffff\U0001f000-\U0001faff"
)
# Text is folded, so ASCII has no capitals here.
_SEPARATORS = "\x00-/:-`{-\x7f" + WIDE_SEPARATORS
_ASCII_BLANKS = {at: " " for at in range(128) if not chr(at).isalnum()}
_RUN = re.compile(f"[{UNSPACED}]+|[^{_SEPARATORS}{UNSPACED}]+")
_SPACED_RUN = re.compile(f"[^{_SEPARATORS}{UNSPACED}]+")
# Latin, Greek and Cyrillic letters with marks, which most people leave out where the keyboard has none.
_MARKED = (*range(0xC0, 0x250), *range(0x386, 0x460), *range(0x1E00, 0x2000))
_MARKS = re.compile("[\u0300-\u036f]+")
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")


def words_of(text: str) -> set[str]:
    """text: folded. Words beyond MAX_WORD_CHARACTERS are among them; the caller leaves them out."""
    if text.isascii():
        return set(text.translate(_ASCII_BLANKS).split())  # a quarter of what the expression takes
    if not _HAS_UNSPACED.search(text):
        return set(_SPACED_RUN.findall(text))
    found = set(_SPACED_RUN.findall(text))
    for run in _RUN.findall(text):
        if _HAS_UNSPACED.match(run):
            found.update(_pairs(run))
    return found


def needle_words(needle: str) -> tuple[tuple[Word, ...], bool]:
    """needle: folded. What each text that holds it has, () where nothing can be said; and whether every text that has
    these holds the needle.
    """
    # Of a long needle the beginning says enough.
    runs = list(islice(_RUN.finditer(needle), MAX_NEEDLE_WORDS))
    words: list[Word] = []
    for run in runs:
        is_first, is_last = run.start() == 0, run.end() == len(needle)
        words.extend(_asked(run[0], is_first, is_last))
    is_whole = len(runs) == 1 and len(runs[0][0]) == len(needle)
    return tuple(dict.fromkeys(words))[:MAX_NEEDLE_WORDS], is_whole and len(words) == 1


def prefix_words(text: str) -> tuple[Word, ...]:
    """What an approximate search asks for: each word of the text as the beginning of a word, in any order, whatever
    the accents on its letters."""
    found: list[Word] = []
    for run in islice(_RUN.finditer(text), MAX_NEEDLE_WORDS):
        is_unspaced = _HAS_UNSPACED.match(run[0])
        asked = _asked(run[0], is_unspaced is not None, True)
        found.extend(asked if is_unspaced else map(_however_spelt, asked))
    return tuple(dict.fromkeys(found))[:MAX_NEEDLE_WORDS]


def _asked(run: str, is_first: bool, is_last: bool) -> Iterator[Word]:
    """is_first, is_last: the needle begins or ends with this run, so that the text's may be longer there."""
    if not _HAS_UNSPACED.match(run):
        # Longer words are not in the index: a text that has one is read.
        if len(run) <= MAX_WORD_CHARACTERS:
            yield Word(match=_MATCHES[is_first, is_last], text=run)
    elif len(run) == 1:
        # Alone in its run it is a word of its own; otherwise it is in pairs, on either side of them.
        yield Word(match=WordMatch.INFIX if is_first or is_last else WordMatch.EXACT, text=run)
    else:
        for pair in _pairs(run):
            yield Word(match=WordMatch.EXACT, text=pair)


def _however_spelt(word: Word) -> Word:
    bare = _without_marks(word.text)
    accented = _accented()
    return replace(word, text=bare, spellings=tuple(letter + accented.get(letter, "") for letter in bare))


@lru_cache(maxsize=1)
def _accented() -> Mapping[str, str]:
    """The letters that are another one with a mark on it, by that one; as folding leaves them."""
    found: dict[str, str] = {}
    for letter in map(chr, _MARKED):
        bare = _without_marks(letter)
        if bare != letter == letter.casefold() and len(bare) == 1:
            found[bare] = found.get(bare, "") + letter
    return found


def _without_marks(text: str) -> str:
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text)))


def _pairs(run: str) -> Iterable[str]:
    return (run,) if len(run) == 1 else (run[at : at + 2] for at in range(len(run) - 1))


_MATCHES = {
    (True, True): WordMatch.INFIX,
    (True, False): WordMatch.SUFFIX,
    (False, True): WordMatch.PREFIX,
    (False, False): WordMatch.EXACT,
}
