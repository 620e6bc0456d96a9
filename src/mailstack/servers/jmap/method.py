"""What every method is called with, and what it is to the table of methods. RFC 8620 §3.2, §3.6.2."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.servers.jmap.bound import MOST_HELD_OCTETS, Bound
from mailstack.servers.jmap.service import JmapService
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.sharing import mail_shared_by
from mailstack.wire.jmap.arguments import REFERENCE, Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """login: who asks. using: the capabilities of the request. created: ids by creation id, of the whole request; who
    creates something enters it there. implied: names and arguments of calls that follow from this one; who has any
    enters them there. held: what the answers of the whole request are made of.
    """

    service: JmapService
    login: Account
    using: frozenset[str]
    created: dict[str, str]
    implied: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    held: Bound = field(default_factory=lambda: Bound(MOST_HELD_OCTETS, of="request"))

    async def mail(self, account_id: str) -> AccountMail:
        """Raises MethodFault: nobody's who shares a mailbox with who asks, whether or not there is such an account."""
        own = self.service.mail_of(self.login)
        if account_id == own.account_id:
            return own
        try:
            return await mail_shared_by(own, AccountId(account_id))
        except NotFound:
            raise MethodFault(MethodFaultType.ACCOUNT_NOT_FOUND) from None

    def id_of(self, text: str) -> str:
        """RFC 8620 §5.3: `#` and a creation id stand for what was created. One of nothing stays as it is, which is the
        id of nothing."""
        return self.created.get(text[1:], text) if text.startswith(REFERENCE) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """name: as in a request, "Email/get". capability: what a request must be `using`. run: answers with the arguments
    of the response; raises MethodFault, DomainError."""

    name: str
    capability: str
    run: Callable[[Call, Arguments], Awaitable[dict[str, Any]]]


async def source_of(call: Call, arguments: Arguments) -> AccountMail:
    """Of a /copy. RFC 8620 §5.4, §6.3. Raises MethodFault."""
    account_id = arguments.id("fromAccountId")
    try:
        return await call.mail(account_id)
    except MethodFault:
        raise MethodFault(MethodFaultType.FROM_ACCOUNT_NOT_FOUND) from None
