"""Several changes of the mailbox tree in one transaction: ports.tree_changes in SQL."""

from collections.abc import Mapping, Sequence

from mailstack.model.errors import AlreadyExists, Forbidden, Invalid, NotFound
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.instant import Clock, Instant
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.mailbox_changes import (
    UNCHANGED,
    Destroyed,
    MailboxChange,
    Misfit,
    NewMailbox,
    Obstacle,
    Shape,
    misfits,
    shape_of,
)
from mailstack.ports.bus import account_topic
from mailstack.store.sql import annotations, mailboxes
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sql.change_log import ACCESS, NO_UID, UPDATED
from mailstack.store.sql.counters import next_mod_seq
from mailstack.store.sql.database import Databases, Transaction
from mailstack.store.sql.placing import require_mod_seq
from mailstack.store.sql.sharing import INHERIT

# A name that no mailbox has, and no role, so that others can have what was its own before it has another's.
SET_ASIDE = "UPDATE mailbox SET name = ?, role = NULL WHERE /*of*/ mailbox_id = ?"
SET = """UPDATE mailbox SET parent_id = ?, name = ?, role = ?, is_subscribed = ?, mod_seq = ?
    WHERE /*of*/ mailbox_id = ?"""


class SqlTreeChanges:
    def __init__(self, databases: Databases, *, blobs: Blobs, clock: Clock) -> None:
        self._databases = databases
        self._blobs = blobs
        self._clock = clock

    async def create(
        self, account_id: AccountId, new: NewMailbox, *, viewer: AccountId, if_mod_seq: ModSeq | None = None
    ) -> Mailbox:
        now = self._clock()

        def work(transaction: Transaction) -> Mailbox:
            require_mod_seq(transaction, if_mod_seq)
            mailbox_id = mailboxes.insert_checked(
                transaction,
                now,
                parent_id=new.parent_id,
                name=new.name,
                role=new.role,
                is_subscribed=new.is_subscribed,
            )
            if new.inherit_from is not None:
                transaction.run(INHERIT, (mailbox_id, new.inherit_from))
            transaction.run(mailboxes.UNSUBSCRIBE_ABSENT, (new.path,))
            annotations.write_entries(transaction, mailbox_id, new.entries, viewer)
            transaction.announce(account_topic(account_id))
            return mailboxes.require_mailbox(transaction, mailbox_id)

        return await (await self._databases.get(account_id)).write(work)

    async def update(
        self,
        account_id: AccountId,
        changes: Mapping[MailboxId, MailboxChange],
        *,
        viewer: AccountId,
        if_mod_seq: ModSeq | None = None,
    ) -> ModSeq | None:
        now = self._clock()

        def work(transaction: Transaction) -> ModSeq | None:
            require_mod_seq(transaction, if_mod_seq)
            before = mailboxes.all_mailboxes(transaction)
            changing = _changing(before, changes)
            annotated = {
                mailbox_id
                for mailbox_id, change in changes.items()
                if annotations.write_entries(transaction, mailbox_id, change.entries, viewer)
            }
            if not changing and not annotated:
                return None
            mod_seq = next_mod_seq(transaction)
            _set(transaction, before, {one: changes[one] for one in sorted({*changing, *annotated})}, mod_seq, now)
            transaction.announce(account_topic(account_id))
            return mod_seq

        # All mailboxes are looked at.
        return await (await self._databases.get(account_id)).write(work, is_long=True)

    async def destroy(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        *,
        with_messages: bool,
        path: str = "",
        if_mod_seq: ModSeq | None = None,
    ) -> Destroyed:
        now = self._clock()
        held = self._blobs.of_account(account_id)

        def work(transaction: Transaction) -> Destroyed:
            require_mod_seq(transaction, if_mod_seq)
            mailbox = mailboxes.require_destroyable(transaction, mailbox_id)
            if transaction.row(mailboxes.HAS_CHILDREN, (mailbox_id,)):
                return Destroyed(None, Obstacle.CHILDREN)
            # RFC 8621 §4.1.1: those that have \Deleted are not there.
            if mailbox.status.messages > mailbox.status.deleted and not with_messages:
                return Destroyed(None, Obstacle.MESSAGES)
            if path:
                transaction.run(mailboxes.SUBSCRIBE_ABSENT, (path,))
            mod_seq = mailboxes.remove(transaction, mailbox_id, held, now)
            transaction.announce(account_topic(account_id))
            return Destroyed(mod_seq, None)

        return await (await self._databases.get(account_id)).write(work, is_long=True)


def _changing(before: Mapping[MailboxId, Mailbox], changes: Mapping[MailboxId, MailboxChange]) -> Sequence[MailboxId]:
    """Those that would be another than they are. Raises NotFound, Forbidden, AlreadyExists, Invalid."""
    shapes = {mailbox_id: shape_of(mailbox) for mailbox_id, mailbox in before.items()}
    wanted: dict[MailboxId, Shape] = {}
    for mailbox_id, change in changes.items():
        if mailbox_id not in shapes:
            raise NotFound(f"there is no mailbox {mailbox_id}")
        was, shape = shapes[mailbox_id], change.of(shapes[mailbox_id])
        if shape == was:
            continue
        if MailboxRole.INBOX in (was.role, shape.role):
            raise Forbidden("the inbox keeps its name, its place and its role")
        if shape.parent_id is not None and shape.parent_id not in shapes:
            raise NotFound(f"there is no mailbox {shape.parent_id}")
        wanted[mailbox_id] = shape
    for misfit in misfits(shapes, wanted).values():
        raise _fault(misfit)
    subscribed = [
        one for one, change in changes.items() if change.is_subscribed not in (UNCHANGED, before[one].is_subscribed)
    ]
    return [*wanted, *(one for one in subscribed if one not in wanted)]


def _set(
    transaction: Transaction,
    before: Mapping[MailboxId, Mailbox],
    changes: Mapping[MailboxId, MailboxChange],
    mod_seq: ModSeq,
    now: Instant,
) -> None:
    if len(changes) > 1:
        transaction.run_many(SET_ASIDE, [(f"/{mailbox_id}", mailbox_id) for mailbox_id in changes])
    for mailbox_id, change in changes.items():
        mailbox = before[mailbox_id]
        is_subscribed = mailbox.is_subscribed if change.is_subscribed is UNCHANGED else change.is_subscribed
        shape = change.of(shape_of(mailbox))
        transaction.run(SET, (*shape, is_subscribed, mod_seq, mailbox_id))
        kind = UPDATED if shape.parent_id == mailbox.parent_id else ACCESS
        transaction.run(mailboxes.LOG_ITSELF, (mod_seq, mailbox_id, NO_UID, kind, now))


def _fault(misfit: Misfit) -> Exception:
    match misfit:
        case Misfit.NAME_IS_TAKEN:
            return AlreadyExists("there is a mailbox of this name")
        case Misfit.ROLE_IS_TAKEN:
            return AlreadyExists("there is a mailbox with this role")
        case Misfit.BELOW_ITSELF:
            return Invalid("a mailbox cannot be moved below itself")
