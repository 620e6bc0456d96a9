"""Who has the name of somebody here and writes from elsewhere, as whoever asks for money in a director's name does. It
may be themselves, from home: no more than a hint, which a correspondent who is known outweighs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailstack.formats.words import decode_words
from mailstack.model.spam import Finding
from mailstack.ports.accounts import Accounts
from mailstack.services.spam.examined import Examined

POINTS = 1.5
WHY = "the author has the name of somebody here, and is elsewhere"
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Namesakes:
    """A Source. domains: ours."""

    accounts: Accounts
    domains: Collection[str]

    async def findings(self, mail: Examined) -> Sequence[Finding]:
        author = mail.author
        if author is None or mail.correspondent.author.rpartition("@")[2] in self.domains:
            return ()
        for name in _names(decode_words(author.name)):
            if await self.accounts.is_name_of_one(name):
                return (Finding(rule="name-of-ours", points=POINTS, why=WHY),)
        return ()


def _names(written: str) -> Sequence[str]:
    """Of a person: of two words or more. Also the other way round, as directories write them."""
    name = " ".join(written.split())
    last, comma, first = name.partition(", ")
    if " " not in name or len(name) > _MAX_NAME or not name.isprintable():
        return ()
    return (name, f"{first} {last}") if comma else (name,)
