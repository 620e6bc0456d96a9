"""What the scripts of an account want done with a mail is done: first it is filed, then sent on, then told of.

Filed first, for a mailbox may be full for days, and each try would send the mail on once more.
"""

from dataclasses import dataclass

from mailstack.model.message import NewMessage, RawMessage
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Delivery, Letter
from mailstack.services.inbound.filter.decide import Judge
from mailstack.services.inbound.filter.filing import file
from mailstack.services.inbound.filter.letters import Pen
from mailstack.services.inbound.filter.redirecting import onward
from mailstack.services.inbound.filter.sender import sender_of
from mailstack.services.inbound.filter.telling import refuse, tell
from mailstack.services.inbound.filter.verdict import Verdict
from mailstack.services.inbound.filter.work import Work
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.sieve.actions import FileInto, Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Works as services.inbound.deliver.MailFilter."""

    judge: Judge
    forwarding: Forwarding
    pen: Pen

    async def verdict(self, letter: Letter, account: Account, raw: RawMessage | None = None) -> Verdict | None:
        return await self.judge.verdict(letter, account, raw)

    async def carry_out(
        self, delivery: Delivery, verdict: Verdict, letter: Letter, message: NewMessage, account: Account
    ) -> None:
        work = Work(
            delivery=delivery,
            letter=letter,
            message=message,
            account=account,
            knowledge=self.judge.knowledge,
            forwarding=self.forwarding,
            pen=self.pen,
            sender=sender_of(letter, self.pen.hostname),
        )
        sent_on = await onward(work, verdict)
        places = [action for action in verdict.actions if isinstance(action, Keep | FileInto)]
        await file(work, places or ([Keep(is_implicit=True)] if sent_on.is_kept else ()))
        if sent_on.shipments:
            await delivery.deliver(sent_on.shipments)
        if verdict.refusal is not None:
            await refuse(work, verdict.refusal)
        await tell(work, verdict)
