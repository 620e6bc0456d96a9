"""NOTIFY: which events of which mailboxes the client wants to hear of, at any time. RFC 5465 §3.1, §8."""

from dataclasses import dataclass

from mailstack.model.events import MESSAGE_EVENTS, EventName
from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem
from mailstack.wire.imap.fetch_items import Item, item_list
from mailstack.wire.imap.mailbox_filter import mailbox_filter
from mailstack.wire.imap.tokens import Cursor

_SELECTED = frozenset({Reach.SELECTED, Reach.SELECTED_DELAYED})
_REACHES = frozenset(Reach) - {Reach.SUBTREE_ONE}
_EVENTS = {event.value.upper(): event for event in EventName}
_BOTH = frozenset({EventName.MESSAGE_NEW, EventName.MESSAGE_EXPUNGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGroup:
    """items: what to tell of each new message of the selected mailbox."""

    mailboxes: MailboxFilter
    events: frozenset[EventName]
    items: tuple[Item, ...] = ()

    @property
    def is_of_selected(self) -> bool:
        return self.mailboxes.reach in _SELECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """groups: None for NOTIFY NONE. wants_status: of the mailboxes at once."""

    groups: tuple[EventGroup, ...] | None
    wants_status: bool = False


def parse(cursor: Cursor) -> Notify:
    """notify = "NOTIFY" SP (notify-set / notify-none)"""
    cursor.space()
    if cursor.skip_word(b"NONE"):
        cursor.end()
        return Notify(groups=None)
    if not cursor.skip_word(b"SET"):
        raise SyntaxProblem("expected SET or NONE")
    cursor.space()
    wants_status = cursor.skip_word(b"STATUS")
    if wants_status:
        cursor.space()
    groups = [_group(cursor)]
    while cursor.skip(b" "):
        groups.append(_group(cursor))
        cursor.check_items(len(groups))
    cursor.end()
    if sum(group.is_of_selected for group in groups) > 1:
        raise SyntaxProblem("only one choice is of the selected mailbox")  # RFC 5465 §6.1
    return Notify(groups=tuple(groups), wants_status=wants_status)


def _group(cursor: Cursor) -> EventGroup:
    """event-group = "(" filter-mailboxes SP events ")" """
    cursor.require(b"(")
    mailboxes = mailbox_filter(cursor, allowed=_REACHES)
    cursor.space()
    items: tuple[Item, ...] = ()
    events: frozenset[EventName] = frozenset()
    if not cursor.skip_word(b"NONE"):
        events, items = _events(cursor)
    cursor.require(b")")
    group = EventGroup(mailboxes=mailboxes, events=events, items=items)
    _check(group)
    return group


def _events(cursor: Cursor) -> tuple[frozenset[EventName], tuple[Item, ...]]:
    """events = "(" event *(SP event) ")"; "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]"""
    cursor.require(b"(")
    events: set[EventName] = set()
    items: tuple[Item, ...] = ()
    while True:
        event = _EVENTS.get(cursor.word())
        if event is None:
            # RFC 5465 §3.1: refused, not misunderstood; and what could be had is said.
            raise RefusedProblem(f"BADEVENT ({' '.join(EventName)})", "No such event")
        events.add(event)
        if event is EventName.MESSAGE_NEW and cursor.skip(b" ("):
            items = tuple(dict.fromkeys(item_list(cursor)))
        if not cursor.skip(b" "):
            break
    cursor.require(b")")
    return frozenset(events), items


def _check(group: EventGroup) -> None:
    """RFC 5465 §5, §6.1, §8."""
    events = group.events
    if events & MESSAGE_EVENTS and not events >= _BOTH:
        raise SyntaxProblem("MessageNew and MessageExpunge come together")
    if group.is_of_selected and events - MESSAGE_EVENTS:
        raise SyntaxProblem("the selected mailbox has events of messages only")
    if group.items and not group.is_of_selected:
        raise SyntaxProblem("items are for the selected mailbox only")
