"""Mail that is told apart by its words: campaigns of spam, and ham."""

import random

from mailstack.formats.digest import digest_message
from mailstack.model.instant import Instant
from mailstack.model.message import NewMessage

_WORDS = [f"{one}{two}{three}" for one in "bdfgkl" for two in "aeiou" for three in ("n", "rt", "st", "m")]


def campaign_mail(number: int, campaign: int = 1) -> bytes:
    """Number by number of one campaign: another name and another link."""
    words = " ".join(random.Random(campaign).choices(_WORDS, k=60))
    return (
        f"From: Deals <deals@shop{number}.example>\r\nTo: you@example.com\r\nSubject: An offer for you\r\n\r\n"
        f"Dear customer{number}, {words}.\r\nhttp://shop{number}.example/\r\n"
    ).encode()


def ham_mail(number: int = 0) -> bytes:
    return (
        f"From: Carol <carol@example.com>\r\nTo: you@example.com\r\nSubject: Minutes of day {number}\r\n\r\n"
        "Hello Dave, here are the minutes of our meeting on Tuesday. See you all next week at the office, Carol\r\n"
    ).encode()


def stored(raw: bytes) -> NewMessage:
    return NewMessage(raw=raw, received_at=Instant(1_000), digest=digest_message(raw))
