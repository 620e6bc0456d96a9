"""Which addresses an account may write as: its login, its further addresses, and subaddresses of them.

An alias is nobody's own: who receives its mail is one question, who may speak for it another. RFC 6409 §6.1.
"""

import re

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.comments import without_comments
from mailstack.model.address import Address, domain_key, parse_address
from mailstack.model.errors import Invalid, NotOwnAddress
from mailstack.model.principal import Account, Domain
from mailstack.ports.accounts import Accounts

POSTMASTER = "postmaster"
_QUOTED_STRING = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"", re.DOTALL)
_ADDRESS_LIKE = re.compile(rb"[^\s<>(),;:\"@]++@[^\s<>(),;:\"@]++")
_QUOTED_PAIR = re.compile(r"\\(.)")


async def require_own(accounts: Accounts, account: Account, text: str) -> Address:
    """Raises NotOwnAddress for an address that is not the account's own, Invalid for what is no address."""
    address = parse_address(text)
    if not await owns(accounts, account, address):
        raise NotOwnAddress(f"{account.login} may not send as {address.key}")
    return address


def written_addresses(value: bytes) -> list[str]:
    """All that a reader may take for an address in a header field, by the grammar or not: programs differ over fields
    such as `<a@b> <c@d>`, and the one nobody checked is the one that is shown."""
    parsed = [mailbox.local_part + b"@" + mailbox.domain for mailbox in parse_mailboxes(value)]
    bare = _ADDRESS_LIKE.findall(_QUOTED_STRING.sub(b" ", without_comments(value)))
    return list(dict.fromkeys(text.decode("utf-8", "replace") for text in (*parsed, *bare)))


async def owns(accounts: Accounts, account: Account, address: Address) -> bool:
    domain = await accounts.domain(address.domain)
    if domain is None:
        return False
    keys = account.address_keys
    return any(candidate.key in keys for candidate in _plain_forms(address, domain))


def forward_address(path: str) -> Address:
    """A path as written: quotes taken off its local part; `Postmaster` alone has no domain. Raises Invalid."""
    if path.casefold() == POSTMASTER:
        return Address(local_part=path, domain="")  # RFC 5321 §4.5.1
    local_part, at, domain = path.rpartition("@")
    if not at or not local_part:
        raise Invalid("not an address (such as alice@example.com)")
    if len(local_part) > 1 and local_part[0] == local_part[-1] == '"':
        local_part = _QUOTED_PAIR.sub(r"\1", local_part[1:-1])  # RFC 5321 §4.1.2: quoting is no part of the name
    return Address(local_part=local_part, domain=domain_key(domain))


def _plain_forms(address: Address, domain: Domain) -> list[Address]:
    """The address itself and the one without its detail, in the domain whose addresses it shares."""
    home = domain.alias_of or domain.name
    forms = [Address(local_part=address.local_part, domain=home)]
    for separator in domain.subaddress_separators:
        local_part, found, _ = address.local_part.partition(separator)
        if found and local_part:
            forms.append(Address(local_part=local_part, domain=home))
    return forms
