"""Email/copy: from one account to another. RFC 8621 §4.7, RFC 8620 §5.4."""

from collections.abc import Mapping
from typing import Any

from mailstack.model.email import PlacedEmail
from mailstack.model.errors import NotFound
from mailstack.model.ids import MessageId
from mailstack.model.objectid import email_id_of
from mailstack.servers.jmap import email_set
from mailstack.servers.jmap.email_making import keep, mailboxes_named, make_each
from mailstack.servers.jmap.held_state import HeldState, hold_state
from mailstack.servers.jmap.method import Call, Method, source_of
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.append import Arrival
from mailstack.services.mailbox.emails import placed
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, invalid_arguments
from mailstack.wire.jmap.mail.message_given import given_message
from mailstack.wire.jmap.session import MAIL


async def email_copy(call: Call, arguments: Arguments) -> dict[str, Any]:
    mail = await call.mail(arguments.id("accountId"))
    source = await source_of(call, arguments)
    if source.account_id == mail.account_id:
        # RFC 8620 §5.4; within an account an email lies in several mailboxes.
        raise invalid_arguments("fromAccountId is the account that is copied to")
    wanted = arguments.objects("create")
    before = await mail.changes.mod_seq(mail.account_id)
    held = hold_state(arguments, before)
    # What is copied is only read: there is nothing to hold.
    hold_state(arguments, await source.changes.mod_seq(source.account_id), name="ifFromInState")
    is_moved = arguments.boolean("onSuccessDestroyOriginal", default=False)
    destroy_in_state = arguments.optional_text("destroyFromIfInState")
    arguments.finish()
    if wanted is None:
        raise invalid_arguments("create is needed")
    if len(wanted) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    copying = _Copying(source)
    created, faults = await make_each(call, mail, wanted, copying.copy, held)
    if is_moved and copying.copied:
        originals = {"accountId": source.account_id, "destroy": copying.copied, "ifInState": destroy_in_state}
        call.implied.append((email_set.METHOD.name, originals))
    return {
        "fromAccountId": source.account_id,
        "accountId": mail.account_id,
        "oldState": str(before),
        "newState": held.new_state(await mail.changes.mod_seq(mail.account_id)),
        "created": created or None,
        "notCreated": {key: fault.as_json() for key, fault in faults.items()} or None,
    }


METHOD = Method(name="Email/copy", capability=MAIL, run=email_copy)


class _Copying:
    """copied: the ids of those of which there is a copy now."""

    def __init__(self, source: AccountMail) -> None:
        self._source = source
        self.copied: list[str] = []

    async def copy(self, call: Call, mail: AccountMail, given: Mapping[str, Any], held: HeldState) -> PlacedEmail:
        """Raises NotSet, DomainError."""
        wanted = given_message(given, of="id")
        mailbox_ids = mailboxes_named(call, mail, wanted.mailbox_ids)
        source, object_id = self._source, call.id_of(wanted.source)
        original = await self._original(object_id)
        (stored,) = await source.messages.stored(source.account_id, [original.message_id]) or (None,)
        if stored is None:
            raise NotFound("no such email")
        arrival = Arrival(
            raw=await source.messages.read(source.account_id, original.message_id),
            flags=sorted(original.keywords if wanted.keywords is None else wanted.keywords),
            received_at=stored.received_at if wanted.received_at is None else wanted.received_at,
        )
        made = await keep(mail, mailbox_ids, arrival, held)
        if object_id not in self.copied:
            self.copied.append(object_id)
        return made

    async def _original(self, object_id: str) -> PlacedEmail:
        number = email_id_of(self._source.account_id, object_id)
        found = {} if number is None else await placed(self._source, [MessageId(number)])
        for email in found.values():
            return email
        raise NotFound("no such email")
