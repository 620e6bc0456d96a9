"""What an account knows of those who write to it: whom it has written to, whose mail it has had, which mail answers its
own. So much for a mail in which the address may be anybody's, and more where it is proven.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailstack.formats.digest import message_ids_in
from mailstack.formats.headers import Field, first
from mailstack.model.acquaintance import Tie
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS
from mailstack.model.principal import Account
from mailstack.model.spam import Finding
from mailstack.services.spam.correspondents import key_of
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.gathered import GatheredAcquaintances
from mailstack.services.spam.keys import SenderKeys
from mailstack.spam.correspondent import Correspondent, Standing

WRITTEN_MS = 730 * DAY_MS
HEARD_MS = 200 * DAY_MS
SENT_MS = 90 * DAY_MS
MOST_RECIPIENTS = 100
"""Whoever writes to more at once knows few of them."""
MOST_ANSWERED = 20
"""Ids of a thread that are looked up, the newest."""
UNGUESSABLE = 16
"""Characters before the @ from which on nobody makes up somebody else's message id."""
_ANYBODY = ""
"""The address that stands for all: an account that has heard from it has a history."""

_REPLY = Finding(rule="reply-to-own", points=-3.0, why="it answers a message of yours")
_FORGED_REPLY = Finding(rule="reply-to-own", points=-1.0, why="it names a message of yours, and its From is forged")
_KNOWN = Finding(rule="known-correspondent", points=-3.0, why="you have written to this sender")
_MAYBE_KNOWN = Finding(
    rule="known-correspondent", points=-1.0, why="you have written to this address, though anybody may have sent it"
)
_NEW = Finding(rule="first-time-sender", points=0.5, why="you have had no mail from this address before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquainted:
    """Works as services.spam.scoring.AccountSource."""

    gathered: GatheredAcquaintances
    keys: SenderKeys

    async def findings(self, mail: Examined, account: Account) -> Sequence[Finding]:
        """One of them at most: who answers is somebody who was written to."""
        sent_by = mail.correspondent
        author = self.keys.of_address(sent_by.author)
        anybody = self.keys.of_address(_ANYBODY)
        answered = [self.keys.of_message_id(one) for one in _answered(mail.seen.root.fields)]
        found = await self.gathered.find(account.account_id, {author, anybody, *answered})
        ties = {one.tie for one in found if one.key == author and sent_by.author}
        standing = sent_by.standing
        if any(one.tie is Tie.SENT for one in found):
            return (_FORGED_REPLY if standing is Standing.FORGED else _REPLY,)
        if Tie.WRITTEN in ties and standing is not Standing.FORGED:
            return (_KNOWN if standing is Standing.PROVEN else _MAYBE_KNOWN,)
        has_history = any(one.key == anybody for one in found)
        return (_NEW,) if has_history and not ties and sent_by.author else ()

    def heard(self, account_id: AccountId, sent_by: Correspondent) -> None:
        """Of mail that is no junk for it."""
        known = {self.keys.of_address(address) for address in (sent_by.author, _ANYBODY)}
        self.gathered.note(account_id, Tie.HEARD, known, lasts_ms=HEARD_MS)

    def wrote(self, account_id: AccountId, recipients: Collection[str], fields: Sequence[Field]) -> None:
        """recipients: paths as written. fields: of the message, as it was sent."""
        if len(recipients) <= MOST_RECIPIENTS:
            addresses = [address for address in map(key_of, recipients) if address]
            written = [self.keys.of_address(address) for address in addresses]
            self.gathered.note(account_id, Tie.WRITTEN, written, lasts_ms=WRITTEN_MS)
        ids = [one for one in message_ids_in(first(fields, b"message-id") or b"") if _is_unguessable(one)]
        self.gathered.note(account_id, Tie.SENT, [self.keys.of_message_id(one) for one in ids[:1]], lasts_ms=SENT_MS)

    def fell_out(self, account_id: AccountId, sent_by: Correspondent) -> None:
        """It calls mail of theirs junk: whatever it wrote to them before, such as to be left alone, counts no more.
        What somebody else wrote in their name is no fault of theirs."""
        if sent_by.standing is Standing.PROVEN:
            self.gathered.part(account_id, self.keys.of_address(sent_by.author))


def _answered(fields: Sequence[Field]) -> Sequence[str]:
    # RFC 5322 §3.6.4: In-Reply-To names what is answered, References that and what it answers.
    named = [one for name in (b"references", b"in-reply-to") for one in message_ids_in(first(fields, name) or b"")]
    return [one for one in dict.fromkeys(reversed(named)) if _is_unguessable(one)][:MOST_ANSWERED]


def _is_unguessable(message_id: str) -> bool:
    return len(message_id.partition("@")[0]) >= UNGUESSABLE
