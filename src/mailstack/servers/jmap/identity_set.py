"""Identity/set. RFC 8621 §6.3, RFC 8620 §5.3."""

from collections.abc import Mapping, Sequence
from typing import Any

from mailstack.model.errors import Conflict, DomainError, Invalid, NotOwnAddress
from mailstack.model.principal import Account
from mailstack.model.sending_identity import SendingIdentity
from mailstack.servers.jmap.getting import read_if_number
from mailstack.servers.jmap.identities import identity_object, identity_state, require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.services.sending_identities import IdentitiesDraft
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.identity_wanted import IdentityWanted, read_identity
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.session import SUBMISSION

_Objects = Mapping[str, Mapping[str, Any]]
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)
_WILL_DESTROY = SetFault(type=SetFaultType.WILL_DESTROY)
_FORBIDDEN_FROM = SetFault(type=SetFaultType.FORBIDDEN_FROM, description="not an address of this account")


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = arguments.ids("destroy") or ()
    if_number = read_if_number(arguments)
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    writing = _Writing(call, account, create, update, destroy)
    try:
        before, number = await call.service.identities.change(account, writing.work, if_number=if_number)
    except Conflict:
        raise MethodFault(MethodFaultType.STATE_MISMATCH) from None
    return {
        "accountId": account.account_id,
        "oldState": identity_state(before.number),
        "newState": identity_state(number),
        **writing.answer.as_json(),
    }


class _Writing:
    """All of one call; done anew where others were faster."""

    def __init__(
        self, call: Call, account: Account, create: _Objects, update: _Objects, destroy: Sequence[str]
    ) -> None:
        self._call = call
        self._account = account
        self._create = create
        self._update = update
        self._destroy = destroy
        self.answer = SetAnswer()

    async def work(self, draft: IdentitiesDraft) -> None:
        self.answer = answer = SetAnswer()
        for key, given in self._create.items():
            try:
                made = identity_object(await self._made(draft, given))
            except (NotSet, DomainError) as fault:
                answer.not_created[key] = _refusal(fault)
            else:
                self._call.created[key] = made["id"]
                answer.created[key] = {name: value for name, value in made.items() if name not in given}
        going = [*dict.fromkeys(map(self._call.id_of, self._destroy))]
        for identity_id, patch in [(self._call.id_of(key), patch) for key, patch in self._update.items()]:
            try:
                self._change(draft, identity_id, patch, is_going=identity_id in going)
                answer.updated[identity_id] = None
            except (NotSet, DomainError) as fault:
                answer.not_updated[identity_id] = _refusal(fault)
        for identity_id in going:
            try:
                draft.destroy(identity_id)
                answer.destroyed.append(identity_id)
            except DomainError as fault:
                answer.not_destroyed[identity_id] = _refusal(fault)

    async def _made(self, draft: IdentitiesDraft, given: Mapping[str, Any]) -> SendingIdentity:
        wanted = read_identity(given)
        try:
            await self._call.service.identities.require_sender(self._account, wanted.email)
        except Invalid as fault:
            raise invalid_property("email", fault.detail) from None
        return draft.create(_identity("", wanted))

    def _change(self, draft: IdentitiesDraft, identity_id: str, patch: Mapping[str, Any], *, is_going: bool) -> None:
        found = draft.there.get(identity_id)
        if found is None:
            raise NotSet(_NOT_FOUND)
        if is_going:
            raise NotSet(_WILL_DESTROY)
        before = identity_object(found)
        draft.update(_identity(identity_id, read_identity(apply_patch(before, patch), fixed=before)))


def _identity(identity_id: str, wanted: IdentityWanted) -> SendingIdentity:
    return SendingIdentity(
        identity_id=identity_id,
        email=wanted.email,
        name=wanted.name,
        reply_to=wanted.reply_to,
        bcc=wanted.bcc,
        text_signature=wanted.text_signature,
        html_signature=wanted.html_signature,
    )


def _refusal(fault: NotSet | DomainError) -> SetFault:
    return _FORBIDDEN_FROM if isinstance(fault, NotOwnAddress) else refusal(fault)


METHOD = Method(name="Identity/set", capability=SUBMISSION, run=run)
