"""SieveScript/set: as PUTSCRIPT, RENAMESCRIPT, DELETESCRIPT and SETACTIVE. RFC 9661 §2.4, RFC 8620 §5.3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from mailstack.model.errors import AlreadyExists, Conflict, DomainError, Forbidden, InUse, Invalid, TooMany
from mailstack.model.log_events import plain
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.principal import Account
from mailstack.model.script import Activation, EditedScripts, ScriptEdit, ScriptEntry
from mailstack.servers.jmap.getting import read_if_number
from mailstack.servers.jmap.identities import require_own
from mailstack.servers.jmap.method import Call, Method
from mailstack.servers.jmap.set_answer import SetAnswer, refusal
from mailstack.servers.jmap.sieve_script_content import read_script
from mailstack.servers.jmap.sieve_scripts import invalid_sieve, script_object, script_object_id, scripts_by_id
from mailstack.services.scripts import CheckedEdit, checked_name
from mailstack.sieve.faults import Broken
from mailstack.wire.jmap.arguments import REFERENCE, Arguments, is_id
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType, NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.settable import check_settable
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.session import SIEVE
from mailstack.wire.jmap.states import write_object_state

_Objects = Mapping[str, Mapping[str, Any]]
_Faults = dict[str, SetFault]
_SETTABLE = frozenset({"name", "blobId"})
_NOT_FOUND = SetFault(type=SetFaultType.NOT_FOUND)
_WILL_DESTROY = SetFault(type=SetFaultType.WILL_DESTROY)
_LOGGED_NAME = 128

log = structlog.get_logger()


async def run(call: Call, arguments: Arguments) -> dict[str, Any]:
    account = await require_own(call, arguments.id("accountId"))
    create, update = arguments.objects("create") or {}, arguments.updates("update") or {}
    destroy = [*dict.fromkeys(map(call.id_of, arguments.ids("destroy") or ()))]
    if_number = read_if_number(arguments)
    activated = arguments.optional_text("onSuccessActivateScript")
    deactivates = arguments.boolean("onSuccessDeactivateScript", default=False)
    arguments.finish()
    if len(create) + len(update) + len(destroy) > call.service.limits.objects_in_set:
        raise MethodFault(MethodFaultType.REQUEST_TOO_LARGE)
    setting = _Setting(call, account, await scripts_by_id(call, account))
    for key, given in create.items():
        await setting.create(key, given)
    for key, patch in update.items():
        await setting.update(call.id_of(key), patch, going=destroy)
    for object_id in destroy:
        await setting.destroy(object_id)
    return await setting.finish(activated, deactivates=deactivates, if_number=if_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """One object that is well as far as it goes. given: as the client has it, None for one that goes. faults: of its
    kind, where something comes of that."""

    key: str
    edit: CheckedEdit
    given: Mapping[str, Any] | None
    faults: _Faults


class _Setting:
    """All of one call. before: by object id."""

    def __init__(self, call: Call, account: Account, before: Mapping[str, ScriptEntry]) -> None:
        self._call = call
        self._account = account
        self._before = before
        self._pending: list[_Pending] = []
        self._answer = SetAnswer()
        self._compiled = 0

    async def create(self, key: str, given: Mapping[str, Any]) -> None:
        await self._prepare(key, given, None, self._answer.not_created)

    async def update(self, object_id: str, patch: Mapping[str, Any], *, going: Sequence[str]) -> None:
        faults, entry = self._answer.not_updated, self._before.get(object_id)
        if entry is None:
            faults[object_id] = _NOT_FOUND
        elif object_id in going:
            faults[object_id] = _WILL_DESTROY
        else:
            try:
                given = apply_patch(script_object(entry), patch)
            except NotSet as fault:
                faults[object_id] = fault.fault
            else:
                await self._prepare(object_id, given, entry, faults)

    async def destroy(self, object_id: str) -> None:
        entry = self._before.get(object_id)
        if entry is None:
            self._answer.not_destroyed[object_id] = _NOT_FOUND
            return
        edit = await self._call.service.scripts.checked(ScriptEdit(script_id=entry.script_id, is_removed=True))
        self._pending.append(_Pending(key=object_id, edit=edit, given=None, faults=self._answer.not_destroyed))

    async def finish(self, activated: str | None, *, deactivates: bool, if_number: int | None) -> dict[str, Any]:
        """Raises MethodFault."""
        scripts, account_id = self._call.service.scripts, self._account.account_id
        activation = Activation() if self._has_failed() else self._activation(activated, deactivates=deactivates)
        try:
            edited = await scripts.edit(
                account_id, [each.edit for each in self._pending], activation=activation, if_number=if_number
            )
        except Conflict:
            raise MethodFault(MethodFaultType.STATE_MISMATCH) from None
        except Forbidden as fault:
            return await self._forbidden(fault, if_number)
        after = await scripts_by_id(self._call, self._account)
        for each, outcome in zip(self._pending, edited.outcomes, strict=True):
            if isinstance(outcome, DomainError):
                each.faults[each.key] = _fault(outcome, each.edit, after)
            else:
                self._tell(each, script_object_id(outcome), after)
        self._tell_switched(edited, after)
        return self._answered(edited.number_before, edited.number)

    async def _prepare(self, key: str, given: Mapping[str, Any], entry: ScriptEntry | None, faults: _Faults) -> None:
        before = {} if entry is None else script_object(entry)
        try:
            check_settable(given, _SETTABLE, fixed=before or {"isActive": False})
            edit = ScriptEdit(
                script_id=None if entry is None else entry.script_id,
                name=_name(given, before),
                content=await self._content(given, before),
            )
            checked = await self._call.service.scripts.checked(edit)
        except (Broken, Invalid) as fault:
            faults[key] = invalid_sieve(fault)
        except (NotSet, DomainError) as fault:
            faults[key] = refusal(fault)
        else:
            self._pending.append(_Pending(key=key, edit=checked, given=given, faults=faults))

    async def _content(self, given: Mapping[str, Any], before: Mapping[str, Any]) -> bytes | None:
        blob_id = given.get("blobId")
        # RFC 9661 §2.4.1: it may be made by a Blob/upload of the same request.
        if isinstance(blob_id, str):
            blob_id = self._call.id_of(blob_id)
        if not is_id(blob_id):
            raise invalid_property("blobId", "an Id")
        if blob_id == before.get("blobId"):
            return None
        # Each is compiled, which takes time, and more than there may be are kept in no case.
        self._compiled += 1
        if self._compiled > self._call.service.scripts.quota.scripts:
            raise TooMany("more scripts in one call than an account may have")
        return await read_script(self._call, await self._call.mail(self._account.account_id), blob_id)

    def _has_failed(self) -> bool:
        return bool(self._answer.not_created or self._answer.not_updated or self._answer.not_destroyed)

    def _activation(self, activated: str | None, *, deactivates: bool) -> Activation:
        """RFC 9661 §2.4: what is the id of nothing is passed over."""
        if activated is None:
            return Activation(deactivates=deactivates)
        new = [at for at, each in enumerate(self._pending) if each.edit.script_id is None]
        for at in new:
            if activated == REFERENCE + self._pending[at].key:
                return Activation(edit=at, deactivates=deactivates)
        entry = self._before.get(self._call.id_of(activated))
        return Activation(script_id=None if entry is None else entry.script_id, deactivates=deactivates)

    async def _forbidden(self, fault: Forbidden, if_number: int | None) -> dict[str, Any]:
        """Whose script it is, the fault says."""
        if not self._pending and not self._has_failed():
            raise MethodFault(MethodFaultType.FORBIDDEN, fault.detail) from None
        for each in self._pending:
            each.faults[each.key] = SetFault(type=SetFaultType.FORBIDDEN, description=fault.detail)
        number = await self._call.service.object_journal.number(self._account.account_id, ObjectKind.SCRIPT)
        if if_number not in (None, number):
            raise MethodFault(MethodFaultType.STATE_MISMATCH) from None
        return self._answered(number, number)

    def _tell(self, each: _Pending, object_id: str, after: Mapping[str, ScriptEntry]) -> None:
        if each.given is None:
            self._answer.destroyed.append(object_id)
            self._log("script removed", self._before.get(object_id))
            return
        # Gone again meanwhile: nothing more is known of it.
        made = script_object(after[object_id]) if object_id in after else {"id": object_id}
        changed = {name: value for name, value in made.items() if each.given.get(name) != value}
        if each.edit.script_id is None:
            self._call.created[each.key] = object_id
            self._answer.created[each.key] = changed
        else:
            self._answer.updated[object_id] = changed or None
        if each.edit.content is not None:
            self._log("script kept", after.get(object_id), octets=len(each.edit.content))
        elif each.edit.name is not None:
            to = plain(each.edit.name, _LOGGED_NAME)
            self._log("script renamed", self._before.get(object_id), to=to)

    def _tell_switched(self, edited: EditedScripts, after: Mapping[str, ScriptEntry]) -> None:
        """RFC 9661 §2.4: both are told, whatever else of them was set."""
        made = {each["id"]: key for key, each in self._answer.created.items()}
        for script_id, is_active in ((edited.deactivated, False), (edited.activated, True)):
            if script_id is None:
                continue
            object_id = script_object_id(script_id)
            told = {"isActive": is_active}
            if object_id in made:
                self._answer.created[made[object_id]] = {**self._answer.created[made[object_id]], **told}
            else:
                self._answer.updated[object_id] = {**(self._answer.updated.get(object_id) or {}), **told}
        if edited.activated is not None:
            self._log("script activated", after.get(script_object_id(edited.activated)))
        elif edited.deactivated is not None:
            self._log("no script active", None)

    def _log(self, event: str, entry: ScriptEntry | None, **facts: object) -> None:
        name = "" if entry is None else plain(entry.name, _LOGGED_NAME)
        log.info(event, service="jmap", account=self._account.login, script=name, **facts)

    def _answered(self, old: int, new: int) -> dict[str, Any]:
        return {
            "accountId": self._account.account_id,
            "oldState": write_object_state(JournalPoint(old)),
            "newState": write_object_state(JournalPoint(new)),
            **self._answer.as_json(),
        }


def _name(given: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """None: it keeps its own, or a new one is called as the server likes. Raises NotSet."""
    name = given.get("name")
    if name is None or name == before.get("name"):
        return None
    if not isinstance(name, str):
        raise invalid_property("name", "a String or null")
    try:
        return checked_name(name)
    except Invalid as fault:
        raise invalid_property("name", fault.detail) from None


def _fault(outcome: DomainError, edit: ScriptEdit, after: Mapping[str, ScriptEntry]) -> SetFault:
    match outcome:
        case InUse():
            return SetFault(type=SetFaultType.SIEVE_IS_ACTIVE, description=outcome.detail)
        case AlreadyExists():
            # RFC 9661 §2.4
            existing = next((key for key, entry in after.items() if entry.name == edit.name), None)
            more = {} if existing is None else {"existingId": existing}
            return SetFault(type=SetFaultType.ALREADY_EXISTS, description=outcome.detail, more=more)
        case _:
            return refusal(outcome)


METHOD = Method(name="SieveScript/set", capability=SIEVE, run=run)
