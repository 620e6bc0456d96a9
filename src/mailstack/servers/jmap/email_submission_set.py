"""EmailSubmission/set: emails are sent, and taken back while they wait. RFC 8621 §7.5, RFC 8620 §5.3."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.email_submission import EmailSubmission, UndoStatus
from mailstack.model.errors import Conflict, DomainError
from mailstack.model.ids import SubmissionId
from mailstack.servers.jmap import email_set
from mailstack.servers.jmap.email_submissions import submission_number, submission_object, submission_state
from mailstack.servers.jmap.getting import read_if_number
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.servers.jmap.submission_making import make_submission
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.settable import check_settable
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.session import SUBMISSION

_Objects = Mapping[str, Mapping[str, Any]]
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)
_WILL_DESTROY = SetFault(type=SetFaultType.WILL_DESTROY)
_CANNOT_UNSEND = SetFault(type=SetFaultType.CANNOT_UNSEND, description="it is on its way")


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account_id = (await require_own(call, arguments.id("accountId"))).account_id
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = arguments.ids("destroy") or ()
    if_number = read_if_number(arguments)
    on_update, on_destroy = arguments.updates("onSuccessUpdateEmail"), arguments.ids("onSuccessDestroyEmail")
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    before = await submission_number(call, account_id)
    if if_number not in (None, before):
        raise MethodFault(MethodFaultType.STATE_MISMATCH)
    setting = _Setting(call, await call.mail(account_id), if_number)
    try:
        await setting.create(create)
        going = [*dict.fromkeys(map(call.id_of, destroy))]
        await setting.update({call.id_of(key): patch for key, patch in update.items()}, going)
        await setting.destroy(going)
    except Conflict:
        raise MethodFault(MethodFaultType.STATE_MISMATCH) from None
    setting.follow(on_update or {}, on_destroy or ())
    return {
        "accountId": account_id,
        "oldState": submission_state(before),
        "newState": submission_state(await submission_number(call, account_id)),
        **setting.answer.as_json(),
    }


METHOD = Method(name="EmailSubmission/set", capability=SUBMISSION, run=run)


class _Setting:
    """One call. if_number: what its first write compares; what follows is its own doing."""

    def __init__(self, call: Call, mail: AccountMail, if_number: int | None) -> None:
        self._call = call
        self._mail = mail
        self._if_number = if_number
        self._email_ids: dict[str, str] = {}
        self.answer = SetAnswer()

    async def create(self, wanted: _Objects) -> None:
        """Raises Conflict."""
        for key, given in wanted.items():
            try:
                made = await make_submission(self._call, self._mail, given, if_number=self._if_number)
            except Conflict:
                raise
            except (NotSet, DomainError) as fault:
                self.answer.not_created[key] = refusal(fault)
            else:
                self._if_number = None
                shown = self._succeeded(made)
                self._call.created[key] = shown["id"]
                # What the client did not say; an envelope that it left to the server among it.
                self.answer.created[key] = {name: value for name, value in shown.items() if given.get(name) is None}

    async def update(self, patches: _Objects, going: Sequence[str]) -> None:
        """Raises Conflict."""
        there = await self._there([*patches])
        for submission_id, patch in patches.items():
            try:
                if submission_id not in there:
                    raise NotSet(_NOT_FOUND)
                if submission_id in going:
                    raise NotSet(_WILL_DESTROY)
                await self._change(there[submission_id], patch)
            except Conflict:
                raise
            except (NotSet, DomainError) as fault:
                self.answer.not_updated[submission_id] = refusal(fault)
            else:
                self._succeeded(there[submission_id])
                self.answer.updated[submission_id] = None

    async def destroy(self, submission_ids: Sequence[str]) -> None:
        """Raises Conflict."""
        there = await self._there(submission_ids)
        gone = (
            await self._call.service.sending.kept.destroy(
                self._mail.account_id,
                [*map(SubmissionId, there)],
                now=self._call.service.clock(),
                if_number=self._if_number,
            )
            if there
            else ()
        )
        for each in submission_ids:
            if each in gone:
                self._succeeded(there[each])
                self.answer.destroyed.append(each)
            else:
                self.answer.not_destroyed[each] = _NOT_FOUND

    def follow(self, updates: _Objects, destroys: Sequence[str]) -> None:
        """RFC 8621 §7.5: what becomes of the emails of those that succeeded, in one call for all."""
        named = {self._call.id_of(key): patch for key, patch in updates.items()}
        update = {self._email_ids[each]: patch for each, patch in named.items() if each in self._email_ids}
        ids = map(self._call.id_of, destroys)
        destroy = [*dict.fromkeys(self._email_ids[each] for each in ids if each in self._email_ids)]
        if update or destroy:
            given = {"accountId": self._mail.account_id, "update": update, "destroy": destroy}
            self._call.implied.append((email_set.METHOD.name, given))

    async def _there(self, ids: Sequence[str]) -> dict[str, EmailSubmission]:
        found = await self._call.service.sending.kept.get(self._mail.account_id, [*map(SubmissionId, ids)])
        return {each.head.submission_id: each for each in found}

    async def _change(self, before: EmailSubmission, patch: Mapping[str, Any]) -> None:
        """Raises NotSet, DomainError."""
        shown = submission_object(self._mail.account_id, before)
        after = apply_patch(shown, patch)
        # RFC 8621 §7.5: only undoStatus changes, and to "canceled" alone.
        check_settable(after, {"undoStatus"}, fixed=shown)
        wanted = after.get("undoStatus")
        if wanted == before.head.undo_status:
            return
        if wanted != UndoStatus.CANCELED:
            raise invalid_property("undoStatus", "can be made canceled, and nothing else")
        head = before.head
        if not await self._call.service.sending.cancel(
            self._mail.account, head.submission_id, if_number=self._if_number
        ):
            raise NotSet(_CANNOT_UNSEND)
        self._if_number = None

    def _succeeded(self, submission: EmailSubmission) -> dict[str, Any]:
        shown = submission_object(self._mail.account_id, submission)
        self._email_ids[shown["id"]] = shown["emailId"]
        return shown
