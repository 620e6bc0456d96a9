"""One account's mail: who it belongs to, who looks at it, and the ports through which it is reached."""

from dataclasses import dataclass, replace

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.annotations import Annotations
from mailstack.ports.changes import Changes
from mailstack.ports.emails import Emails
from mailstack.ports.mailboxes import Mailboxes
from mailstack.ports.messages import Messages
from mailstack.ports.search import Search
from mailstack.ports.sharing import Sharing
from mailstack.ports.spam_lessons import Noting
from mailstack.ports.tree_changes import TreeChanges
from mailstack.services.mailbox.views import ViewCache


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMail:
    """Every use case on mailboxes takes one, so none can reach another account's mail by mistake.

    account: the owner, whose quota counts. viewer: who is logged in; services.mailbox.access says what they may.
    """

    account: Account
    viewer: Account
    mailboxes: Mailboxes
    messages: Messages
    emails: Emails
    changes: Changes
    search: Search
    accounts: Accounts
    sharing: Sharing
    annotations: Annotations
    tree_changes: TreeChanges
    views: ViewCache
    lessons: Noting

    @property
    def account_id(self) -> AccountId:
        return self.account.account_id

    @property
    def is_own(self) -> bool:
        return self.viewer.account_id == self.account.account_id

    def of(self, owner: Account) -> "AccountMail":
        """Another's mail, seen by the same."""
        return replace(self, account=owner)
