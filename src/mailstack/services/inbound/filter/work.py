"""One mail for one account, and with what its scripts' wishes are carried out."""

from dataclasses import dataclass

from mailstack.model.message import NewMessage
from mailstack.model.principal import Account
from mailstack.services.inbound.deliver import Delivery, Letter
from mailstack.services.inbound.filter.knowledge import Knowledge
from mailstack.services.inbound.filter.letters import Pen
from mailstack.services.inbound.filter.sender import Sender
from mailstack.services.inbound.forwarding import Forwarding


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """message: the letter as it lies in mailboxes. sender: of the letter, as far as it was found out."""

    delivery: Delivery
    letter: Letter
    message: NewMessage
    account: Account
    knowledge: Knowledge
    forwarding: Forwarding
    pen: Pen
    sender: Sender
