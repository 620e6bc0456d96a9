"""The rules that an account's file keeps, each as a question whose rows are what breaks it. `mailstack account verify`.

Nothing here mends: a rule that is broken is a bug or a damaged disk, and both want a person's eyes first.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from mailstack.model.errors import Damaged
from mailstack.model.upkeep import Flaw
from mailstack.store.sql.database import Connection

SHOWN_OF_A_RULE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """sql: rows of (where, what is wrong) that break the rule."""

    rule: str
    sql: str


INVARIANTS = (
    Invariant(
        rule="mailbox-counts",
        sql="""SELECT 'mailbox ' || m.mailbox_id,
                'says ' || m.messages || ' messages, ' || m.unseen || ' unseen, ' || m.deleted || ' deleted, '
                || m.size_bytes || ' bytes; it holds ' || COUNT(p.uid) || ', '
                || TOTAL(p.uid IS NOT NULL AND ' ' || p.keywords || ' ' NOT LIKE '% \\Seen %') || ', '
                || TOTAL(p.is_deleted) || ', ' || TOTAL(s.size_bytes)
            FROM mailbox m LEFT JOIN placement p USING (mailbox_id) LEFT JOIN message s USING (message_id)
            GROUP BY m.mailbox_id
            HAVING m.messages <> COUNT(p.uid) OR m.deleted <> TOTAL(p.is_deleted) OR m.size_bytes <> TOTAL(s.size_bytes)
                OR m.unseen <> TOTAL(p.uid IS NOT NULL AND ' ' || p.keywords || ' ' NOT LIKE '% \\Seen %')""",
    ),
    Invariant(
        rule="uid-next",
        sql="""SELECT 'mailbox ' || mailbox_id, 'has UID ' || MAX(uid) || ', and its next UID is ' || uid_next
            FROM mailbox JOIN placement USING (mailbox_id) GROUP BY mailbox_id HAVING MAX(uid) >= uid_next""",
    ),
    Invariant(
        rule="uid-validity",
        sql="""SELECT 'mailbox ' || mailbox_id, 'has UIDVALIDITY ' || uid_validity || ', the last given out is '
                || last_uid_validity
            FROM mailbox JOIN counter WHERE uid_validity > last_uid_validity OR mailbox_id > last_mailbox_id""",
    ),
    Invariant(
        rule="mailbox-tree",
        sql="""WITH RECURSIVE reached (mailbox_id) AS (
                SELECT mailbox_id FROM mailbox WHERE parent_id IS NULL
                UNION SELECT m.mailbox_id FROM mailbox m JOIN reached r ON m.parent_id = r.mailbox_id)
            SELECT 'mailbox ' || mailbox_id, 'hangs below nothing: its parent is ' || parent_id
            FROM mailbox WHERE mailbox_id NOT IN (SELECT mailbox_id FROM reached)""",
    ),
    Invariant(
        rule="placement-without-message",
        sql="""SELECT 'mailbox ' || mailbox_id || ' UID ' || uid, 'is of message ' || message_id || ', which is gone'
            FROM placement WHERE message_id NOT IN (SELECT message_id FROM message)""",
    ),
    Invariant(
        rule="placement-without-mailbox",
        sql="""SELECT 'mailbox ' || mailbox_id || ' UID ' || uid, 'lies in a mailbox that is not there'
            FROM placement WHERE mailbox_id NOT IN (SELECT mailbox_id FROM mailbox)""",
    ),
    Invariant(
        rule="message-nowhere",
        sql="""SELECT 'message ' || message_id, 'lies in no mailbox'
            FROM message WHERE message_id NOT IN (SELECT message_id FROM placement)""",
    ),
    Invariant(
        rule="message-twice",
        sql="""SELECT 'message ' || message_id, 'lies ' || COUNT(*) || ' times in mailbox ' || mailbox_id
            FROM placement GROUP BY message_id, mailbox_id HAVING COUNT(*) > 1""",
    ),
    Invariant(
        rule="head-pack",
        sql="""SELECT 'pack ' || block, 'was made of ' || messages || ' messages; there are ' || there FROM (
                SELECT block, messages, (SELECT COUNT(*) FROM message
                    WHERE message_id BETWEEN block * 64 AND block * 64 + 63) AS there FROM head_pack)
            WHERE there > messages
            UNION ALL SELECT 'pack ' || block, 'is of messages that the index has not reached'
            FROM head_pack JOIN search_state ON block * 64 + 63 > indexed_up_to""",
    ),
    Invariant(
        rule="message-without-blob",
        sql="""SELECT 'message ' || message_id, 'has no bytes: blob ' || blob_key || ' is not there'
            FROM message WHERE blob_key NOT IN (SELECT blob_key FROM blob)""",
    ),
    Invariant(
        rule="blob-without-message",
        sql="""SELECT 'blob ' || blob_key, 'belongs to no message'
            FROM blob WHERE blob_key NOT IN (SELECT blob_key FROM message)""",
    ),
    Invariant(
        rule="blob-bytes",
        sql="""SELECT 'blob ' || blob_key, 'has a hash of ' || length(blob_id) || ' bytes, '
                || IIF(content IS NULL, 'no content, ', 'content, ') || IIF(file IS NULL, 'no file', 'a file')
            FROM blob WHERE length(blob_id) <> 32 OR (content IS NULL) = (file IS NULL)""",
    ),
    Invariant(
        rule="keywords-differ",
        sql="""SELECT 'message ' || message_id, 'has other keywords in one mailbox than in another'
            FROM placement GROUP BY message_id HAVING COUNT(DISTINCT keywords) > 1""",
    ),
    Invariant(
        rule="keyword-not-listed",
        sql="""SELECT 'mailbox ' || used.mailbox_id, 'does not list the keyword ' || used.keyword
            FROM (SELECT DISTINCT p.mailbox_id, words.value AS keyword FROM placement p,
                json_each('[' || replace(json_quote(p.keywords), ' ', '","') || ']') AS words
                WHERE words.value <> '' AND words.value NOT LIKE '\\%') AS used
            LEFT JOIN mailbox_keyword AS listed USING (mailbox_id, keyword) WHERE listed.mailbox_id IS NULL""",
    ),
    Invariant(
        rule="access",
        sql="""SELECT 'mailbox ' || mailbox_id, 'gives ' || quote(identifier) || ' of account ' || quote(account_id)
                || ' the rights ' || quote(rights)
            FROM access WHERE identifier IN ('', '-') OR rights = '' OR rights GLOB '*[^lrswipkxtea]*'
                OR account_id <> '' AND identifier IN ('anyone', '-anyone', 'authenticated', '-authenticated')""",
    ),
    Invariant(
        rule="annotation",
        sql="""SELECT COALESCE('mailbox ' || mailbox_id, 'the account'),
                'has the entry ' || quote(entry) || ' of viewer ' || quote(viewer_id)
            FROM annotation WHERE entry <> LOWER(entry)
                OR NOT CASE viewer_id WHEN '' THEN entry GLOB '/shared/?*' ELSE entry GLOB '/private/?*' END""",
    ),
    Invariant(
        rule="subscription",
        sql="""SELECT 'the subscriptions', 'hold mailbox ' || mailbox_id || ' of nobody' FROM subscription
            WHERE owner_id = ''
            UNION ALL SELECT 'the subscriptions', 'hold the path ' || quote(path) FROM absent_subscription
            WHERE path = '' OR path GLOB '/*' OR path GLOB '*/' OR path GLOB '*//*'""",
    ),
    Invariant(
        rule="mod-seq",
        sql="""SELECT what, 'has ModSeq ' || highest || ', the last given out is ' || mod_seq
            FROM counter JOIN (
                SELECT 'a placement' AS what, MAX(mod_seq) AS highest FROM placement
                UNION ALL SELECT 'a mailbox', MAX(mod_seq) FROM mailbox
                UNION ALL SELECT 'the change log', MAX(mod_seq) FROM change_log)
            WHERE highest > mod_seq""",
    ),
    Invariant(
        rule="message-id",
        sql="""SELECT 'message ' || MAX(message_id), 'is above the last number given out, ' || last_message_id
            FROM counter JOIN message HAVING MAX(message_id) > last_message_id""",
    ),
    Invariant(
        rule="change-log",
        sql="""SELECT 'mailbox ' || p.mailbox_id || ' UID ' || p.uid, 'has ModSeq ' || p.mod_seq
                || ', of which the change log knows nothing'
            FROM counter c JOIN placement p ON p.mod_seq >= c.floor_mod_seq
            WHERE NOT EXISTS (SELECT 1 FROM change_log l
                WHERE l.mod_seq = p.mod_seq AND l.mailbox_id = p.mailbox_id AND l.uid = p.uid)""",
    ),
    Invariant(
        rule="change-log-floor",
        sql="""SELECT 'the change log', 'has a row of ModSeq ' || MIN(l.mod_seq) || ' below its floor ' || floor_mod_seq
            FROM counter JOIN change_log l HAVING MIN(l.mod_seq) < floor_mod_seq""",
    ),
    Invariant(
        rule="index-state",
        sql="""SELECT 'the index', 'does not say how far it reaches'
            WHERE NOT EXISTS (SELECT 1 FROM search_state)""",
    ),
    Invariant(
        rule="index-ahead",
        sql="""SELECT 'the index', 'is said to reach message ' || indexed_up_to || ', the last is ' || last_message_id
            FROM search_state JOIN counter WHERE indexed_up_to > last_message_id""",
    ),
    Invariant(
        rule="index-without-message",
        sql="""SELECT 'the index', 'knows message ' || id || ', which is gone'
            FROM search_index_docsize WHERE id NOT IN (SELECT message_id FROM message)
            UNION ALL SELECT 'the index', 'knows part of message ' || message_id || ', which is gone'
            FROM search_partial WHERE message_id NOT IN (SELECT message_id FROM message)""",
    ),
    Invariant(
        rule="message-not-indexed",
        sql="""SELECT 'message ' || message_id, 'is missing in the index, which reaches message ' || indexed_up_to
            FROM message JOIN search_state ON message_id <= indexed_up_to
            WHERE message_id NOT IN (SELECT id FROM search_index_docsize)""",
    ),
    Invariant(
        rule="thread",
        sql="""SELECT 'message ' || message_id, 'is of thread ' || thread_id || ', which is younger'
            FROM message WHERE thread_id > message_id""",
    ),
    Invariant(
        rule="quota",
        sql="""SELECT 'the account', 'says that ' || used_bytes || ' bytes are used; its messages have '
                || (SELECT COALESCE(SUM(size_bytes), 0) FROM message)
            FROM counter WHERE used_bytes <> (SELECT COALESCE(SUM(size_bytes), 0) FROM message)""",
    ),
)


def broken(connection: Connection) -> Iterator[Flaw]:
    """At most SHOWN_OF_A_RULE of each, and then how many more."""
    # FTS5 checks what it has cached, and finds out that others have written only when it is asked for rows.
    with suppress(Damaged):
        connection.rows("SELECT rowid FROM search_index LIMIT 1")
    for check in ("integrity_check", "foreign_key_check"):
        rows = connection.rows(f"PRAGMA {check}")
        for row in rows[:SHOWN_OF_A_RULE]:
            if row[0] != "ok":
                yield Flaw(rule=check.replace("_", "-"), where="the file", text=" ".join(map(str, row)))
    for invariant in INVARIANTS:
        rows = connection.rows(invariant.sql)
        for where, text in rows[:SHOWN_OF_A_RULE]:
            yield Flaw(rule=invariant.rule, where=where, text=text)
        if len(rows) > SHOWN_OF_A_RULE:
            yield Flaw(rule=invariant.rule, where="the file", text=f"and {len(rows) - SHOWN_OF_A_RULE} more of these")
