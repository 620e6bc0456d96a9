"""What PostgreSQL is asked in other words than SQLite: its own statement, under the text of store/sql that it replaces.

It takes the same parameters and gives the same columns. Before one is added here: can both be asked in words that both
understand?
"""

from collections.abc import Mapping

from mailstack.store.sql import mailboxes, sharing

OWN: Mapping[str, str] = {
    # The larger of two is GREATEST here.
    mailboxes.NEXT_MAILBOX: """UPDATE counter SET last_mailbox_id = last_mailbox_id + 1,
        last_uid_validity = GREATEST(last_uid_validity + 1, ?) /*whole*/
        RETURNING last_mailbox_id, last_uid_validity""",
    # Where the account has a column, that of who is given something has another name.
    **{
        sql: sql.replace("account_id", "grantee_id")
        for sql in (sharing.GRANTS, sharing.ALL_GRANTS, sharing.GRANT, sharing.SET, sharing.INHERIT, sharing.NAMED)
    },
}
