"""Which mails are of one campaign: near-duplicates, however the recipient's name or a few words of them differ.

Min-hashing: of the numbers of all words of a text and of their pairs, the least in each of some bins. Two texts have a
bin in common about as often as they have words in common; bands of several bins make that sharp.
"""

from collections.abc import Sequence
from zlib import crc32

_BINS_IN_BAND = 3
_BANDS = 8
_BINS = _BINS_IN_BAND * _BANDS
AGREEING_BANDS = 2
"""With so many bands in common, two texts are alike: likely where four in five of their words and pairs are the same,
one in fifty where three in ten are."""
_LEAST_NUMBERS = 15
# How far the words of a pair are apart.
_PAIRS = (1, 2)
# Numbers are CRCs, which differ by few bits where words do: mixed, so that bins are filled evenly.
_MIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def bands_of(words: Sequence[bytes]) -> tuple[int, ...]:
    """words: of spam.features.Features. 32 bits for each band; none at all of a text that is too short to tell."""
    numbers = _numbers(words)
    if len(numbers) < _LEAST_NUMBERS:
        return ()
    least: list[int | None] = [None] * _BINS
    for number in numbers:
        mixed = number * _MIX & _MASK
        place, mixed = (mixed >> 40) % _BINS, mixed & 0xFFFFFFFFFF
        known = least[place]
        if known is None or mixed < known:
            least[place] = mixed
    filled = _filled(least)
    return tuple(
        crc32(",".join(map(str, (at, *filled[at : at + _BINS_IN_BAND]))).encode())
        for at in range(0, _BINS, _BINS_IN_BAND)
    )


def _numbers(words: Sequence[bytes]) -> set[int]:
    alone = list(map(crc32, words))
    found = set(alone)
    for apart in _PAIRS:
        found.update(map(crc32, words[apart:], [number ^ apart for number in alone]))
    return found


def _filled(least: Sequence[int | None]) -> list[int]:
    """A bin that is empty takes what the next one has."""
    filled: list[int] = []
    known = next(value for value in least if value is not None)
    for value in reversed(least):
        known = known if value is None else value
        filled.append(known)
    return filled[::-1]
