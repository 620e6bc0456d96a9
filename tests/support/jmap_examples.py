"""Examples of RFCs as data: what is asked, and what is answered but for ids and states, which get names.

`<name>` stands for a value: of a mailbox by its role, of an email or another object by what the example calls it, of
anything else where it is first met. `<_>` is any value, `~…` any text that the expression matches. An object with "..."
may have more members than are told; in `<any order>` a list may be in any, and `<with>` has more besides. What is null
may be left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.model.resource import Json
from mailstack.servers.jmap.session import CAPABILITIES
from mailstack.wire.jmap.session import API_PATH
from tests.support.imap_server import DOMAIN
from tests.support.jmap_calls import share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import account_resource, apply, mailbox_with, updated

FOLDER = Path(__file__).parent.parent / "data" / "jmap"
ANY, MORE, ANY_ORDER, WITH = "<_>", "...", "<any order>", "<with>"
ALL_RIGHTS = "lrswipkxtea"
_NAMED_ADDRESS = re.compile(r"<<([a-z-]+)>>")
_NAME = re.compile(r"<([A-Za-z0-9][A-Za-z0-9-]*)>")
_ROLES = (MailboxRole.INBOX, MailboxRole.DRAFTS, MailboxRole.SENT, MailboxRole.ARCHIVE, MailboxRole.TRASH)
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Example:
    rfc: str
    text: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.rfc} {self.text['of']} {self.text['name']}"


def examples() -> list[Example]:
    files = sorted(FOLDER.glob("*.json"))
    return [Example(file.stem.upper(), text) for file in files for text in orjson.loads(file.read_bytes())]


class Names(dict[str, Any]):
    """What names stand for."""

    def filled(self, value: Any) -> Any:
        match value:
            case str():
                found = _NAME.fullmatch(value)
                return self[found[1]] if found else value
            case dict():
                return {_NAME.sub(lambda at: str(self[at[1]]), key): self.filled(each) for key, each in value.items()}
            case list():
                return [self.filled(each) for each in value]
        return value

    def why_not(self, wanted: Any, found: Any, path: str = "") -> str:
        """ "" where it is as wanted; names that are met first are taken."""
        match wanted:
            case None:
                return "" if found in (None, _NOTHING) else f"{path}: {found!r} is not null"
            case dict() if ANY_ORDER in wanted or WITH in wanted:
                return self._why_not_set(wanted, found, path)
            case dict():
                return self._why_not_object(wanted, found, path)
            case list():
                if not isinstance(found, list) or len(found) != len(wanted):
                    return f"{path}: {found!r} is not {len(wanted)} items"
                pairs = enumerate(zip(wanted, found, strict=True))
                return next(filter(None, (self.why_not(*each, f"{path}/{at}") for at, each in pairs)), "")
            case str():
                return "" if self._is_same(wanted, found) else f"{path}: {found!r} is not {wanted}"
        return "" if wanted == found else f"{path}: {found!r} is not {wanted!r}"

    def _is_same(self, wanted: str, found: Any) -> bool:
        if wanted == ANY:
            return found is not _NOTHING
        if wanted.startswith("~"):
            return isinstance(found, str) and re.fullmatch(wanted[1:], found, re.DOTALL) is not None
        name = _NAME.fullmatch(wanted)
        if name is None:
            return bool(wanted == found)
        return found is not _NOTHING and bool(self.setdefault(name[1], found) == found)

    def _why_not_object(self, wanted: Mapping[str, Any], found: Any, path: str) -> str:
        if not isinstance(found, dict):
            return f"{path}: {found!r} is not an object"
        left = dict(found)
        for key, value in wanted.items():
            if key == MORE:
                continue
            here = next(iter(left), "") if key == ANY else str(self.filled({key: 0}).popitem()[0])
            why = self.why_not(value, left.pop(here, _NOTHING), f"{path}/{here}")
            if why:
                return why
        more = [] if MORE in wanted else [key for key, value in left.items() if value is not None]
        return f"{path}: has {', '.join(more)} as well" if more else ""

    def _why_not_set(self, wanted: Mapping[str, Any], found: Any, path: str) -> str:
        ((kind, items),) = wanted.items()
        if not isinstance(found, list) or (kind == ANY_ORDER and len(found) != len(items)):
            return f"{path}: {found!r} is not {len(items)} items"
        left = list(found)
        for item in items:
            at = next((at for at, each in enumerate(left) if not Names(self).why_not(item, each)), None)
            if at is None:
                reasons = [Names(self).why_not(item, each, path) for each in left]
                return f"{path}: nothing is {item!r}: {reasons}"
            self.why_not(item, left.pop(at))
        return ""


@dataclass(slots=True)
class ExampleRun:
    world: JmapWorld
    names: Names = field(default_factory=Names)

    async def play(self, text: Mapping[str, Any]) -> None:
        await self._name_accounts(is_shared=text.get("shared", False))
        await self._receive(text.get("mail", ()))
        for step in text["steps"]:
            await self._receive(step.get("mail", ()))
            if "may" in step:
                await self._let(step["may"])
            if "calls" in step:
                answers = await self._ask(step["calls"])
                why = self.names.why_not(step["answers"], answers) if "answers" in step else _fault_in(answers)
                assert not why, f"{why}\n{orjson.dumps(answers, option=orjson.OPT_INDENT_2).decode()}"

    async def _name_accounts(self, *, is_shared: bool) -> None:
        store, own, other = self.world.imap.store, await self.world.account(), await self.world.account("u1")
        self.names |= {"account": own.account_id, "other-account": other.account_id}
        self.names |= {"login": own.login, "other-login": other.login}
        for account, prefix in ((own, ""), (other, "other-")):
            for role in _ROLES:
                mailbox_id = await mailbox_with(store, account.account_id, role)
                self.names[prefix + role.value] = mailbox_object_id(account.account_id, mailbox_id)
        if is_shared:
            inbox = await mailbox_with(store, other.account_id, MailboxRole.INBOX)
            await share(self.world, inbox, ALL_RIGHTS, owner="u1", viewer="u0")

    async def _receive(self, mail: Sequence[Mapping[str, Any]]) -> None:
        for each in mail:
            # Addresses stand within what is sent.
            raw = _NAMED_ADDRESS.sub(lambda at: f"<{self.names[at[1]]}>", "\r\n".join(each["raw"]))
            data = [{"data:asText": raw}]
            places = {f"<{place}>": True for place in (each["in"], each.get("also")) if place}
            email = {
                "blobId": f"#{each['as']}",
                "mailboxIds": places,
                "keywords": dict.fromkeys(each.get("keywords", ()), True),
                "receivedAt": each.get("receivedAt"),
            }
            upload = ["Blob/upload", {"accountId": "<account>", "create": {each["as"]: {"data": data}}}, "0"]
            take = ["Email/import", {"accountId": "<account>", "emails": {each["as"]: email}}, "1"]
            why = _fault_in(await self._ask([upload, take]))
            assert not why

    async def _let(self, abilities: list[Json]) -> None:
        account = await self.world.account()
        resource = account_resource(account.login, name=account.name, quota_bytes=account.quota_bytes)
        changed = replace(resource, fields={**resource.fields, "abilities": abilities})
        await apply(self.world.imap.store, updated(changed))

    async def _ask(self, calls: Sequence[Any]) -> Any:
        request = {"using": [*CAPABILITIES], "methodCalls": self.names.filled(calls), "createdIds": {}}
        reply = await self.world.ask("POST", API_PATH, content=orjson.dumps(request), login=f"u0@{DOMAIN}")
        assert reply.status_code == 200, reply.text
        found = reply.json()
        self.names |= found["createdIds"]
        await self._name_push_code()
        return found["methodResponses"]

    async def _name_push_code(self) -> None:
        """What is told by a push alone."""
        account_id, now = self.names["account"], self.world.service.clock()
        for subscription, _ in await self.world.imap.store.push_subscriptions.of_account(account_id, now=now):
            self.names["push-code"] = subscription.code


def _fault_in(answers: Sequence[Any]) -> str:
    """Of calls that only prepare what is to be seen."""
    for name, found, _ in answers:
        faults = [value for key, value in found.items() if key.startswith("not") and value]
        if name == "error" or faults:
            return f"{name}: {found}"
    return ""
