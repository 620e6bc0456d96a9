"""Statements as PostgreSQL gets them."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.faults import Refused
from mailstack.store.postgres.link import BINARY, TEXT, asked


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT a FROM t WHERE b = ? AND c = ?", "SELECT a FROM t WHERE b = $1 AND c = $2"),
        ("SELECT a FROM t WHERE /*of*/ b = ?", "SELECT a FROM t WHERE account_id = $1 AND b = $2"),
        ("FROM t JOIN u ON /*of u*/ u.b = t.b WHERE /*of t*/ t.c = ?",
         "FROM t JOIN u ON u.account_id = $1 AND u.b = t.b WHERE t.account_id = $1 AND t.c = $2"),
        ("SELECT a FROM t /*whole*/ LIMIT ?", "SELECT a FROM t WHERE account_id = $1 LIMIT $2"),
        ("SELECT t.a FROM t /*whole t*/", "SELECT t.a FROM t WHERE t.account_id = $1"),
        ("INSERT INTO t (/*key*/ a) VALUES (/*value*/ ?)", "INSERT INTO t (account_id, a) VALUES ($1, $2)"),
        ("UPDATE t SET a = ?1 WHERE b = ?2 OR a < ?1", "UPDATE t SET a = $1 WHERE b = $2 OR a < $1"),
        ("UPDATE t SET a = ?1 WHERE /*of*/ a < ?1", "UPDATE t SET a = $2 WHERE account_id = $1 AND a < $2"),
        ("SELECT 'is it?' || '''?' || ?", "SELECT 'is it?' || '''?' || $1"),
        ("SELECT a FROM t WHERE b = '/*of*/'", "SELECT a FROM t WHERE b = '/*of*/'"),
        ("SELECT a FROM t /*+ FOR UPDATE*/", "SELECT a FROM t  FOR UPDATE"),
        ("SELECT a /* a remark */ FROM t", "SELECT a  FROM t"),
        ("SELECT a FROM t WHERE b IN (SELECT value FROM json_each(?) AS texts)",
         "SELECT a FROM t WHERE b IN (SELECT value FROM json_array_elements_text($1::json) AS texts (value))"),
        ("SELECT a FROM t WHERE /*of*/ b IN (SELECT value FROM json_each(?) AS listed)",
         "SELECT a FROM t WHERE account_id = $1 AND b = ANY (ARRAY(SELECT value::bigint"
         " FROM json_array_elements_text($2::json) AS element (value)))"),
        ("SELECT json_group_array(a || b) FROM t", "SELECT COALESCE(json_agg(a || b)::text, '[]') FROM t"),
    ],
)  # fmt: skip
def test_a_statement_names_the_account_and_numbers_its_parameters(sql: str, text: str) -> None:
    assert translated(sql).text.decode() == text


def test_a_statement_on_an_accounts_rows_is_refused_where_there_is_no_account() -> None:
    with pytest.raises(Refused):
        asked(translated("SELECT a FROM t WHERE /*of*/ b = ?"), None, (1,))


def test_values_go_out_as_octets_behind_the_account() -> None:
    one = asked(translated("SELECT /*value*/ ?, ?, ?, ?, ?, ?"), "0a", (1, True, "é", b"\0\xff", None, 0.5))
    assert one.values == [b"0a", b"1", b"1", "é".encode(), b"\0\xff", None, b"0.5"]
    assert one.formats == [TEXT, TEXT, TEXT, TEXT, BINARY, TEXT, TEXT]
    assert asked(translated("SELECT ?"), None, ("é",)).formats is None


def test_a_text_with_a_nul_is_refused_and_not_cut_off() -> None:
    with pytest.raises(Invalid):
        asked(translated("SELECT ?"), None, ("before\0after",))
