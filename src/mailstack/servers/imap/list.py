"""LIST, basic and extended. RFC 3501 §6.3.8, RFC 5258, RFC 9051 §6.3.9, RFC 5819, RFC 8440, RFC 9590."""

from mailstack.model.errors import DomainError
from mailstack.model.mailbox import DELIMITER
from mailstack.model.rights import Right, shown_rights
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.servers.imap.status import say_status
from mailstack.services.mailbox.listing import Listed, Selection, list_mailboxes
from mailstack.services.mailbox.metadata import Wanted, read_each
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.places import Place
from mailstack.services.mailbox.special_use import ATTRIBUTES
from mailstack.wire.imap.commands.list import List, ReturnOption, SelectionOption
from mailstack.wire.imap.responses import ListData, MetadataData, MyRightsData

_CRITERIA = (SelectionOption.SUBSCRIBED, SelectionOption.SPECIAL_USE)


async def run(session: Session, request: List) -> Completed:
    if not request.is_extended and request.patterns == ("",):
        # RFC 3501 §6.3.8: an empty pattern asks for the delimiter and the root of the reference, which is empty here.
        session.connection.say(ListData(attributes=("\\Noselect",), delimiter=DELIMITER, name=""))
        return ok("LIST completed")
    # RFC 5258 §3: an empty pattern among others names nothing.
    patterns = tuple(Pattern(request.reference, pattern) for pattern in request.patterns if pattern)
    selection = Selection(
        patterns=patterns,
        is_subscribed=SelectionOption.SUBSCRIBED in request.selection,
        has_special_use=SelectionOption.SPECIAL_USE in request.selection,
        is_recursive=SelectionOption.RECURSIVEMATCH in request.selection,
    )
    found = await list_mailboxes(session.mail, selection)
    metadata = await _metadata(request, found)
    # RFC 5258 §3.1: SUBSCRIBED as a criterion implies SUBSCRIBED as a return option.
    with_subscribed = selection.is_subscribed or ReturnOption.SUBSCRIBED in request.returned
    criteria = tuple(option.value for option in _CRITERIA if option in request.selection)
    for listed, entries in zip(found, metadata, strict=True):
        kept = attributes(listed, is_extended=request.is_extended, with_subscribed=with_subscribed)
        child_info = criteria if listed.is_above_selected else ()
        session.connection.say(ListData(attributes=kept, delimiter=DELIMITER, name=listed.path, child_info=child_info))
        if listed.place is not None:
            await _say_more(session, request, listed.place)
        if entries is not None:
            session.connection.say(entries)
        await session.connection.flush_when_full()
    return ok("LIST completed")


def attributes(listed: Listed, *, is_extended: bool = False, with_subscribed: bool = False) -> tuple[str, ...]:
    place = listed.place
    kept = []
    if place is None:
        # RFC 5258 §3: \NonExistent implies \Noselect, which is all that others understand.
        kept.append("\\NonExistent" if is_extended else "\\Noselect")
    elif Right.READ not in place.rights:
        kept.append("\\Noselect")
    if with_subscribed and listed.is_subscribed:
        kept.append("\\Subscribed")
    kept.append("\\HasChildren" if listed.has_children else "\\HasNoChildren")  # RFC 3348 §3
    role = place.mailbox.role if place is not None and place.mail.is_own else None
    if role is not None and role in ATTRIBUTES:
        kept.append(ATTRIBUTES[role])
    return tuple(kept)


async def _say_more(session: Session, request: List, place: Place) -> None:
    if ReturnOption.MYRIGHTS in request.returned:
        session.connection.say(MyRightsData(name=place.path, rights=shown_rights(place.rights)))
    if request.status_items and Right.READ in place.rights:
        try:
            await say_status(session, place, request.status_items)
        except DomainError:
            return  # RFC 5819 §2: what cannot be told of one mailbox does not spoil the list


async def _metadata(request: List, found: list[Listed]) -> list[MetadataData | None]:
    """RFC 9590 §3: of each mailbox, NIL where an entry is not set."""
    answers: list[MetadataData | None] = [None] * len(found)
    if not request.entries:
        return answers
    places = {at: listed.place for at, listed in enumerate(found) if listed.place is not None}
    read = await read_each(list(places.values()), Wanted(names=request.entries))
    for (at, place), entries in zip(places.items(), read, strict=True):
        values = tuple((name, entries.get(name)) for name in request.entries)
        answers[at] = MetadataData(name=place.path, entries=values)
    return answers
