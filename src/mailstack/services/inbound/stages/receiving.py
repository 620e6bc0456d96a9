"""What stages work with: the ports and facts of one generation."""

from dataclasses import dataclass

from mailstack.ports.accounts import Accounts
from mailstack.ports.messages import Intake
from mailstack.services.inbound.deliver import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """hostname: ours, for Received fields. postmaster: an admin's address key, for the postmasters nobody declared."""

    hostname: str
    postmaster: str | None
    accounts: Accounts
    messages: Intake
    delivery: Delivery
