"""Whose each value of an account is: the spec's, with the place where it says so, or its user's own."""

from typing import Any

from mailstack.model.instant import iso
from mailstack.model.resource import Resource
from mailstack.spec.load import LoadedSpec
from mailstack.spec.locate import Locator

SPEC_KEYS = {
    "name": "name",
    "password": "password",
    "roles": "roles",
    "quota_bytes": "quota",
    "addresses": "addresses",
    "abilities": "can",
    "forward": "forward",
    "limits": "limits",
}
"""Of an account: the key of the spec behind each field of its resource."""


def owners_of(login: str, resource: Resource | None, loaded: LoadedSpec) -> dict[str, dict[str, Any]]:
    """By field: spec, with the place where it speaks of the account; or user, with the moment."""
    by_user = resource.by_user if resource else {}
    is_declared = login in loaded.spec.accounts
    found: dict[str, dict[str, Any]] = {}
    for field, key in SPEC_KEYS.items():
        place = loaded.locator.place(_said_at(loaded.locator, login, key)) if is_declared else None
        is_users = field in by_user or (field == "password" and not _says_password(resource))
        since = by_user.get(field)
        found[field] = {
            "owner": "user" if is_users else "spec",
            "where": None if is_users or place is None else f"{place.file}:{place.line}",
            "since": None if since is None else iso(since),
        }
    return found


def _said_at(locator: Locator, login: str, key: str) -> tuple[str, ...]:
    """The path of what the spec says; what comes from the defaults is said there."""
    own, default = ("accounts", login, key), ("defaults", "account", key)
    return default if locator.says(default) and not locator.says(own) else own


def _says_password(resource: Resource | None) -> bool:
    """An account that the spec gave no password can only have one of its user's own."""
    return resource is not None and "password" in resource.digests
