"""How a COMMIT is settled of which nobody knows whether it was done, because the connection was lost in it.

Each connection that writes has a row that counts its transactions, and each transaction counts itself there before it
does anything. After a loss, another connection fences that row: it waits until the lost one's transaction is over,
reads how far the count came, and sees to it that no transaction that is still on its way through the network can count
itself after that: the sum would be larger than the column.
"""

KEPT_MS = 7 * 86_400_000
LARGEST = (1 << 63) - 1

# Values: the connection, when.
MARK = """INSERT INTO connection_mark (connection_id, transactions, fence, opened_at) VALUES (?, 1, 0, ?)
    ON CONFLICT (connection_id) DO UPDATE
    SET transactions = connection_mark.transactions + connection_mark.fence + 1"""
FENCE = f"""INSERT INTO connection_mark (connection_id, transactions, fence, opened_at) VALUES (?, 0, {LARGEST}, ?)
    ON CONFLICT (connection_id) DO UPDATE SET fence = excluded.fence RETURNING transactions"""  # noqa: S608 - a number
FORGET = "DELETE FROM connection_mark WHERE opened_at < ?"
