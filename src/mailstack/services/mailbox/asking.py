"""Which words the index is asked for by a text that a query looks for, and what its answer is worth.

RFC 9051 §6.4.4 wants substrings; the index knows words. A needle that lies inside one word is answered by the index
alone; of any other, the index says which messages may hold it. A needle without a word (`@`, `--`) it knows nothing of.
"""

from dataclasses import dataclass

from mailstack.formats.searched import folded
from mailstack.formats.terms import needle_words, prefix_words
from mailstack.model.query import Contains, HeaderContains, TextField
from mailstack.model.search import HasWords, Scope, Word

_IN_HEADER = (Scope.SUBJECT, Scope.FROM, Scope.TO, Scope.CC, Scope.BCC, Scope.HEADER)
_IN_BODY = (Scope.BODY, Scope.ATTACHMENT)
_SCOPES = {
    TextField.TEXT: (*_IN_HEADER, Scope.MIME, *_IN_BODY),
    TextField.BODY: _IN_BODY,
    TextField.SUBJECT: (Scope.SUBJECT, Scope.SUBJECT_SHOWN),
    TextField.FROM: (Scope.FROM, Scope.FROM_SHOWN),
    TextField.TO: (Scope.TO, Scope.TO_SHOWN),
    TextField.CC: (Scope.CC, Scope.CC_SHOWN),
    TextField.BCC: (Scope.BCC,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """is_exact: what has the words matches; else it may. condition: None where the index knows nothing."""

    condition: HasWords | None
    is_exact: bool


def asked_of(query: Contains | HeaderContains) -> Asked:
    needle = folded(query.needle)
    if isinstance(query, HeaderContains):
        # A field's name is indexed as words of the header; more than its being there is seen on the text.
        name, _ = needle_words(f"\n{folded(query.name)}:")
        words, _ = needle_words(needle)
        return _asked(_IN_HEADER, (*name, *words), is_exact=False)
    if not needle and query.field not in (TextField.TEXT, TextField.BODY):
        return asked_of(HeaderContains(query.field.value, ""))
    words, is_exact = needle_words(needle)
    return _asked(_SCOPES[query.field], words, is_exact=is_exact)


def asked_roughly(query: Contains | HeaderContains) -> Asked:
    """RFC 6203 §3: all words of the text, as beginnings of words, in any order."""
    scopes = _IN_HEADER if isinstance(query, HeaderContains) else _SCOPES[query.field]
    words = prefix_words(folded(query.needle))
    return _asked(scopes, words, is_exact=True) if words else asked_of(query)


def _asked(scopes: tuple[Scope, ...], words: tuple[Word, ...], *, is_exact: bool) -> Asked:
    condition = HasWords(scopes=scopes, words=tuple(dict.fromkeys(words))) if words else None
    return Asked(condition=condition, is_exact=is_exact)
