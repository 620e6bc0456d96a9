"""Emails that accounts have given to be sent, as they see them afterwards. Their mail is the queue's: it enters it, and
what becomes of it is written, in one transaction with what is told here. RFC 8621 §7."""

from collections.abc import Collection, Sequence
from typing import Protocol

from mailstack.model.delivery import OutgoingMail
from mailstack.model.email_submission import EmailSubmission, SubmissionList
from mailstack.model.ids import AccountId, SubmissionId
from mailstack.model.instant import Instant


class EmailSubmissions(Protocol):
    """if_number: the journal's of the account's submissions, None for any; where it is another, the writes raise
    Conflict, and write nothing."""

    async def add(
        self,
        account_id: AccountId,
        submission: EmailSubmission,
        mails: Sequence[OutgoingMail],
        *,
        now: Instant,
        most: int,
        if_number: int | None = None,
    ) -> None:
        """mails: have its id, and are due when it is. most: of an account; the oldest that are not pending give way.
        Raises TooMany, Conflict, TryAgainLater."""
        ...

    async def heads(self, account_id: AccountId) -> SubmissionList:
        """Of all, those that go first first; as they were at one moment."""
        ...

    async def get(self, account_id: AccountId, submission_ids: Collection[SubmissionId]) -> Sequence[EmailSubmission]:
        """Those that there are."""
        ...

    async def cancel(
        self, account_id: AccountId, submission_id: SubmissionId, *, now: Instant, if_number: int | None = None
    ) -> bool:
        """Its mail is taken out of the queue; False where it is on its way, or was canceled. Raises NotFound,
        Conflict."""
        ...

    async def destroy(
        self,
        account_id: AccountId,
        submission_ids: Collection[SubmissionId],
        *,
        now: Instant,
        if_number: int | None = None,
    ) -> Collection[SubmissionId]:
        """Those that there were; what becomes of their mail is told to nobody any more. Raises Conflict."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """Those that went long ago; returns how many. Once a day is often enough."""
        ...
