"""What happens to a mail from outside, phase by phase: the table of contents of receiving. RFC 5321 §3.1-§3.3.

One stage, one function: it takes a frozen InboundMail and returns a copy with what it found, or the Decision that ends
the way, or raises a domain error. The order here is the order in which they run.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from mailstack.model.address import Address
from mailstack.services.inbound.mail import Decision, InboundMail
from mailstack.services.inbound.stages.authenticate import authenticate
from mailstack.services.inbound.stages.binary import encode_what_leaves
from mailstack.services.inbound.stages.deliver import deliver
from mailstack.services.inbound.stages.filter import ask_filters
from mailstack.services.inbound.stages.forwards import hold_back_forwards
from mailstack.services.inbound.stages.greylist import greylist
from mailstack.services.inbound.stages.header import refuse_endless_header
from mailstack.services.inbound.stages.judge import judge
from mailstack.services.inbound.stages.listed import refuse_listed
from mailstack.services.inbound.stages.lists import refuse_for_lists
from mailstack.services.inbound.stages.loop import refuse_loop
from mailstack.services.inbound.stages.notices import forget_notices_of_success
from mailstack.services.inbound.stages.quota import refuse_full_account
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.services.inbound.stages.resolve import resolve_recipient
from mailstack.services.inbound.stages.route import route
from mailstack.services.inbound.stages.score import score

Stage: TypeAlias = Callable[[Receiving, InboundMail], Awaitable[InboundMail | Decision]]
Watch: TypeAlias = Callable[[Stage, InboundMail | Decision], None]


class Phase(Enum):
    """The moments at which a server may still say no, each cheaper than the next. HANDED_OVER stands for DATA where a
    server that we trust brings mail it has judged already (LMTP)."""

    CONNECT = "connect"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    STRANGER = "stranger"  # RCPT as well, after it, of who is not logged in
    DATA = "data"
    HANDED_OVER = "handed over"


STAGES: Mapping[Phase, tuple[Stage, ...]] = {
    Phase.CONNECT: (),
    Phase.EHLO: (),
    Phase.MAIL: (),
    Phase.RCPT: (resolve_recipient, refuse_full_account),
    Phase.STRANGER: (refuse_listed, greylist),
    Phase.DATA: (
        refuse_endless_header,
        refuse_loop,
        authenticate,
        judge,
        forget_notices_of_success,
        score,
        hold_back_forwards,
        refuse_for_lists,
        encode_what_leaves,
        route,
        ask_filters,
        deliver,
    ),
    Phase.HANDED_OVER: (
        refuse_endless_header,
        refuse_loop,
        hold_back_forwards,
        refuse_for_lists,
        encode_what_leaves,
        route,
        ask_filters,
        deliver,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundPipeline:
    """stages: STAGES, or the same with somebody who looks on."""

    receiving: Receiving
    stages: Mapping[Phase, tuple[Stage, ...]] = field(default_factory=lambda: STAGES)

    async def is_ours(self, address: Address) -> bool:
        """Is mail for its domain received here."""
        return not address.domain or await self.receiving.accounts.domain(address.domain) is not None

    def greet(self, peer_host: str) -> None:
        """CONNECT: what must be asked elsewhere is begun, and RCPT waits for it."""
        gate = self.receiving.gate
        if gate is not None and peer_host not in gate.trusted:
            gate.blocklists.begin(peer_host)

    async def run(self, phase: Phase, mail: InboundMail, *, watch: Watch | None = None) -> InboundMail | Decision:
        """In RCPT, the newest recipient is the one in question. watch: is shown what each stage came to."""
        for stage in self.stages[phase]:
            found = await stage(self.receiving, mail)
            if watch is not None:
                watch(stage, found)
            if not isinstance(found, InboundMail):
                return found
            mail = found
        return mail
