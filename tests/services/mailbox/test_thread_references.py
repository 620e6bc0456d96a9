"""THREAD=REFERENCES, step by step of RFC 5256 §3, and what no header field may bring about."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.subject import base_subject
from mailstack.model.instant import Instant
from mailstack.model.sorting import Forest
from mailstack.services.mailbox.thread_references import Threaded, by_references
from mailstack.wire.imap.search_data import thread_pieces


def message(header_id: str, *references: str, subject: str = "", sent_at: int = 0) -> Threaded:
    return Threaded(
        header_id=header_id,
        references=references,
        subject=subject,
        base_subject=base_subject(subject),
        sent_at=Instant(sent_at),
    )


def shown(*messages: Threaded) -> str:
    """As THREAD writes it, with the numbers of the messages from 1."""
    forest = by_references(messages)
    return b"".join(thread_pieces(forest, range(1, len(messages) + 1))).decode().removeprefix("* THREAD").strip()


@pytest.mark.parametrize(
    ("messages", "threads"),
    [
        ((), ""),
        ((message("a"),), "(1)"),
        ((message("a"), message("b", "a"), message("c", "a", "b")), "(1 2 3)"),
        ((message("a"), message("b", "a"), message("c", "a")), "(1 (2)(3))"),
        # (1)(A): links between references, though the messages between are not there
        ((message("a"), message("c", "a", "b"), message("d", "a", "b")), "(1 (2)(3))"),
        # (1)(A): of two with one id the first is meant
        ((message("a"), message("a"), message("b", "a")), "(1 3)(2)"),
        # (1)(A): without an id nobody can refer to it
        ((message(""), message(""), message("b", "a")), "(1)(2)(3)"),
        # (1)(B): its own references count more than those that others show between
        ((message("x"), message("c", "x", "b"), message("a"), message("b", "a")), "(1)(3 4 2)"),
        # (1)(B): who has no references has no parent, whatever others say
        ((message("c", "a", "b"), message("b"), message("a")), "(2 1)(3)"),
        # (3): one that is not there stays for two children, and no dummy is a child
        ((message("b", "a"), message("c", "a")), "((1)(2))"),
        ((message("b", "a"), message("c", "a", "z")), "((1)(2))"),
        ((message("c", "a", "b"),), "(1)"),
        # a quoted id is the same id
        ((message('"a"@x'), message("b", "a@x")), "(1 2)"),
        # case matters
        ((message("A"), message("b", "a")), "(1)(2)"),
        # loops
        ((message("a", "a"),), "(1)"),
        ((message("a", "b"), message("b", "a")), "(2 1)"),
        ((message("a", "c"), message("b", "a"), message("c", "b")), "(3 1 2)"),
        ((message("a", "b", "a"), message("b", "a", "b")), "(1)(2)"),
    ],
)
def test_parents(messages: tuple[Threaded, ...], threads: str) -> None:
    assert shown(*messages) == threads


def test_siblings_stand_by_their_dates() -> None:
    assert (
        shown(
            message("a", sent_at=9),
            message("b", "a", sent_at=8),
            message("c", "a", sent_at=7),
            message("d", sent_at=5),
            message("e", "gone", sent_at=6),
            message("f", "gone", sent_at=4),
            message("g", sent_at=5),
        )
        == "((6)(5))(4)(7)(1 (3)(2))"
    )


@pytest.mark.parametrize(
    ("subjects", "threads"),
    [
        # (5)(C): a reply goes under what it answers
        (("x", "Re: x"), "(1 2)"),
        (("Re: x", "x"), "(2 1)"),
        (("x", "RE: X (fwd)", "Fwd: x"), "(1 (2)(3))"),
        # two of a kind under one that is not there
        (("x", "x"), "((1)(2))"),
        (("Re: x", "Re: x", "[Fwd: x]"), "((1)(2)(3))"),
        (("x", "x", "Re: x"), "((1)(2)(3))"),
        # (5)(B)(ii): no subject, no thread
        (("", "", "Re:"), "(1)(2)(3)"),
        (("Straße", "re: STRAßE"), "(1 2)"),
        (("x", "y", "Re: y", "Re: x"), "(1 4)(2 3)"),
    ],
)
def test_subjects(subjects: tuple[str, ...], threads: str) -> None:
    assert shown(*(message(f"m{at}", subject=subject, sent_at=at) for at, subject in enumerate(subjects))) == threads


def test_threads_of_one_subject_whose_beginnings_are_not_there() -> None:
    # (5)(C): children of two that are not there become siblings, and a message becomes one of them.
    pair = [message(f"m{at}", parent, subject="x", sent_at=at) for at, parent in enumerate(("p", "p", "q", "q"))]

    assert shown(*pair) == "((1)(2)(3)(4))"
    assert shown(*pair[:2], message("z", subject="x", sent_at=9)) == "((1)(2)(3))"
    assert shown(message("z", subject="x"), *pair[:2]) == "((1)(2)(3))"


def nodes(forest: Forest) -> list[int]:
    found = list(forest.roots)
    for node in found:
        found.extend(forest.children.get(node, ()))
        assert len(found) < 1_000_000
    return found


ids = st.sampled_from(["", *"abcdefgh"])


@settings(derandomize=True, max_examples=300)
@given(
    st.lists(
        st.builds(
            lambda header_id, references, subject, sent_at: message(
                header_id, *references, subject=subject, sent_at=sent_at
            ),
            ids,
            st.lists(ids.filter(bool), max_size=5),
            st.sampled_from(["", "x", "Re: x", "y", "Fwd: y", "[fwd: z]", "z"]),
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
def test_every_message_comes_out_once(messages: Sequence[Threaded]) -> None:
    forest = by_references(messages)
    found = nodes(forest)

    assert sorted(node for node in found if node < len(messages)) == list(range(len(messages)))
    assert len(set(found)) == len(found)
    assert all(len(forest.children[node]) > 1 for node in found if node >= len(messages))
    assert all(node in forest.roots for node in found if node >= len(messages))


def hostile(kind: str, count: int) -> list[Threaded]:
    chance = random.Random(1)
    match kind:
        case "chain":
            return [message(f"m{at}", f"m{at - 1}", subject="Re: x", sent_at=at) for at in range(count)]
        case "shuffled chain":
            chain = hostile("chain", count)
            chance.shuffle(chain)
            return chain
        case "circle":
            return [message(f"m{at}", f"m{(at + 1) % count}", subject="x") for at in range(count)]
        case "ladder of the missing":
            return [message(f"m{at}", f"d{count - at}", f"d{count - at + 1}") for at in range(count)]
        case "any to any":
            return [message(f"m{at}", *(f"m{chance.randrange(count)}" for _ in range(20))) for at in range(count)]
        case _:
            return [message("m", "m", subject="x") for _ in range(count)]


@pytest.mark.parametrize(
    "kind", ["chain", "shuffled chain", "circle", "ladder of the missing", "any to any", "the same id"]
)
def test_ten_thousand_messages_deep(kind: str) -> None:
    messages = hostile(kind, 10_000)
    found = nodes(by_references(messages))

    assert sorted(node for node in found if node < len(messages)) == list(range(len(messages)))
