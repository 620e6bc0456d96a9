"""Lists over ports in memory, for worlds of tests."""

from collections.abc import Mapping, Sequence

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.instant import Clock
from mailstack.model.principal import MailingList, Posters
from mailstack.ports.accounts import Accounts
from mailstack.ports.resolver import Resolver
from mailstack.ports.unsubscribed import Unsubscribed
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.lists.copies import Copies
from mailstack.services.lists.distribution import Distribution
from mailstack.services.lists.lists import Lists
from mailstack.services.lists.members import Members
from mailstack.store.memory.unsubscribed import MemoryUnsubscribed

SECRET = b"s" * 32
SITE = "https://mail.example.com"


def make_forwarding(accounts: Accounts) -> Forwarding:
    return Forwarding(
        hostname="mail.example.com", accounts=accounts, postmaster=None, signing_keys={}, path_key=b"k" * 32
    )


def make_lists(
    forwarding: Forwarding,
    clock: Clock,
    *,
    unsubscribed: Unsubscribed | None = None,
    signing_keys: Mapping[str, Sequence[SigningKey]] | None = None,
    resolver: Resolver | None = None,
) -> Lists:
    members = Members(forwarding=forwarding, unsubscribed=unsubscribed or MemoryUnsubscribed(), clock=clock)
    copies = Copies(secret=SECRET, site=SITE, signing_keys=signing_keys or {})
    distribution = Distribution(members=members, copies=copies, resolver=resolver)
    return Lists(distribution=distribution, clock=clock)


def make_list(
    address: str = "team@example.com",
    *members: str,
    name: str = "Team",
    owners: tuple[str, ...] = (),
    post: Posters = Posters.MEMBERS,
    posters: tuple[str, ...] = (),
    subject_prefix: str = "",
    replies_to_list: bool = False,
    has_unsubscribe: bool = True,
) -> MailingList:
    return MailingList(
        address=address,
        name=name,
        description="",
        members=members,
        owners=owners,
        post=post,
        posters=posters,
        subject_prefix=subject_prefix,
        replies_to_list=replies_to_list,
        has_unsubscribe=has_unsubscribe,
    )
