"""Identities of accounts: ports.sending_identities in SQL."""

from collections.abc import Collection, Sequence

import orjson

from mailstack.model.header_value import EmailAddress
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.object_journal import ObjectKind
from mailstack.model.sending_identity import SendingIdentity
from mailstack.store.sql.database import Connection, Database, Row, Transaction, Value
from mailstack.store.sql.object_journal import STATE, note, require_number
from mailstack.store.sql.scripts import take_turn

ALL = """SELECT identity_id, email, name, reply_to, bcc, text_signature, html_signature FROM sending_identity
    WHERE account_id = ? ORDER BY identity_id"""
PUT = """INSERT INTO sending_identity
    (account_id, identity_id, email, name, reply_to, bcc, text_signature, html_signature)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (account_id, identity_id) DO UPDATE SET name = excluded.name, reply_to = excluded.reply_to,
        bcc = excluded.bcc, text_signature = excluded.text_signature, html_signature = excluded.html_signature"""
REMOVE = "DELETE FROM sending_identity WHERE account_id = ? AND identity_id = ?"
OWNERS = "SELECT DISTINCT account_id FROM sending_identity"
FORGET_IDENTITIES = "DELETE FROM sending_identity WHERE account_id = ?"


class SqlSendingIdentities:
    def __init__(self, system: Database, *, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    async def all(self, account_id: AccountId) -> tuple[int, Sequence[SendingIdentity]]:
        def reading(connection: Connection) -> tuple[list[Row], list[Row]]:
            with connection.snapshot():
                states, rows = connection.ask((STATE, (account_id, ObjectKind.IDENTITY.value)), (ALL, (account_id,)))
            return states, rows

        states, rows = await self._system.read(reading)
        return (states[0][0] if states else 0), [_identity(row) for row in rows]

    async def write(
        self,
        account_id: AccountId,
        *,
        created: Sequence[SendingIdentity] = (),
        updated: Sequence[SendingIdentity] = (),
        destroyed: Collection[str] = (),
        if_number: int,
    ) -> int:
        def work(transaction: Transaction) -> int:
            take_turn(transaction, account_id)
            require_number(transaction, account_id, ObjectKind.IDENTITY, if_number)
            transaction.run_many(PUT, [_row(account_id, each) for each in (*created, *updated)])
            transaction.run_many(REMOVE, [(account_id, each) for each in destroyed])
            return note(
                transaction,
                account_id,
                ObjectKind.IDENTITY,
                created=[each.identity_id for each in created],
                updated=[each.identity_id for each in updated],
                destroyed=destroyed,
                now=self._clock(),
            )

        return await self._system.write(work)


def _row(account_id: AccountId, identity: SendingIdentity) -> Sequence[Value]:
    addresses = [_addresses_out(identity.reply_to), _addresses_out(identity.bcc)]
    texts = (identity.text_signature, identity.html_signature)
    return (account_id, identity.identity_id, identity.email, identity.name, *addresses, *texts)


def _identity(row: Row) -> SendingIdentity:
    identity_id, email, name, reply_to, bcc, text_signature, html_signature = row
    return SendingIdentity(
        identity_id=identity_id,
        email=email,
        name=name,
        reply_to=_addresses_in(reply_to),
        bcc=_addresses_in(bcc),
        text_signature=text_signature,
        html_signature=html_signature,
    )


def _addresses_out(addresses: Sequence[EmailAddress] | None) -> str | None:
    return None if addresses is None else orjson.dumps([[*each] for each in addresses]).decode()


def _addresses_in(text: str | None) -> Sequence[EmailAddress] | None:
    return None if text is None else tuple(EmailAddress(*each) for each in orjson.loads(text))
