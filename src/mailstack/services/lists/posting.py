"""Whether a mail may be posted to a list: by whom it is, as far as that was proved, not by what it says of itself.

RFC 3834 §2 (what is automatic), RFC 2919 §7 (loops); RFC 9989, RFC 7208, RFC 6376 (who sent it).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.formats.authres import MethodResult
from mailstack.formats.headers import Field
from mailstack.formats.list_fields import authors, has_list_id, is_automatic
from mailstack.model.address import parse_address
from mailstack.model.delivery import NULL_PATH
from mailstack.model.errors import Invalid
from mailstack.model.principal import Account, MailingList, Posters
from mailstack.model.verdict import Authentication, DkimResult, DmarcResult, SpfResult
from mailstack.ports.accounts import Accounts
from mailstack.services.inbound.mail import Defer, Reason, Reject
from mailstack.services.inbound.trace import passed_by
from mailstack.services.inbound.vouched import is_vouched_for
from mailstack.services.lists.members import Members
from mailstack.services.lists.names import owners_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What is known of a mail. fields: of its header. account: whose login brought it, None for all others.
    authentication: None where whoever brought it is trusted to have checked. by_backup: what a backup of ours says it
    found, which takes mail from strangers as we do; None where none brought it."""

    fields: Sequence[Field]
    reverse_path: str
    account: Account | None = None
    authentication: Authentication | None = None
    by_backup: Sequence[MethodResult] | None = None
    is_suspicious: bool = False


async def why_not_posted(
    accounts: Accounts, members: Members, mailing_list: MailingList, posted: Posted
) -> Reject | Defer | None:
    if posted.reverse_path == NULL_PATH or is_automatic(posted.fields):
        return Reject(reason=Reason.LIST_AUTOMATIC, detail=mailing_list.address)
    if has_list_id(posted.fields, mailing_list.address) or mailing_list.address in passed_by(posted.fields):
        return Reject(reason=Reason.LOOP, detail=mailing_list.address)
    if posted.is_suspicious:  # at the wish of the author's domain, which knows nothing of whoever sent it
        return Reject(reason=Reason.LIST_UNPROVEN, detail=mailing_list.address)
    if not authors(posted.fields):
        return Reject(reason=Reason.FROM_FIELD, detail=mailing_list.address)
    is_for_anyone = mailing_list.post is Posters.ANYONE
    if is_for_anyone and not _is_in_our_name(mailing_list, posted):
        return None
    # First: else whoever writes in others' names would be told who is a member.
    unproven = why_unproven(posted, mailing_list)
    if unproven is not None or is_for_anyone:
        return unproven
    names = await names_of_authors(accounts, posted)
    is_allowed = bool(names) and await _may_all(members, mailing_list, names)
    if is_allowed:
        return None
    detail = f"{_first_author(posted)} may not post to {mailing_list.address}: post is {mailing_list.post.value}"
    return Reject(reason=Reason.LIST_POSTERS, detail=detail)


def _first_author(posted: Posted) -> str:
    author = authors(posted.fields)[0]
    return f"{author.local_part.decode(errors='replace')}@{author.domain.decode(errors='replace')}"


def why_unproven(posted: Posted, mailing_list: MailingList) -> Reject | Defer | None:
    """Whether From is true, whoever it names."""
    found = posted.authentication
    if found is None and posted.account is None and posted.by_backup is not None:
        return None if _has_passed_there(posted) else Reject(reason=Reason.LIST_UNPROVEN, detail=mailing_list.address)
    if posted.account is not None or found is None or is_vouched_for(found):
        return None
    if found.dmarc.result is DmarcResult.PASS or _is_aligned(found):
        return None
    if _may_be_proved_later(found):
        return Defer(reason=Reason.SENDER_UNKNOWN_NOW, detail=found.dmarc.reason)
    return Reject(reason=Reason.LIST_UNPROVEN, detail=mailing_list.address)


async def names_of_authors(accounts: Accounts, posted: Posted) -> list[frozenset[str]]:
    """For each author the address keys that stand for them: as written, and all of the account that has it. None where
    one is not to be read."""
    found: list[frozenset[str]] = []
    for mailbox in authors(posted.fields):
        try:
            address = parse_address(f"{mailbox.local_part.decode()}@{mailbox.domain.decode()}")
        except (Invalid, UnicodeDecodeError):
            return []
        # RFC 6409 §6.1: who is logged in writes as themselves; an address with a detail is still theirs.
        owner = posted.account
        if owner is None and await accounts.domain(address.domain) is not None:
            holder = await accounts.find(address.key)
            owner = holder if isinstance(holder, Account) else None
        names = owner.address_keys if owner is not None else ()
        found.append(frozenset((address.key, *names)))
    return found


async def _may_all(members: Members, mailing_list: MailingList, names: Sequence[frozenset[str]]) -> bool:
    """Every author: of a mail by two, the one must not speak for the other."""
    left = await members.left(mailing_list)
    post = mailing_list.post
    posters = mailing_list.posters if post is Posters.NAMED else ()
    written = {*owners_of(mailing_list), *posters}
    if post is Posters.MEMBERS:
        written.update(member for member in mailing_list.members if member not in left)
    if all(not written.isdisjoint(each) for each in names):
        return True
    # Those who stand behind aliases, which takes longer to find out.
    behind = set((await members.reached((*owners_of(mailing_list), *posters))).keys)
    if post is Posters.MEMBERS:
        behind |= (await members.of(mailing_list)).keys
    return all(not (behind | written).isdisjoint(each) for each in names)


def _is_in_our_name(mailing_list: MailingList, posted: Posted) -> bool:
    """Would the list's signature pass for the author's. RFC 9989 §4.4: in relaxed alignment it stands for all domains
    of one organization, and a stranger must not have it for what they write in our name."""
    own = mailing_list.address.rpartition("@")[2]
    names = _author_domains(posted)
    if posted.authentication is not None:
        dmarc = posted.authentication.dmarc
        names.add(dmarc.organizational_domain or dmarc.from_domain)
    return any(not name or f".{own}".endswith(f".{name}") or f".{name}".endswith(f".{own}") for name in names)


def _author_domains(posted: Posted) -> set[str]:
    return {mailbox.domain.decode("ascii", "replace").lower() for mailbox in authors(posted.fields)}


def _has_passed_there(posted: Posted) -> bool:
    domains = _author_domains(posted)
    return any(
        seen.method == "dmarc"
        and seen.result == DmarcResult.PASS.value
        and {seen.properties.get("header.from", "").lower()} == domains
        for seen in posted.by_backup or ()
    )


def _is_aligned(found: Authentication) -> bool:
    """For a From domain without a DMARC record: it, or a domain above it, has passed. A domain for which nothing at all
    is published has nobody who could say so."""
    dmarc = found.dmarc
    if dmarc.policy_domain or not dmarc.from_domain:
        return False
    passed = [verdict.domain for verdict in found.dkim if verdict.result is DkimResult.PASS]
    if found.mail_from.result is SpfResult.PASS:
        passed.append(found.mail_from.domain)
    return any(f".{dmarc.from_domain}".endswith(f".{domain}") for domain in passed)


def _may_be_proved_later(found: Authentication) -> bool:
    verdicts = (found.mail_from.result, *(verdict.result for verdict in found.dkim))
    return (
        found.dmarc.result is DmarcResult.TEMPERROR
        or found.arc.is_temporary
        or (not found.dmarc.policy_domain and any(result.value == "temperror" for result in verdicts))
    )
