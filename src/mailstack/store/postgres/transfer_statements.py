"""What a copy between engines asks PostgreSQL in its own words: as statements.py, of the texts of store/transfer."""

from collections.abc import Mapping

from mailstack.store.transfer.tables import ACCESS, LAST_ITEM, LAST_MAIL, SET_LAST_ITEM, SET_LAST_MAIL

_MAIL = "pg_get_serial_sequence('mail', 'mail_id')"
_ITEM = "pg_get_serial_sequence('mail_recipient', 'item_id')"

OWN: Mapping[str, str] = {
    # SQLite keeps the last number of a table in a table, PostgreSQL in a sequence.
    LAST_MAIL: f"SELECT COALESCE(pg_sequence_last_value({_MAIL}::regclass), 0)",
    LAST_ITEM: f"SELECT COALESCE(pg_sequence_last_value({_ITEM}::regclass), 0)",
    SET_LAST_MAIL: f"SELECT setval({_MAIL}, ?)",
    SET_LAST_ITEM: f"SELECT setval({_ITEM}, ?)",
    # Where the account has a column, that of who is given something has another name.
    **{sql: sql.replace("account_id", "grantee_id") for sql in (ACCESS.first_page, ACCESS.next_page, ACCESS.insert)},
}
