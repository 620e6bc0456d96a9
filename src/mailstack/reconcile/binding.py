"""What ties a kept plan to the secrets that it was made with, and tells nobody what they are. Pure.

The server knows each secret by a digest under a key of its own. What a plan holds is a hash of that one with the spec
and the live state: without the key nobody can test guesses by it, and two plans do not tell whether their secrets are
the same.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Change, FieldChange, Mark, Plan
from mailstack.reconcile.wanted import is_guessable

SecretName = tuple[str, str, str]
"""Kind and name of the resource, and the field."""


def bind(steps: Sequence[Step], seal: str, *, tells_guesses: bool) -> tuple[Step, ...]:
    """seal: of the spec and the live state. tells_guesses: also of secrets that people can think of."""
    return tuple(_bound(step, seal, tells_guesses=tells_guesses) for step in steps)


def digests_of(changes: Sequence[Change]) -> Mapping[SecretName, str]:
    """Of all secrets that change; "" of those that apply makes, and of those that nothing is known of."""
    return {
        (change.kind, change.name, item.name): item.digest
        for change in changes
        for item in change.fields
        if item.mark is Mark.SECRET
    }


def moved_secret(kept: Mapping[SecretName, str], plan: Plan) -> SecretName | None:
    """One that is not what it was when the plan was kept; what is not known on both sides may be the same."""
    for name, digest in digests_of(plan.changes).items():
        if name not in kept or (digest and kept[name] and digest != kept[name]):
            return name
    return None


def _bound(step: Step, seal: str, *, tells_guesses: bool) -> Step:
    if not any(item.mark is Mark.SECRET for item in step.change.fields):
        return step
    fields = tuple(_tied(item, step, seal, tells_guesses=tells_guesses) for item in step.change.fields)
    return replace(step, change=replace(step.change, fields=fields))


def _tied(item: FieldChange, step: Step, seal: str, *, tells_guesses: bool) -> FieldChange:
    kind, secret = step.wanted.resource.kind, step.wanted.secrets.get(item.name)
    if item.mark is not Mark.SECRET or secret is None or (is_guessable(kind, secret) and not tells_guesses):
        return item
    digest = step.wanted.resource.digests[item.name]
    text = "\0".join(("kept plan", seal, kind.value, step.change.name, item.name, digest))
    return replace(item, digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
