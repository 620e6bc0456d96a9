"""Which mailboxes LIST and LSUB name, and with which attributes. RFC 3501 §6.3.8-§6.3.9, RFC 3348, RFC 6154."""

from dataclasses import dataclass

from mailstack.model.mailbox import DELIMITER, MailboxRole
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.tree import MailboxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """is_selectable: False for a name that stands only for what is subscribed to below it."""

    path: str
    has_children: bool
    role: MailboxRole | None
    is_selectable: bool = True


def list_mailboxes(tree: MailboxTree, pattern: Pattern) -> list[Listed]:
    return [
        Listed(path=path, has_children=tree.has_children(mailbox.mailbox_id), role=mailbox.role)
        for path, mailbox in tree
        if pattern.matches(path)
    ]


def list_subscribed(tree: MailboxTree, pattern: Pattern) -> list[Listed]:
    """RFC 3501 §6.3.9: where `%` stops above something subscribed, its parent is named, as not selectable."""
    listed: dict[str, Listed] = {}
    for path, mailbox in tree:
        if not mailbox.is_subscribed:
            continue
        for parent in _parents(path):
            if parent not in listed and not pattern.matches(path) and pattern.matches(parent):
                listed[parent] = Listed(path=parent, has_children=True, role=None, is_selectable=False)
        if pattern.matches(path):
            has_children = tree.has_children(mailbox.mailbox_id)
            listed[path] = Listed(path=path, has_children=has_children, role=mailbox.role)
    return list(listed.values())


def _parents(path: str) -> list[str]:
    names = path.split(DELIMITER)
    return [DELIMITER.join(names[:depth]) for depth in range(1, len(names))]
