"""Names of domains that are made to be taken for others: one letter off, a digit for a letter, letters of another
script. UTS 39 in small: only what looks like the letters of host names.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

# Cyrillic, Greek, Armenian and Latin letters that are drawn as these are, or nearly.
_SHAPES = {
    "a": "а\u0251α",
    "b": "Ьь\u0184",
    "c": "сϲ",
    "d": "ԁ",
    "e": "еє\u212e",
    "g": "ց\u0261",
    "h": "һհ",
    "i": "іıι\u0456\u0269",
    "j": "јϳ",
    "k": "кκ",
    "l": "ӏ\u0196\u01c0",
    "m": "м",
    "n": "ոп",
    "o": "оοօσ",
    "p": "рρ",
    "q": "ԛգ",
    "r": "г",
    "s": "ѕ",
    "t": "тτ",
    "u": "υսц",
    "v": "ѵν",
    "w": "ԝшω",
    "x": "хχ",
    "y": "уγү",
    "z": "\u1d22",
}
# Behind what they look like: an i, a one and a bar like an l; marks of spacing go.
_ALIKE = {"0": "o", "1": "l", "i": "l", "3": "e", "5": "s", "-": ""}
LATIN_LOOKS = str.maketrans({look: letter for letter, looks in _SHAPES.items() for look in looks} | {"-": ""})
"""To the Latin letters that others look like; a hyphen goes."""
_TABLE = str.maketrans(
    {look: _ALIKE.get(letter, letter) for letter, looks in _SHAPES.items() for look in looks} | _ALIKE
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "ne", "net", "nom", "or", "org"})
_SHORTEST = 4
# Of shorter names, many are one letter apart.
_SHORTEST_TYPO = 6
_LONGEST = 40
_MAX_LABEL = 63
_REMEMBERED = 1_000
_NUMBER = re.compile(r"\d+(?:\.\d+){0,3}|\[.*\]?|.*:.*")


def site_of(host: str) -> str:
    """What somebody registered, nearly always: the last two labels, or three where the second level is for all. An
    address is its own."""
    if _NUMBER.fullmatch(host):
        return host
    labels = host.rsplit(".", 3)
    is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if is_shared else -2 :])


def shown_host(host: str) -> str:
    """host with its U-labels, as programs show it; what is none stays as it is."""
    if "xn--" not in host:
        return host
    return ".".join(map(_u_label, host.split(".")))


def has_two_scripts(host: str) -> bool:
    """Whether one of its labels has letters of Latin and of Cyrillic or Greek: no registry of note allows that."""
    for label in shown_host(host).split("."):
        if not label.isascii() and {"LATIN"} < _scripts(label) & {"LATIN", "CYRILLIC", "GREEK"}:
            return True
    return False


def poses_as_latin(host: str) -> bool:
    """Whether it is of letters of another script that all look Latin, under a top level in Latin."""
    labels = shown_host(host).split(".")
    if not labels[-1].isascii():
        return False
    return any(
        not label.isascii() and label.translate(LATIN_LOOKS).isascii() and "LATIN" not in _scripts(label)
        for label in labels[:-1]
    )


class Lookalikes:
    """Of some domains, what may be taken for them."""

    def __init__(self, domains: Collection[str]) -> None:
        """domains: A-labels."""
        self._sites = frozenset(map(site_of, domains))
        self._drawn: dict[str, str] = {}
        self._shortened: dict[str, set[str]] = {}
        for site in sorted(self._sites):
            name = _name(site)
            self._drawn.setdefault(_drawn(name), site)
            for short in (name, *_shortened(name)):
                self._shortened.setdefault(short, set()).add(site)

        # Most mail is of few sites, and leads to few.
        self.drawn_as = lru_cache(maxsize=_REMEMBERED)(self._drawn_as)
        self.one_off = lru_cache(maxsize=_REMEMBERED)(self._one_off)

    def _drawn_as(self, host: str) -> str:
        """The domain that looks the same as a host that is not of it; "" for none."""
        name = self._strange_name(host)
        meant = self._drawn.get(_drawn(name), "") if len(name) >= _SHORTEST else ""
        return meant if _name(meant) != name else ""

    def _one_off(self, host: str) -> str:
        """The domain that a host is not of, and whose name is one letter off; "" for none."""
        name = self._strange_name(host)
        if len(name) >= _SHORTEST_TYPO:
            for short in (name, *_shortened(name)):
                for near in self._shortened.get(short, ()):
                    if _is_one_off(name, _name(near)):
                        return near
        return ""

    def _strange_name(self, host: str) -> str:
        """ "" of what is of one of them, or too long to be taken for it."""
        site = site_of(host)
        if not self._sites or site in self._sites:
            return ""
        name = _name(shown_host(site))
        return name if len(name) <= _LONGEST else ""


def _u_label(label: str) -> str:
    # RFC 1035 §2.3.4. To decode more takes time by the square of it.
    if not label.startswith("xn--") or len(label) > _MAX_LABEL:
        return label
    try:
        # RFC 3492: what is behind the prefix; whether IDNA allows the name does not matter for how it looks.
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in label if letter.isalpha()}


def _name(site: str) -> str:
    return site.partition(".")[0]


def _drawn(name: str) -> str:
    """The same for names that look alike."""
    if not name.isascii():
        bare = unicodedata.normalize("NFKD", name.casefold())
        name = "".join(letter for letter in bare if not unicodedata.combining(letter))
    drawn = name.translate(_TABLE)
    for pair, letter in _PAIRS:
        drawn = drawn.replace(pair, letter)
    return drawn


def _shortened(name: str) -> Iterator[str]:
    """Without one letter: two names that are one letter apart have one of these in common."""
    return (name[:at] + name[at + 1 :] for at in range(len(name)))


def _is_one_off(one: str, other: str) -> bool:
    """One letter more, less or other, or two neighbours that changed places."""
    if one == other or min(len(one), len(other)) < _SHORTEST_TYPO - 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )
