"""The tables of the full-text index in an account's file."""

# ascii: ASCII letters and digits and every octet above 127 are of a word, which is all that formats.terms lets through.
CREATE_INDEX = """CREATE VIRTUAL TABLE search_index USING fts5
    (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii')"""
INDEX_TABLES = frozenset(
    {
        "search_index",
        "search_index_config",
        "search_index_data",
        "search_index_docsize",
        "search_index_idx",
        "search_partial",
        "search_state",
        "search_vocabulary",
    }
)
