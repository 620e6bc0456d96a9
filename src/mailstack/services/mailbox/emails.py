"""Messages by their ids, as the one who is logged in may see and change them. RFC 8621 §4; rights: RFC 8621 §2.

In another's account a message that lies in no mailbox that may be read is not there, and it is never told of those
mailboxes. What has changed since rights came or went cannot be told.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.changes import ChangedIds, LogPoint
from mailstack.model.email import EmailsUpdated, EmailUpdate, PlacedEmail, SetPatch
from mailstack.model.errors import DomainError, Forbidden, Invalid, NotFound
from mailstack.model.ids import MailboxId, MessageId, ModSeq, ThreadId
from mailstack.model.rights import ALL_RIGHTS, READING_RIGHTS, Right, Rights, effective_rights, right_for_flag
from mailstack.services.mailbox.access import all_rights_on, check_rights
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival, message_of
from mailstack.services.mailbox.lessons import note_updated

_REMOVE = (Right.DELETE_MESSAGES, Right.EXPUNGE)
"""RFC 8621 §2, mayRemoveItems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailsDestroyed:
    destroyed: Sequence[MessageId]
    refused: Mapping[MessageId, DomainError]


async def readable(mail: AccountMail) -> frozenset[MailboxId] | None:
    """None: all that there are."""
    if mail.is_own:
        return None
    lists = await mail.sharing.all_grants(mail.account_id)
    viewer = mail.viewer.account_id
    return frozenset(
        mailbox_id for mailbox_id, grants in lists.items() if effective_rights(grants, viewer) >= READING_RIGHTS
    )


async def placed(mail: AccountMail, message_ids: Collection[MessageId]) -> Mapping[MessageId, PlacedEmail]:
    """Without those that are nowhere."""
    return await mail.emails.placed(mail.account_id, message_ids, within=await readable(mail))


async def of_threads(mail: AccountMail, thread_ids: Collection[ThreadId]) -> Mapping[ThreadId, Sequence[MessageId]]:
    """The messages of each, as they were received; without those that have none."""
    return await mail.emails.of_threads(mail.account_id, thread_ids, within=await readable(mail))


async def changed(mail: AccountMail, since: LogPoint, *, limit: int) -> ChangedIds[MessageId]:
    """Raises Conflict where that can no longer be told."""
    return await mail.emails.changed(mail.account_id, since, within=await readable(mail), limit=limit)


async def changed_threads(mail: AccountMail, since: LogPoint, *, limit: int) -> ChangedIds[ThreadId]:
    """Raises as changed."""
    return await mail.emails.changed_threads(mail.account_id, since, within=await readable(mail), limit=limit)


async def create(
    mail: AccountMail, mailbox_ids: Collection[MailboxId], arrival: Arrival, *, if_mod_seq: ModSeq | None = None
) -> PlacedEmail:
    """Raises as append.append; Conflict when there was a change since if_mod_seq."""
    rights_on = await all_rights_on(mail)
    rights: Rights = ALL_RIGHTS
    for mailbox_id in mailbox_ids:
        check_rights(rights_on(mailbox_id), Right.INSERT)
        rights &= rights_on(mailbox_id)
    message = await message_of(arrival, rights)
    return await mail.emails.create(
        mail.account_id, mailbox_ids, message, quota_bytes=mail.account.quota_bytes, if_mod_seq=if_mod_seq
    )


async def update(
    mail: AccountMail, updates: Sequence[EmailUpdate], *, if_mod_seq: ModSeq | None = None
) -> EmailsUpdated:
    """Each wholly or not at all: refused as by ports.emails, or with Forbidden. Raises Conflict, TryAgainLater."""
    if mail.is_own:
        result = await mail.emails.update(mail.account_id, updates, if_mod_seq=if_mod_seq)
    else:
        result = await _update_anothers(mail, updates, if_mod_seq)
    await note_updated(mail, result.updated)
    return result


async def destroy(
    mail: AccountMail, message_ids: Collection[MessageId], *, if_mod_seq: ModSeq | None = None
) -> EmailsDestroyed:
    """Refused: NotFound, Forbidden. Raises Conflict, TryAgainLater."""
    within = await readable(mail)
    refused: dict[MessageId, DomainError] = {}
    if within is not None:
        rights_on = await all_rights_on(mail)
        for email in (await placed(mail, message_ids)).values():
            # RFC 8621 §2, mayRemoveItems: of all the mailboxes that it lies in.
            if not all(rights_on(mailbox_id).issuperset(_REMOVE) for mailbox_id in email.all_mailbox_ids):
                refused[email.message_id] = Forbidden("may not be taken out of all of its mailboxes")
    allowed = [message_id for message_id in message_ids if message_id not in refused]
    gone = await mail.emails.destroy(mail.account_id, allowed, within=within, if_mod_seq=if_mod_seq)
    for missing in sorted(frozenset(allowed).difference(gone)):
        refused[missing] = NotFound(f"there is no message {missing}")
    return EmailsDestroyed(destroyed=gone, refused=refused)


async def _update_anothers(
    mail: AccountMail, updates: Sequence[EmailUpdate], if_mod_seq: ModSeq | None
) -> EmailsUpdated:
    within, rights_on = await readable(mail), await all_rights_on(mail)
    there = await mail.emails.placed(mail.account_id, [each.message_id for each in updates], within=within)
    allowed: list[EmailUpdate] = []
    refused: dict[MessageId, DomainError] = {}
    for each in updates:
        try:
            email = there.get(each.message_id)
            allowed.append(each if email is None else _allowed(each, email, rights_on))
        except DomainError as refusal:
            refused[each.message_id] = refusal
    result = await mail.emails.update(mail.account_id, allowed, within=within, if_mod_seq=if_mod_seq)
    return EmailsUpdated(updated=result.updated, refused={**refused, **result.refused}, mod_seq=result.mod_seq)


def _allowed(update: EmailUpdate, email: PlacedEmail, rights_on: Callable[[MailboxId], Rights]) -> EmailUpdate:
    """The same, and nothing more, should the message change meanwhile. Raises Invalid, Forbidden."""
    before, keywords = email.mailbox_ids, email.keywords
    after, keywords_after = update.mailboxes.of(before), update.keywords.of(keywords)
    for mailbox_id in after - before:
        try:
            check_rights(rights_on(mailbox_id), Right.INSERT)
        except NotFound:
            # As ports.emails has it of one that is not there.
            raise Invalid(f"there is no mailbox {mailbox_id}") from None
    if not all(rights_on(mailbox_id).issuperset(_REMOVE) for mailbox_id in before - after):
        raise Forbidden("may not be taken out of there")
    # RFC 8621 §2, maySetSeen and maySetKeywords: in all the mailboxes that it lies in.
    needed = {right_for_flag(flag) for flag in keywords ^ keywords_after}
    if not all(rights_on(mailbox_id).issuperset(needed) for mailbox_id in before):
        raise Forbidden("may not have these keywords")
    return EmailUpdate(
        message_id=update.message_id,
        keywords=SetPatch(added=keywords_after - keywords, removed=keywords - keywords_after),
        mailboxes=SetPatch(added=after - before, removed=before - after),
    )
