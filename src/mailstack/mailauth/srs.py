"""Reverse paths of mail that goes on from a domain of ours, and the way back: the Sender Rewriting Scheme.

A server that sends mail on may not use the sender's domain, whose SPF record does not know it. It uses a domain of its
own, and puts the sender's path into the local part, sealed, so that notices of failure find their way back and nobody
else can have mail sent on through it. No RFC has it: Shevek, The Sender Rewriting Scheme, 2004.

    SRS0=HASH=DAY=DOMAIN=LOCAL@us      of LOCAL@DOMAIN
    SRS1=HASH=HOST=REST@us             of SRS0REST@HOST: of a path that another server has rewritten
"""

import base64
import hmac
import re
import unicodedata

from mailstack.model.address import MAX_LOCAL_PART_OCTETS
from mailstack.model.errors import NotFound
from mailstack.model.instant import DAY_MS, Instant

VALID_DAYS = 21
"""Longer than any server keeps a mail that it cannot deliver. RFC 5321 §4.5.4.1: 4-5 days."""
HASH_BYTES = 5

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648 §6
_DAYS = len(_ALPHABET) ** 2
_MAX_PATH_OCTETS = 254  # RFC 5321 §4.5.3.1.3, without the brackets
# RFC 5321 §4.1.2: Dot-string = Atom *("." Atom); RFC 6531 §3.3: and what is beyond ASCII.
_DOT_STRING = re.compile(r"[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]+(?:\.[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]+)*+")
_DOMAIN = re.compile(r"[\w.-]+")
# The separator after the tag may be any of three; ours is "=".
_OTHERS_SRS0 = re.compile(r"SRS0([=+-].+)", re.IGNORECASE | re.ASCII)
_OTHERS_SRS1 = re.compile(r"SRS1[=+-][^=]+=([A-Za-z0-9._-]+)=([=+-].+)", re.IGNORECASE | re.ASCII)
_OUR_SRS0 = re.compile(r"SRS0=([A-Z2-7]{8})=([A-Z2-7]{2})=([^=@]+)=(.+)", re.IGNORECASE | re.ASCII)
_OUR_SRS1 = re.compile(r"SRS1=([A-Z2-7]{8})=([A-Za-z0-9._-]+)=([=+-].+)", re.IGNORECASE | re.ASCII)


def rewrite(reverse_path: str, domain: str, *, key: bytes, now: Instant) -> str | None:
    """For mail that goes on from this domain of ours; reverse_path: not null, and of no domain of ours.

    None where the result would be no path that every server takes: one whose local part is over 64 octets or needs
    quotes (RFC 5321 §4.5.3.1.1), or that names a machine by its address.
    """
    local_part, _, sender = reverse_path.rpartition("@")
    if (chained := _OTHERS_SRS1.fullmatch(local_part)) is not None:
        # The paper's shortcut: the way back leads to the first that rewrote the path, not through all of them.
        rewritten = _srs1(chained[1], chained[2], key)
    elif (first := _OTHERS_SRS0.fullmatch(local_part)) is not None:
        rewritten = _srs1(sender, first[1], key)
    else:
        day = _stamp(now)
        rewritten = f"SRS0={_hash(key, '0', day, sender, local_part)}={day}={sender}={local_part}"
    path = f"{rewritten}@{domain}"
    is_short = len(rewritten.encode()) <= MAX_LOCAL_PART_OCTETS and len(path.encode()) <= _MAX_PATH_OCTETS
    is_plain = _DOT_STRING.fullmatch(rewritten) is not None and _DOMAIN.fullmatch(sender) is not None
    return path if local_part and is_short and is_plain else None


def is_rewritten(local_part: str) -> bool:
    """Has it the form of what rewrite makes, true or forged."""
    return _OUR_SRS0.fullmatch(local_part) is not None or _OUR_SRS1.fullmatch(local_part) is not None


def restore(local_part: str, *, key: bytes, now: Instant) -> str:
    """The path that rewrite was given; servers on the way may have changed the case of its letters.

    Raises NotFound for what rewrite did not make, or more than VALID_DAYS ago.
    """
    if (chained := _OUR_SRS1.fullmatch(local_part)) is not None:
        found, host, rest = chained.groups()
        _require(found, _hash(key, "1", host, rest))
        # Its age is for that server to judge, which made it.
        return f"SRS0{rest}@{host}"
    rewritten = _OUR_SRS0.fullmatch(local_part)
    if rewritten is None:
        raise NotFound("no rewritten reverse path")
    found, day, sender, original = rewritten.groups()
    _require(found, _hash(key, "0", day, sender, original))
    if not _is_recent(day.upper(), now):
        raise NotFound("a rewritten reverse path that has expired")
    return f"{original}@{sender}"


def _srs1(host: str, rest: str, key: bytes) -> str:
    return f"SRS1={_hash(key, '1', host, rest)}={host}={rest}"


def _hash(key: bytes, *parts: str) -> str:
    """Of the folded form: a local part may come back in other case, and as other octets for the same letters."""
    text = "\0".join(unicodedata.normalize("NFC", part).casefold() for part in parts)
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")
    return base64.b32encode(digest[:HASH_BYTES]).decode("ascii")


def _require(found: str, wanted: str) -> None:
    if not hmac.compare_digest(found.upper(), wanted):
        raise NotFound("a forged reverse path")


def _stamp(now: Instant) -> str:
    day = now // DAY_MS % _DAYS
    return _ALPHABET[day // len(_ALPHABET)] + _ALPHABET[day % len(_ALPHABET)]


def _is_recent(day: str, now: Instant) -> bool:
    made = _ALPHABET.index(day[0]) * len(_ALPHABET) + _ALPHABET.index(day[1])
    age = (now // DAY_MS - made) % _DAYS
    return age <= VALID_DAYS or age == _DAYS - 1  # a day ahead: another node's clock, near midnight
