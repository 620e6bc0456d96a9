"""A mailbox opened by a session: its view, and what the session says of it at once. RFC 3501 §6.3.1."""

from dataclasses import dataclass

from mailstack.model.rights import CHANGING_RIGHTS
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.places import Place, find_readable
from mailstack.services.mailbox.selected import SelectedMailbox

MAX_KEYWORDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """first_unseen: its position, None where there is none. keywords: ever used there, sorted."""

    view: SelectedMailbox
    place: Place
    first_unseen: int | None = None
    keywords: tuple[str, ...] = ()


async def open_mailbox(mail: AccountMail, path: str, *, is_read_only: bool) -> Opened:
    """For reading only, too, where nothing may be changed (RFC 4314 §5.2). Raises NotFound, Forbidden."""
    place = await find_readable(mail, path)
    mail, mailbox = place.mail, place.mailbox
    is_read_only = is_read_only or not place.rights & CHANGING_RIGHTS
    view = await mail.views.current(mail.account_id, mailbox.mailbox_id)
    keywords = await view.keywords()
    selected = SelectedMailbox(mail, mailbox.mailbox_id, view, is_read_only=is_read_only, role=mailbox.role)
    return Opened(
        view=selected,
        place=place,
        first_unseen=view.first_unseen(),
        keywords=tuple(keywords[:MAX_KEYWORDS]),
    )
