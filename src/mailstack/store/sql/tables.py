"""Placements of one mailbox as arrays, without a Python object for each: ports.messages.table on SQLite."""

from array import array

import orjson

from mailstack.model.ids import MailboxId
from mailstack.model.message import FlagSet, PlacementTable
from mailstack.model.numset import NumSet
from mailstack.store.sql.database import Connection
from mailstack.store.sql.ranges import rows_in_ranges

# One row: where SQLite gives many, the interpreter's lock is given up and taken back at each of them, and a
# thread beside a busy loop waits milliseconds for it.
COLUMNS_IN_RANGE = """SELECT json_group_array(uid), json_group_array(message_id), json_group_array(mod_seq),
        json_group_array(is_deleted || keywords)
    FROM (SELECT uid, message_id, mod_seq, is_deleted, keywords FROM placement
        WHERE /*of*/ mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid) AS listed"""


def read_table(connection: Connection, mailbox_id: MailboxId, uids: NumSet) -> PlacementTable:
    sets: list[FlagSet] = []
    table = PlacementTable(
        uids=array("I"), message_ids=array("q"), mod_seqs=array("q"), flag_numbers=array("I"), flag_sets=sets
    )
    numbers: dict[str, int] = {}
    for found, message_ids, mod_seqs, flags in rows_in_ranges(connection, COLUMNS_IN_RANGE, mailbox_id, uids):
        table.uids.extend(orjson.loads(found))
        table.message_ids.extend(orjson.loads(message_ids))
        table.mod_seqs.extend(orjson.loads(mod_seqs))
        texts = orjson.loads(flags)
        for text in sorted(set(texts).difference(numbers)):
            numbers[text] = len(sets)
            sets.append(FlagSet(keywords_text=text[1:], is_deleted=text[0] == "1"))
        table.flag_numbers.extend(map(numbers.__getitem__, texts))
    return table
