"""How a COMMIT is settled of which nobody knows whether it was done, because the connection was lost in it.

Each connection that writes has a row that counts its transactions, and each transaction counts itself there before it
does anything. After a loss, another connection fences that row: it waits until the lost one's transaction is over,
reads how far the count came, and sees to it that no transaction that is still on its way through the network can count
itself after that: the sum would be larger than the column.

Each tells its own number, so that one whose row was forgotten counts on; and all times are the database's, so that no
node's clock makes it forget another's.
"""

KEPT_MS = 7 * 86_400_000
LARGEST = (1 << 63) - 1
_NOW = "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000 AS bigint)"

# Values: the connection, the number of its transaction.
MARK = f"""INSERT INTO connection_mark (connection_id, transactions, fence, opened_at) VALUES (?, ?, 0, {_NOW})
    ON CONFLICT (connection_id) DO UPDATE
    SET transactions = excluded.transactions + connection_mark.fence"""  # noqa: S608 - words of this module
# Value: the connection.
FENCE = f"""INSERT INTO connection_mark (connection_id, transactions, fence, opened_at) VALUES (?, 0, {LARGEST}, {_NOW})
    ON CONFLICT (connection_id) DO UPDATE SET fence = excluded.fence RETURNING transactions"""  # noqa: S608 - as above
FORGET = f"DELETE FROM connection_mark WHERE opened_at < {_NOW} - {KEPT_MS}"  # noqa: S608 - as above
