"""The mailboxes of an account as a tree of paths. RFC 9051 §5.1. What can be done to it: services.mailbox.hierarchy."""

from collections.abc import Iterator, Sequence

from mailstack.model.errors import Invalid, NotFound, TooLarge
from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import DELIMITER, INBOX, Mailbox
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path, split_path


class MailboxTree:
    """A view of one moment. Not changed by what is done to the mailboxes afterwards."""

    def __init__(self, mailboxes: Sequence[Mailbox]) -> None:
        self._parents = {mailbox.parent_id for mailbox in mailboxes}
        self._by_path = dict(zip(_paths(mailboxes), mailboxes, strict=True))

    def __len__(self) -> int:
        return len(self._by_path)

    def __iter__(self) -> Iterator[tuple[str, Mailbox]]:
        """Paths and mailboxes, INBOX first, the rest by name, parents before children."""
        # No name holds a control character, so NUL in the delimiter's place sorts as the names one by one would.
        return iter(
            sorted(self._by_path.items(), key=lambda entry: (entry[0] != INBOX, entry[0].replace(DELIMITER, "\0")))
        )

    def find(self, path: str) -> Mailbox | None:
        try:
            return self._by_path.get(join_path(split_path(path)))
        except (Invalid, TooLarge):
            return None

    def get(self, path: str) -> Mailbox:
        """Raises NotFound."""
        mailbox = self.find(path)
        if mailbox is None:
            raise NotFound("no such mailbox")
        return mailbox

    def names_of(self, mailbox_id: MailboxId) -> tuple[str, ...]:
        """Of one that is in the tree."""
        return next(split_path(path) for path, mailbox in self._by_path.items() if mailbox.mailbox_id == mailbox_id)

    def below(self, mailbox_id: MailboxId) -> list[str]:
        """The paths of what lies below it, each from there on, with the delimiter before it."""
        top = join_path(self.names_of(mailbox_id))
        return [path[len(top) :] for path in self._by_path if path.startswith(top + DELIMITER)]

    def has_children(self, mailbox_id: MailboxId) -> bool:
        return mailbox_id in self._parents


async def load_tree(mail: AccountMail) -> MailboxTree:
    return MailboxTree(await mail.mailboxes.list(mail.account_id))


def _paths(mailboxes: Sequence[Mailbox]) -> Iterator[str]:
    """Of each, in their order."""
    by_id = {mailbox.mailbox_id: mailbox for mailbox in mailboxes}
    found: dict[MailboxId | None, str] = {None: ""}

    def path(mailbox: Mailbox) -> str:
        if mailbox.parent_id not in found:
            path(by_id[mailbox.parent_id])  # type: ignore[index]  # None was found
        above = found[mailbox.parent_id]
        found[mailbox.mailbox_id] = whole = f"{above}{DELIMITER}{mailbox.name}" if above else mailbox.name
        return whole

    return map(path, mailboxes)
