"""Secrets of providers, kept out of what their libraries say of a fault: some have them in the URL that they quote."""

from collections.abc import Collection
from urllib.parse import quote, quote_plus

from mailstack.reconcile.dns.octo import OctoProvider

SHORTEST = 4
"""What is shorter stands in many words, and is no secret."""
SHOWN = "(secret)"
_ATTRIBUTE = "mailstack_secrets"


def keep_unsaid(provider: OctoProvider, secrets: Collection[str]) -> None:
    setattr(provider, _ATTRIBUTE, tuple(secrets))


def secrets_of(provider: OctoProvider) -> Collection[str]:
    found: tuple[str, ...] = getattr(provider, _ATTRIBUTE, ())
    return found


def without(secrets: Collection[str], text: str) -> str:
    """The longest first: one may be a part of another."""
    forms = {form for one in secrets for form in (one, quote(one, safe=""), quote_plus(one), repr(one)[1:-1])}
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= SHORTEST:
            text = text.replace(form, SHOWN)
    return text
