"""What webmail needs: everything comes in here, nothing is looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.principal import Account
from mailstack.servers.http.signed_in import SignedIn
from mailstack.servers.webmail.picture_links import PictureLinks
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.pictures.fetching import PictureFetching


@dataclass(frozen=True, slots=True, kw_only=True)
class WebmailService:
    """mail_of: an account's own mail, seen by itself. hostname: ours, as it stands on top of mail that came."""

    signed_in: SignedIn
    mail_of: Callable[[Account], AccountMail]
    hostname: str
    pictures: PictureFetching
    picture_links: PictureLinks
