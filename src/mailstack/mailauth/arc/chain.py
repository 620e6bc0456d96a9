"""The sets of a chain, put in order: one of each of three fields an instance. RFC 8617 §4.2, §5.2 steps 1-3.

Not the signatures in them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailstack.formats.headers import Field
from mailstack.mailauth.dkim.signature import Tags, read_tags
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dkim.unverifiable import Unverifiable, failed

T = TypeVar("T")

MOST_SETS = 50  # RFC 8617 §4.2.1

RESULTS_FIELD = b"arc-authentication-results"
MESSAGE_FIELD = b"arc-message-signature"
SEAL_FIELD = b"arc-seal"

# RFC 8617 §4.2.1: position = 1*2DIGIT
_POSITION = re.compile(rb"[0-9]{1,2}")
# RFC 8617 §4.1.1: arc-payload begins with the instance. CFWS: white space alone, as everyone writes it.
_RESULTS = re.compile(rb"\s*+i\s*+=\s*+([0-9]{1,2})\s*+;")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedField:
    """A field with its tags."""

    field: Field
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSet:
    """results: ARC-Authentication-Results. results_start: past its instance."""

    results: Field
    results_start: int
    message: SealedField
    seal: SealedField


def read_chain(message: SignedMessage) -> tuple[ArcSet, ...]:
    """From instance 1 on; () where there is none. Raises Unverifiable for what is no chain."""
    counts = [len(message.fields(name)) for name in (RESULTS_FIELD, MESSAGE_FIELD, SEAL_FIELD)]
    if not any(counts):
        return ()
    # RFC 8617 §5.2 step 1: more than 50 sets make a chain that fails.
    if max(counts) > MOST_SETS:
        raise failed(f"the chain has more than {MOST_SETS} sets")
    results: dict[int, tuple[Field, int]] = {}
    for field in message.fields(RESULTS_FIELD):
        found = _RESULTS.match(field.value)
        if found is None:
            raise failed("results in the chain have no instance")
        _add(results, _position(found[1]), (field, found.end()))
    messages = _by_instance(message.fields(MESSAGE_FIELD))
    seals = _by_instance(message.fields(SEAL_FIELD))
    # RFC 8617 §5.2 step 3: each set is whole, and instances are without a gap.
    instances = range(1, len(seals) + 1)
    if not (results.keys() == messages.keys() == seals.keys() == set(instances)):
        raise failed("the chain has gaps")
    return tuple(
        ArcSet(results=results[i][0], results_start=results[i][1], message=messages[i], seal=seals[i])
        for i in instances
    )


def highest_instance(message: SignedMessage) -> int:
    """Of what can be read, however broken the rest; 0 without any."""
    found = [int(i[1]) for i in map(_RESULTS.match, (field.value for field in message.fields(RESULTS_FIELD))) if i]
    for name in (MESSAGE_FIELD, SEAL_FIELD):
        found.extend(instance for instance, _ in _readable(message.fields(name)))
    return max(found, default=0)


def broken_instances(message: SignedMessage) -> set[int]:
    """Of seals that say cv=fail, however broken the rest."""
    seals = _readable(message.fields(SEAL_FIELD))
    return {instance for instance, tags in seals if b"cv" in tags and tags[b"cv"].value == b"fail"}


def _by_instance(fields: Sequence[Field]) -> dict[int, SealedField]:
    found: dict[int, SealedField] = {}
    for field in fields:
        tags = read_tags(field.value)
        if b"i" not in tags:
            raise failed("a signature in the chain has no instance")
        _add(found, _position(tags[b"i"].value), SealedField(field=field, tags=tags))
    return found


def _readable(fields: Sequence[Field]) -> Iterator[tuple[int, Tags]]:
    for field in fields:
        try:
            tags = read_tags(field.value)
        except Unverifiable:
            continue
        if b"i" in tags and _POSITION.fullmatch(tags[b"i"].value):
            yield int(tags[b"i"].value), tags


def _position(text: bytes) -> int:
    if not _POSITION.fullmatch(text):
        raise failed("an instance in the chain is no number")
    return int(text)


def _add(found: dict[int, T], instance: int, item: T) -> None:
    # RFC 8617 §5.2 step 3: no two fields of a kind with the same instance.
    if instance in found:
        raise failed("an instance of the chain is there twice")
    found[instance] = item
