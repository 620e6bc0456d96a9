"""The rules that an account's rows keep, each as a question whose rows are what breaks it. `mailstack account verify`.

Nothing here mends: a rule that is broken is a bug or a damaged disk, and both want a person's eyes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mailstack.model.upkeep import Flaw
from mailstack.store.sql.database import Connection

SHOWN_OF_A_RULE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """sql: rows of (where, what is wrong) that break the rule."""

    rule: str
    sql: str


# As the full-text index has it, whatever somebody once put in.
INDEXED = "(SELECT id AS message_id FROM search_index_docsize)"
INDEX_WITHOUT_MESSAGE = f"""SELECT 'the index', 'knows message ' || known.message_id || ', which is gone'
    FROM {INDEXED} AS known
    WHERE NOT EXISTS (SELECT 1 FROM message m WHERE /*of m*/ m.message_id = known.message_id)
    UNION ALL SELECT 'the index', 'knows part of message ' || p.message_id || ', which is gone'
    FROM search_partial p
    WHERE /*of p*/ NOT EXISTS (SELECT 1 FROM message m WHERE /*of m*/ m.message_id = p.message_id)"""  # noqa: S608
MESSAGE_NOT_INDEXED = f"""SELECT 'message ' || m.message_id,
        'is missing in the index, which reaches message ' || s.indexed_up_to
    FROM message m JOIN search_state s ON m.message_id <= s.indexed_up_to
    WHERE /*of m*/ /*of s*/ NOT EXISTS (
        SELECT 1 FROM {INDEXED} AS known WHERE known.message_id = m.message_id)"""  # noqa: S608
KEYWORD_NOT_LISTED = """SELECT 'mailbox ' || used.mailbox_id, 'does not list the keyword ' || used.keyword
    FROM (SELECT DISTINCT p.mailbox_id, words.value AS keyword FROM placement p,
        json_each('[' || replace(json_quote(p.keywords), ' ', '","') || ']') AS words
        WHERE words.value <> '' AND words.value NOT LIKE '\\%') AS used
    LEFT JOIN mailbox_keyword AS listed USING (mailbox_id, keyword) WHERE listed.mailbox_id IS NULL"""
ACCESS = """SELECT 'mailbox ' || mailbox_id, 'gives "' || identifier || '" of account "' || account_id
        || '" the rights "' || rights || '"'
    FROM access WHERE /*of*/ (identifier IN ('', '-') OR rights = '' OR TRIM(rights, 'lrswipkxtea') <> ''
        OR account_id <> '' AND identifier IN ('anyone', '-anyone', 'authenticated', '-authenticated'))"""

INVARIANTS = (
    Invariant(
        rule="mailbox-counts",
        sql="""SELECT 'mailbox ' || mailbox_id,
                'says ' || messages || ' messages, ' || unseen || ' unseen, ' || deleted || ' deleted, '
                || size_bytes || ' bytes; it holds ' || held || ', ' || held_unseen || ', ' || held_deleted || ', '
                || held_bytes
            FROM (SELECT m.mailbox_id, m.messages, m.unseen, m.deleted, m.size_bytes, COUNT(p.uid) AS held,
                    COUNT(p.uid) FILTER (
                        WHERE ' ' || p.keywords || ' ' NOT LIKE '% \\Seen %' ESCAPE '!') AS held_unseen,
                    COUNT(p.uid) FILTER (WHERE p.is_deleted = 1) AS held_deleted,
                    COALESCE(SUM(s.size_bytes), 0) AS held_bytes
                FROM mailbox m LEFT JOIN placement p ON /*of p*/ p.mailbox_id = m.mailbox_id
                    LEFT JOIN message s ON /*of s*/ s.message_id = p.message_id /*whole m*/
                GROUP BY m.mailbox_id, m.messages, m.unseen, m.deleted, m.size_bytes) AS counted
            WHERE messages <> held OR unseen <> held_unseen OR deleted <> held_deleted OR size_bytes <> held_bytes""",
    ),
    Invariant(
        rule="uid-next",
        sql="""SELECT 'mailbox ' || m.mailbox_id, 'has UID ' || MAX(p.uid) || ', and its next UID is ' || m.uid_next
            FROM mailbox m JOIN placement p ON /*of p*/ p.mailbox_id = m.mailbox_id /*whole m*/
            GROUP BY m.mailbox_id, m.uid_next HAVING MAX(p.uid) >= m.uid_next""",
    ),
    Invariant(
        rule="uid-validity",
        sql="""SELECT 'mailbox ' || m.mailbox_id, 'has UIDVALIDITY ' || m.uid_validity || ', the last given out is '
                || c.last_uid_validity
            FROM mailbox m CROSS JOIN counter c WHERE /*of m*/ /*of c*/
                (m.uid_validity > c.last_uid_validity OR m.mailbox_id > c.last_mailbox_id)""",
    ),
    Invariant(
        rule="mailbox-tree",
        sql="""WITH RECURSIVE reached (mailbox_id) AS (
                SELECT mailbox_id FROM mailbox WHERE /*of*/ parent_id IS NULL
                UNION SELECT m.mailbox_id FROM mailbox m JOIN reached r ON m.parent_id = r.mailbox_id /*whole m*/)
            SELECT 'mailbox ' || mailbox_id, 'hangs below nothing: its parent is ' || parent_id
            FROM mailbox WHERE /*of*/ mailbox_id NOT IN (SELECT mailbox_id FROM reached)""",
    ),
    Invariant(
        rule="placement-without-message",
        sql="""SELECT 'mailbox ' || p.mailbox_id || ' UID ' || p.uid,
                'is of message ' || p.message_id || ', which is gone'
            FROM placement p
            WHERE /*of p*/ NOT EXISTS (SELECT 1 FROM message m WHERE /*of m*/ m.message_id = p.message_id)""",
    ),
    Invariant(
        rule="placement-without-mailbox",
        sql="""SELECT 'mailbox ' || p.mailbox_id || ' UID ' || p.uid, 'lies in a mailbox that is not there'
            FROM placement p
            WHERE /*of p*/ NOT EXISTS (SELECT 1 FROM mailbox m WHERE /*of m*/ m.mailbox_id = p.mailbox_id)""",
    ),
    Invariant(
        rule="message-nowhere",
        sql="""SELECT 'message ' || m.message_id, 'lies in no mailbox' FROM message m
            WHERE /*of m*/ NOT EXISTS (SELECT 1 FROM placement p WHERE /*of p*/ p.message_id = m.message_id)""",
    ),
    Invariant(
        rule="message-twice",
        sql="""SELECT 'message ' || message_id, 'lies ' || COUNT(*) || ' times in mailbox ' || mailbox_id
            FROM placement /*whole*/ GROUP BY message_id, mailbox_id HAVING COUNT(*) > 1""",
    ),
    Invariant(
        rule="head-pack",
        sql="""SELECT 'pack ' || block, 'was made of ' || messages || ' messages; there are ' || there FROM (
                SELECT block, messages, (SELECT COUNT(*) FROM message
                    WHERE /*of*/ message_id BETWEEN block * 64 AND block * 64 + 63) AS there
                FROM head_pack /*whole*/) AS counted
            WHERE there > messages
            UNION ALL SELECT 'pack ' || p.block, 'is of messages that the index has not reached'
            FROM head_pack p JOIN search_state s ON p.block * 64 + 63 > s.indexed_up_to
            WHERE /*of p*/ /*of s*/ 1 = 1""",
    ),
    Invariant(
        rule="message-without-blob",
        sql="""SELECT 'message ' || m.message_id, 'has no bytes: blob ' || m.blob_key || ' is not there' FROM message m
            WHERE /*of m*/ NOT EXISTS (SELECT 1 FROM blob b WHERE /*of b*/ b.blob_key = m.blob_key)""",
    ),
    Invariant(
        rule="blob-without-message",
        sql="""SELECT 'blob ' || blob_key, 'belongs to no message' FROM (
            SELECT blob_key FROM blob /*whole*/ EXCEPT SELECT blob_key FROM message /*whole*/) AS alone""",
    ),
    Invariant(
        rule="blob-bytes",
        sql="""SELECT 'blob ' || blob_key, 'has a hash of ' || LENGTH(blob_id) || ' bytes, '
                || CASE WHEN content IS NULL THEN 'no content, ' ELSE 'content, ' END
                || CASE WHEN file IS NULL THEN 'no file' ELSE 'a file' END
            FROM blob WHERE /*of*/ (LENGTH(blob_id) <> 32 OR (content IS NULL) = (file IS NULL))""",
    ),
    Invariant(
        rule="keywords-differ",
        sql="""SELECT 'message ' || message_id, 'has other keywords in one mailbox than in another'
            FROM placement /*whole*/ GROUP BY message_id HAVING COUNT(DISTINCT keywords) > 1""",
    ),
    Invariant(rule="keyword-not-listed", sql=KEYWORD_NOT_LISTED),
    Invariant(rule="access", sql=ACCESS),
    Invariant(
        rule="annotation",
        sql="""SELECT COALESCE('mailbox ' || mailbox_id, 'the account'),
                'has the entry "' || entry || '" of viewer "' || viewer_id || '"'
            FROM annotation WHERE /*of*/ (entry <> LOWER(entry)
                OR NOT CASE viewer_id WHEN '' THEN entry LIKE '/shared/_%' ELSE entry LIKE '/private/_%' END)""",
    ),
    Invariant(
        rule="subscription",
        sql="""SELECT 'the subscriptions', 'hold mailbox ' || mailbox_id || ' of nobody' FROM subscription
            WHERE /*of*/ owner_id = ''
            UNION ALL SELECT 'the subscriptions', 'hold the path "' || path || '"' FROM absent_subscription
            WHERE /*of*/ (path = '' OR path LIKE '/%' OR path LIKE '%/' OR path LIKE '%//%')""",
    ),
    Invariant(
        rule="mod-seq",
        sql="""SELECT what, 'has ModSeq ' || highest || ', the last given out is ' || c.mod_seq
            FROM counter c JOIN (
                SELECT 'a placement' AS what, MAX(mod_seq) AS highest FROM placement /*whole*/
                UNION ALL SELECT 'a mailbox', MAX(mod_seq) FROM mailbox /*whole*/
                UNION ALL SELECT 'the change log', MAX(mod_seq) FROM change_log /*whole*/) AS given
            ON highest > c.mod_seq /*whole c*/""",
    ),
    Invariant(
        rule="message-id",
        sql="""SELECT 'message ' || MAX(m.message_id), 'is above the last number given out, ' || c.last_message_id
            FROM counter c JOIN message m ON /*of m*/ m.message_id > c.last_message_id /*whole c*/
            GROUP BY c.last_message_id""",
    ),
    Invariant(
        rule="change-log",
        sql="""SELECT 'mailbox ' || p.mailbox_id || ' UID ' || p.uid, 'has ModSeq ' || p.mod_seq
                || ', of which the change log knows nothing'
            FROM counter c JOIN placement p ON /*of p*/ p.mod_seq >= c.floor_mod_seq
            WHERE /*of c*/ NOT EXISTS (SELECT 1 FROM change_log l
                WHERE /*of l*/ l.mod_seq = p.mod_seq AND l.mailbox_id = p.mailbox_id AND l.uid = p.uid)""",
    ),
    Invariant(
        rule="change-log-floor",
        sql="""SELECT 'the change log', 'has a row of ModSeq ' || MIN(l.mod_seq) || ' below its floor '
                || c.floor_mod_seq
            FROM counter c JOIN change_log l ON /*of l*/ l.mod_seq < c.floor_mod_seq /*whole c*/
            GROUP BY c.floor_mod_seq""",
    ),
    Invariant(
        rule="index-state",
        sql="""SELECT 'the index', 'does not say how far it reaches'
            WHERE NOT EXISTS (SELECT 1 FROM search_state /*whole*/)""",
    ),
    Invariant(
        rule="index-ahead",
        sql="""SELECT 'the index',
                'is said to reach message ' || s.indexed_up_to || ', the last is ' || c.last_message_id
            FROM search_state s JOIN counter c ON /*of c*/ s.indexed_up_to > c.last_message_id /*whole s*/""",
    ),
    Invariant(rule="index-without-message", sql=INDEX_WITHOUT_MESSAGE),
    Invariant(rule="message-not-indexed", sql=MESSAGE_NOT_INDEXED),
    Invariant(
        rule="thread",
        sql="""SELECT 'message ' || message_id, 'is of thread ' || thread_id || ', which is younger'
            FROM message WHERE /*of*/ thread_id > message_id""",
    ),
    Invariant(
        rule="quota",
        sql="""SELECT 'the account', 'says that ' || used_bytes || ' bytes are used; its messages have ' || held
            FROM (SELECT used_bytes, (SELECT COALESCE(SUM(size_bytes), 0) FROM message /*whole*/) AS held
                FROM counter /*whole*/) AS counted
            WHERE used_bytes <> held""",
    ),
)


def broken(connection: Connection, *, where: str) -> Iterator[Flaw]:
    """At most SHOWN_OF_A_RULE of each, and then how many more. where: what all of it is in."""
    for invariant in INVARIANTS:
        rows = connection.rows(invariant.sql)
        for place, text in rows[:SHOWN_OF_A_RULE]:
            yield Flaw(rule=invariant.rule, where=place, text=text)
        if len(rows) > SHOWN_OF_A_RULE:
            yield Flaw(rule=invariant.rule, where=where, text=f"and {len(rows) - SHOWN_OF_A_RULE} more of these")
