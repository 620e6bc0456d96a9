"""Method calls as tests make them: arguments in, the answer or the fault out."""

from typing import Any

from mailstack.model.ids import MailboxId, MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import NewMessage
from mailstack.model.rights import Grant, parse_rights
from mailstack.servers.jmap.method import Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with


async def ask(world: JmapWorld, method: Method, who: str = "u0", *, of: str | None = None, **arguments: Any) -> Any:
    """of: whose account; by default one's own."""
    call = await world.call(who)
    owner = await world.account(of or who)
    return await method.run(call, Arguments({"accountId": owner.account_id, **arguments}))


async def fault_of(world: JmapWorld, method: Method, who: str = "u0", **arguments: Any) -> str:
    try:
        await ask(world, method, who, **arguments)
    except MethodFault as fault:
        return fault.type.value
    return ""


async def put(world: JmapWorld, role: MailboxRole, *messages: NewMessage, who: str = "u0") -> list[MessageId]:
    account_id = (await world.account(who)).account_id
    mailbox_id = await mailbox_with(world.imap.store, account_id, role)
    appended = await world.imap.store.messages.append(account_id, mailbox_id, messages)
    return [each.message_id for each in appended]


async def share(
    world: JmapWorld, mailbox_id: MailboxId, letters: str, *, owner: str = "u0", viewer: str = "u1"
) -> None:
    whose, who = await world.account(owner), await world.account(viewer)
    grant = Grant(identifier=who.login, account_id=who.account_id, rights=parse_rights(letters))
    await world.imap.store.sharing.change(whose.account_id, mailbox_id, grant)
