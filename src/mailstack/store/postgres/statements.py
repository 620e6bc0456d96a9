"""What PostgreSQL is asked in other words than SQLite: its own statement, under the text of store/sql that it replaces.

It takes the same parameters and gives the same columns. Before one is added here: can both be asked in words that both
understand?

The full-text index holds words as tsvectors that no parser makes: each lexeme is the account and a stored word. What
would pass the bounds of a tsvector is parted into rows (1 MB each), or goes in by its hash (2 KB each lexeme).
"""

from collections.abc import Mapping

from mailstack.store.sql import fulltext, invariants, mailboxes, sharing

WORDS_A_ROW = 1_000
LONGEST_LEXEME = 600
"""In octets: longer than 128 characters of any script, which is what formats.terms lets through."""


def _lexemes(words: str) -> str:
    """What is put in and what is asked for become lexemes alike. words: the parameter that holds them."""
    return f"""SELECT textcat(/*value*/ CASE WHEN octet_length(word) <= {LONGEST_LEXEME} THEN word
            ELSE left(word, 40) || encode(sha256(convert_to(word, 'UTF8')), 'hex') END)
        FROM unnest(string_to_array({words}, ' ')) AS word"""  # noqa: S608 - a parameter and a number


OWN: Mapping[str, str] = {
    # The larger of two is GREATEST here.
    mailboxes.NEXT_MAILBOX: """UPDATE counter SET last_mailbox_id = last_mailbox_id + 1,
        last_uid_validity = GREATEST(last_uid_validity + 1, ?) /*whole*/
        RETURNING last_mailbox_id, last_uid_validity""",
    fulltext.INSERT: f"""INSERT INTO search_index (/*key*/ message_id, part, words)
        SELECT /*value*/ ?1, part, array_to_tsvector(lexemes[part * {WORDS_A_ROW} + 1 : (part + 1) * {WORDS_A_ROW}])
        FROM (SELECT ARRAY({_lexemes("?2")}) AS lexemes) AS listed,
            generate_series(0, GREATEST(cardinality(lexemes) - 1, 0) / {WORDS_A_ROW}) AS part""",  # noqa: S608 - numbers
    # By the index on words and no other, however many messages the account has: it reads no word again.
    fulltext.MATCH: f"""WITH found AS MATERIALIZED (
            SELECT account_id, message_id FROM search_index WHERE words @@ (
                SELECT string_agg(quote_literal(lexeme), ' | ') FROM ({_lexemes("?1")}) AS listed (lexeme)
            )::tsquery)
        SELECT DISTINCT message_id FROM found /*whole*/""",  # noqa: S608 - numbers
    fulltext.DELETE: "DELETE FROM search_index WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed)",
    fulltext.DELETE_ALL: "DELETE FROM search_index /*whole*/",
    # Where the account has a column, that of who is given something has another name.
    **{
        sql: sql.replace("account_id", "grantee_id")
        for sql in (
            sharing.GRANTS,
            sharing.ALL_GRANTS,
            sharing.GRANT,
            sharing.SET,
            sharing.INHERIT,
            sharing.NAMED,
            invariants.ACCESS,
        )
    },
    **{
        sql: sql.replace(invariants.INDEXED, "(SELECT message_id FROM search_index /*whole*/)")
        for sql in (invariants.INDEX_WITHOUT_MESSAGE, invariants.MESSAGE_NOT_INDEXED)
    },
    invariants.KEYWORD_NOT_LISTED: """SELECT 'mailbox ' || used.mailbox_id,
            'does not list the keyword ' || used.keyword
        FROM (SELECT DISTINCT p.mailbox_id, word AS keyword
            FROM placement p, unnest(string_to_array(p.keywords, ' ')) AS word
            WHERE /*of p*/ word <> '' AND NOT starts_with(word, '\\')) AS used
        WHERE NOT EXISTS (SELECT 1 FROM mailbox_keyword k
            WHERE /*of k*/ k.mailbox_id = used.mailbox_id AND k.keyword = used.keyword)""",
}
