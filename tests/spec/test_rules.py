"""Rules as Sieve: they compile whatever is in them, read well, and do what the rules say, by a model of their own."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mailstack.formats.compose import write_text_field
from mailstack.formats.sieve_string import quoted
from mailstack.sieve.actions import Action, Discard, FileInto, Keep, Redirect, Reject
from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.run import Mail, Outcome, run
from mailstack.spec.rules import Rules, sieve_of
from mailstack.spec.sections.rules import Actions, Condition, Match, Rule

RULES: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(Rules)
Setting = dict[str, Any]  # as the YAML has it
MANY = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def rules_of(*found: Setting) -> tuple[Rule, ...]:
    return RULES.validate_python(tuple(found))


def written(*found: Setting) -> list[str]:
    """Without the heading."""
    return sieve_of(rules_of(*found)).splitlines()[1:]


def test_a_score_is_asked_for_in_tenths() -> None:
    condition = {"spam": {"at_least": 3.5, "under": 5}}
    item = 'environment :value "{}" :comparator "i;ascii-numeric" "vnd.mailstack.spam-tenths" "{}"'
    assert written({"name": "perhaps", "if": condition, "then": "keep"}) == [
        'require ["comparator-i;ascii-numeric", "environment", "relational"];',
        "",
        "# rule: perhaps",
        "if allof (",
        f"    {item.format('ge', 35)},",
        f"    {item.format('lt', 50)}",
        ") {",
        "    keep;",
        "}",
    ]


def test_rules_read_as_a_person_would_write_them() -> None:
    rules: tuple[Setting, ...] = (
        {"name": "invoices", "if": {"subject": {"contains": "invoice"}}, "then": {"file_into": "Invoices"}},
        {
            "name": "lists",
            "if": {
                "any": (
                    {"list": {"is": "dev.example"}},
                    {"to": {"is": "a@b.example"}, "not": {"size": {"over": "7KiB"}}},
                )
            },
            "then": ({"file_into": "Lists", "copy": True}, "mark_read", "stop"),
        },
        {"name": "the rest", "then": {"redirect": ("x@else.example", "y@else.example")}},
    )
    assert written(*rules) == [
        'require ["copy", "fileinto", "imap4flags", "mailbox"];',
        "",
        "# rule: invoices",
        'if header :contains "subject" "invoice" {',
        '    fileinto :create "Invoices";',
        "}",
        "",
        "# rule: lists",
        "if anyof (",
        '    header :contains "list-id" "<dev.example>",',
        "    allof (",
        '        address :is ["to", "cc"] "a@b.example",',
        "        not size :over 7K",
        "    )",
        ") {",
        '    addflag "\\\\Seen";',
        '    fileinto :copy :create "Lists";',
        "    stop;",
        "}",
        "",
        "# rule: the rest",
        'redirect "x@else.example";',
        'redirect "y@else.example";',
    ]


@pytest.mark.parametrize(
    ("condition", "test", "needs"),
    [
        ({"from": {"domain": ("a.example", "b.example")}}, 'address :domain :is "from" ["a.example", "b.example"]', ()),
        ({"from": {"matches": "*@a.example"}}, 'address :matches "from" "*@a.example"', ()),
        ({"header": {"X-Loop": {"is": "1"}}}, 'header :is "X-Loop" "1"', ()),
        ({"list": {"matches": "dev.*"}}, 'header :matches "list-id" "*<dev.*>*"', ()),
        ({"list": {"regex": "^a"}}, 'header :regex "list-id" "^a"', ("regex",)),
        ({"body": {"contains": "x"}}, 'body :text :contains "x"', ("body",)),
        ({"size": {"under": "1GiB"}}, "size :under 1G", ()),
        ({"size": {"over": "0B"}}, "size :over 0", ()),
        ({"not": {"not": {"subject": {"is": "x"}}}}, 'not not header :is "subject" "x"', ()),
    ],
)
def test_a_condition(condition: Setting, test: str, needs: tuple[str, ...]) -> None:
    require = [f"require [{', '.join(map(quoted, needs))}];"] if needs else []
    shown = written({"name": "n", "if": condition, "then": "keep"})
    assert shown == [*require, "", "# rule: n", f"if {test} {{", "    keep;", "}"]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (({"name": "a", "then": "keep"}, {"name": "b", "then": {"reject": "no"}}), "'b' refuses mail that 'a' may"),
        (({"name": "a", "then": ({"reject": "no"}, {"file_into": "X"})},), "reject goes with nothing else"),
        (({"name": "a", "if": None, "then": "discard"},), "a condition is needed here"),
        (({"name": "a", "if": {"subject": None}, "then": "discard"},), "a condition is needed here"),
        (({"name": "a", "if": {"subject": {"is": None}}, "then": "discard"},), "one of contains, is, matches, regex"),
        (({"name": "a", "if": {"size": {"over": None}}, "then": "discard"},), "over or under is needed here"),
        (({"name": "a", "then": {"file_into": None}},), "something to do is needed here"),
        (({"name": "a", "then": {"redirect": tuple(f"a{n}@b.example" for n in range(9))}},), "at most 8"),
        (tuple({"name": f"n{n}", "then": {"reject": "x" * 4_000}} for n in range(20)), "over 64 KiB"),
    ],
)
def test_what_could_not_work_is_refused(rules: tuple[Setting, ...], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        rules_of(*rules)


def test_mail_may_be_refused_where_nothing_was_done_with_it_before() -> None:
    rules = rules_of(
        {"name": "a", "if": {"subject": {"is": "a"}}, "then": {"file_into": "A", "stop": True}},
        {"name": "b", "then": {"flag": "seen-by-b"}},
        {"name": "c", "then": {"reject": "no"}},
    )
    found = outcome(rules, LETTER)
    assert [action.reason for action in found.actions if isinstance(action, Reject)] == ["no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, as the model knows it."""

    subject: str = "x"
    senders: tuple[str, ...] = ("a@a.example",)
    recipients: tuple[str, ...] = ("b@b.example",)
    note: str = ""
    list_id: str = ""
    body: str = ""

    def raw(self) -> bytes:
        fields = [
            b"From: " + ", ".join(f"Name <{address}>" for address in self.senders).encode() + b"\r\n",
            b"Cc: " + ", ".join(self.recipients).encode() + b"\r\n",
            write_text_field("Subject", self.subject),
            *([write_text_field("X-Note", self.note)] if self.note else []),
            *([f"List-Id: The list <{self.list_id}>\r\n".encode()] if self.list_id else []),
            b"Content-Type: text/plain; charset=utf-8\r\n",
        ]
        return b"".join([*fields, b"\r\n", self.body.encode(), b"\r\n"])


LETTER = Letter()


def outcome(rules: tuple[Rule, ...], letter: Letter) -> Outcome:
    script = compile_script(sieve_of(rules).encode(), EXTENSIONS)
    found = run(script, Mail(raw=letter.raw()))
    assert isinstance(found, Outcome)
    assert found.fault == ""
    return found


# The model: what rules say, read without any Sieve.


@dataclass(slots=True)
class Fate:
    """mailboxes: with flags. is_kept: as long as nothing was done with it."""

    flags: dict[str, str] = field(default_factory=dict)
    mailboxes: dict[str, frozenset[str]] = field(default_factory=dict)
    redirects: set[str] = field(default_factory=set)
    reason: str = ""
    is_discarded: bool = False
    is_kept: bool = True


def fate_of(rules: tuple[Rule, ...], letter: Letter) -> Fate:
    fate = Fate()
    for rule in rules:
        if rule.if_ is not None and not holds(rule.if_, letter):
            continue
        for actions in rule.then:
            for flag in (*(actions.flag or ()), *(("\\Seen",) if actions.mark_read else ())):
                fate.flags.setdefault(flag.lower(), flag)
        for actions in rule.then:
            act(fate, actions)
        if rule.is_last:
            break
    if fate.is_kept:
        put(fate, "INBOX")
    return fate


def act(fate: Fate, actions: Actions) -> None:
    if actions.file_into is not None:
        put(fate, "INBOX" if actions.file_into.upper() == "INBOX" else actions.file_into)
    fate.redirects.update(actions.redirect or ())
    if actions.keep:
        put(fate, "INBOX")
    fate.is_discarded |= actions.discard
    fate.reason = fate.reason or (actions.reject or "")
    moves = (actions.file_into is not None or actions.redirect is not None) and not actions.copy_
    if moves or actions.keep or actions.discard or actions.reject:
        fate.is_kept = False


def put(fate: Fate, mailbox: str) -> None:
    fate.mailboxes[mailbox] = frozenset(fate.flags.values())


def holds(condition: Condition, letter: Letter) -> bool:
    size = len(letter.raw())
    texts = [
        (condition.from_, letter.senders),
        (condition.to, letter.recipients),
        (condition.subject, (letter.subject,)),
        (condition.body, (letter.body + "\r\n",)),
        *((match, (letter.note,) if letter.note else ()) for match in (condition.header or {}).values()),
    ]
    found = [compares(match, values) for match, values in texts if match is not None]
    if condition.list_ is not None:
        found.append(bool(letter.list_id) and lists(condition.list_, letter.list_id))
    if condition.size is not None:
        found.append(condition.size.over is None or size > condition.size.over)
        found.append(condition.size.under is None or size < condition.size.under)
    if condition.not_ is not None:
        found.append(not holds(condition.not_, letter))
    found += [any(holds(each, letter) for each in condition.any_)] if condition.any_ is not None else []
    found += [all(holds(each, letter) for each in condition.all_)] if condition.all_ is not None else []
    return all(found)


def lists(match: Match, list_id: str) -> bool:
    whole = f"The list <{list_id}>"
    if match.is_ is not None or match.matches is not None:
        return compares(match, (list_id,))
    return compares(match, (whole,))


def compares(match: Match, values: tuple[str, ...]) -> bool:
    return any(is_like(match, folded(value)) for value in values)


def is_like(match: Match, value: str) -> bool:
    domains = getattr(match, "domain", None) or ()
    return (
        any(folded(text) in value for text in match.contains or ())
        or any(folded(text) == value for text in match.is_ or ())
        or any(re.fullmatch(pattern_of(folded(text)), value, re.DOTALL) for text in match.matches or ())
        or any(re.search(text, value, re.IGNORECASE) for text in match.regex or ())
        or any(value.endswith(f"@{domain}") for domain in domains)
    )


def folded(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def pattern_of(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text)


def fate_in(actions: tuple[Action, ...]) -> Fate:
    """The same of a run."""
    fate = Fate()
    for action in actions:
        match action:
            case FileInto(mailbox=mailbox, flags=flags, create=create):
                assert create
                fate.mailboxes["INBOX" if mailbox.upper() == "INBOX" else mailbox] = frozenset(flags or ())
            case Keep(flags=flags):
                fate.mailboxes["INBOX"] = frozenset(flags or ())
            case Redirect(address=address):
                fate.redirects.add(address)
            case Discard():
                fate.is_discarded = True
            case Reject(reason=reason):
                fate.reason = reason
            case _:
                raise AssertionError(action)
    return fate


ADDRESSES = ("a@a.example", "b@b.example", "news@a.example", "A.B@sub.a.example")
WORDS = ("invoice", "Grüße", 'says "hi"', "a\\b", "50*", "x", "INVOICE 7")
LIST_IDS = ("dev.lists.example", "news.example")
KEYS = (*WORDS, *ADDRESSES, *LIST_IDS, "in*", "?", "*@a.*", "dev.*", "\\*", "sub.a")
EXPRESSIONS = ("inv[oa]ice", "^x$", "a|b", "[0-9]+", "\\bdev\\b")
_several = st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(tuple)
_match = st.one_of(
    st.builds(lambda word, texts: {word: texts}, st.sampled_from(["contains", "is", "matches"]), _several),
    st.sampled_from(EXPRESSIONS).map(lambda text: {"regex": text}),
)
_of_address = _match | st.sampled_from(["a.example", "b.example"]).map(lambda name: {"domain": name})
_size = st.sampled_from([{"over": "150B"}, {"under": "200B"}, {"over": "1KiB", "under": "1MiB"}])
_plain = st.fixed_dictionaries(
    {},
    optional={
        "from": _of_address,
        "to": _of_address,
        "subject": _match,
        "header": st.dictionaries(st.just("X-Note"), _match, min_size=1),
        "size": _size,
        "list": _match,
        "body": _match,
    },
).filter(bool)


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 2) -> Setting:
    """Written out, for a strategy shows itself whole."""
    found = dict(draw(_plain))
    inner = _conditions(depth - 1)
    if depth and draw(st.booleans()):
        for key in draw(st.sets(st.sampled_from(["any", "all"]), min_size=1)):
            found[key] = tuple(draw(st.lists(inner, min_size=1, max_size=3)))
    if depth and draw(st.booleans()):
        found["not"] = draw(inner)
    return found


_done = st.fixed_dictionaries(
    {},
    optional={
        "flag": st.sampled_from(["\\Flagged", ("work", "\\seen"), "$Important"]),
        "mark_read": st.just(True),
        "file_into": st.sampled_from(["Invoices", "inbox", 'A "b" \\c', "Grüße/Ärger"]),
        "redirect": st.sampled_from(["x@else.example", ("y@else.example", "x@else.example")]),
        "copy": st.booleans(),
        "keep": st.just(True),
        "stop": st.booleans(),
    },
)
_then = st.one_of(
    _done.map(lambda found: {k: v for k, v in found.items() if k != "copy" or {"file_into", "redirect"} & set(found)}),
    st.sampled_from(["keep", "discard", "mark_read", "stop", {"reject": 'Not "here",\nplease.\\'}]),
    st.lists(st.sampled_from(["mark_read", "keep", {"file_into": "B"}, {"flag": "late"}]), min_size=1).map(tuple),
)
_letters = st.builds(
    Letter,
    subject=st.sampled_from(WORDS),
    senders=st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2).map(tuple),
    recipients=st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2).map(tuple),
    note=st.sampled_from(("", *WORDS)),
    list_id=st.sampled_from(("", *LIST_IDS)),
    body=st.sampled_from(("", *WORDS, "x" * 2_000)),
)


@st.composite
def _rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    found = [
        {"name": draw(st.sampled_from(["a", "é / */"])), "then": draw(_then)}
        | ({"if": draw(_conditions())} if draw(st.booleans()) else {})
        for _ in range(draw(st.integers(1, 4)))
    ]
    try:
        return rules_of(*found)
    except ValidationError:
        return draw(st.nothing())


@given(rules=_rules(), letter=_letters)
@MANY
def test_what_runs_is_what_the_rules_say(rules: tuple[Rule, ...], letter: Letter) -> None:
    told, found = fate_of(rules, letter), fate_in(outcome(rules, letter).actions)
    assert (told.mailboxes, told.redirects, told.is_discarded) == (found.mailboxes, found.redirects, found.is_discarded)
    assert told.reason.replace("\n", "\r\n") == found.reason


_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, [*range(32), 127])))
    | st.sampled_from('\n\t"\\.;{}#'),
    min_size=1,
    max_size=60,
)


@given(texts=st.lists(_texts, min_size=1, max_size=4), name=_texts.filter(lambda text: text.isprintable()))
@MANY
def test_any_text_comes_through_as_it_is(texts: list[str], name: str) -> None:
    match = {"contains": tuple(texts)}
    condition = {"subject": match, "header": {"X": match}, "body": match, "list": match}
    rules = rules_of(
        {"name": name, "if": condition, "then": "stop"}, {"name": name, "then": {"reject": "\n".join(texts)}}
    )
    (refused,) = outcome(rules, LETTER).actions
    assert isinstance(refused, Reject)
    assert refused.reason == "\n".join(texts).replace("\n", "\r\n")
    text = texts[0].strip().replace("\n", " ").replace("\t", " ")
    if text and text.isprintable():
        rules = rules_of({"name": name, "if": {"body": {"contains": text}}, "then": "discard"})
        assert outcome(rules, Letter(body=text)).actions == (Discard(),)
