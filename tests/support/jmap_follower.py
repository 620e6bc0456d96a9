"""A client of JMAP that keeps up to date by /changes and /queryChanges alone. RFC 8620 §5.2, §5.6."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from mailstack.wire.jmap.session import MAIL
from tests.support.imap_server import DOMAIN
from tests.support.jmap_world import JmapWorld

PROPERTIES: Mapping[str, Sequence[str] | None] = {
    "Email": ["id", "threadId", "mailboxIds", "keywords", "size"],
    "Thread": None,
    "Mailbox": None,
}

Objects = dict[str, dict[str, Any]]
Asked = tuple[str, Mapping[str, Any]]
"""A method, or the type that it is of, and its arguments."""


@dataclass(kw_only=True)
class Followed:
    """Objects of one type. known: by their ids. stale: of which some properties are to be looked at, or all.
    is_lost: all is to be looked at."""

    state: str
    known: Objects
    stale: dict[str, Sequence[str] | None] = field(default_factory=dict)
    is_lost: bool = False


@dataclass(kw_only=True)
class FollowedQuery:
    method: str
    arguments: Mapping[str, Any]
    state: str
    ids: list[str]


@dataclass(kw_only=True)
class Follower:
    """who: logged in; account_id: whose mail it follows, and is_own: whether that is theirs."""

    world: JmapWorld
    dice: Random
    who: str
    account_id: str
    is_own: bool
    types: dict[str, Followed] = field(default_factory=dict)
    queries: list[FollowedQuery] = field(default_factory=list)

    async def begin(self, queries: Sequence[Asked]) -> None:
        for name in PROPERTIES:
            self.types[name] = await self._fresh(name)
        for (method, arguments), (ids, state) in zip(queries, await self._found(queries), strict=True):
            self.queries.append(FollowedQuery(method=method, arguments=arguments, state=state, ids=ids))

    async def follow(self) -> None:
        """Everything; and what is then known is what there is."""
        await self._hear_all(is_amid=False)
        for name, followed in self.types.items():
            fresh = await self._fresh(name)
            if followed.is_lost:
                self.types[name] = fresh
            else:
                await self._look(name, followed)
                assert followed == fresh, f"{self.who}, {name}"
        found = await self._found([(query.method, query.arguments) for query in self.queries])
        for query, (ids, state) in zip(self.queries, found, strict=True):
            assert (query.ids, query.state) == (ids, state), f"{query.method} {query.arguments}"

    async def hear_amid(self) -> None:
        """While others are at work."""
        await self._hear_all(is_amid=True)

    async def _hear_all(self, *, is_amid: bool) -> None:
        for name, followed in self.types.items():
            await self._hear(name, followed)
        asked = [(query.method, query.arguments) for query in self.queries]
        since = [{"sinceQueryState": query.state, "calculateTotal": True} for query in self.queries]
        changes = [(f"{name}/queryChanges", {**each, **more}) for (name, each), more in zip(asked, since, strict=True)]
        for query, (kind, told) in zip(self.queries, await self._calls(changes), strict=True):
            if kind == "error":
                assert told["type"] == "cannotCalculateChanges"
                assert not self.is_own or is_amid, f"{query}: {told}"
                ((query.ids, query.state),) = await self._found([(query.method, query.arguments)], is_amid=is_amid)
            else:
                _apply(query, told)

    async def _hear(self, name: str, followed: Followed) -> None:
        has_more = not followed.is_lost
        while has_more:
            most = self.dice.choice((None, self.dice.randint(1, 5)))
            kind, told = await self._call(f"{name}/changes", sinceState=followed.state, maxChanges=most)
            if kind == "error":
                # Whoever may look at others' mailboxes may be told so, or not.
                assert (told["type"], self.is_own) == ("cannotCalculateChanges", False), f"{name}: {told}"
                followed.is_lost = True
                return
            created, updated, destroyed = told["created"], told["updated"], told["destroyed"]
            assert len(created) + len(updated) + len(destroyed) <= (most or 1_000)
            assert followed.known.keys().isdisjoint(created), f"{self.who}, {name}: created {created}"
            assert followed.known.keys() >= {*updated, *destroyed}, f"{self.who}, {name}: {updated}, {destroyed}"
            assert followed.state != told["newState"] or not told["hasMoreChanges"]
            for one in destroyed:
                del followed.known[one]
                followed.stale.pop(one, None)
            followed.known.update((one, {}) for one in created)
            followed.stale.update(dict.fromkeys(created, None))
            properties = told.get("updatedProperties")
            for one in updated:
                followed.stale[one] = properties if followed.stale.get(one, properties) == properties else None
            followed.state, has_more = told["newState"], told["hasMoreChanges"]

    async def _look(self, name: str, followed: Followed) -> None:
        for properties in {None if each is None else tuple(each) for each in followed.stale.values()}:
            wanted = [one for one, given in followed.stale.items() if (given and tuple(given)) == properties]
            for one, found in (await self._get(name, wanted, properties)).items():
                followed.known[one] |= found
        followed.stale = {}

    async def _fresh(self, name: str) -> Followed:
        if name == "Mailbox":
            _, found = await self._call("Mailbox/get", ids=None)
            return Followed(state=found["state"], known={each["id"]: each for each in found["list"]})
        _, everything = await self._call("Email/query")
        _, emails = await self._call("Email/get", ids=everything["ids"], properties=PROPERTIES["Email"])
        assert emails["notFound"] == []
        found = emails
        if name == "Thread":
            threads = sorted({email["threadId"] for email in emails["list"]})
            _, found = await self._call("Thread/get", ids=threads)
            assert {one for each in found["list"] for one in each["emailIds"]} == {*everything["ids"]}
        return Followed(state=found["state"], known={each["id"]: each for each in found["list"]})

    async def _get(self, name: str, ids: Sequence[str], properties: Sequence[str] | None) -> Objects:
        if not ids:
            return {}
        _, found = await self._call(f"{name}/get", ids=ids, properties=properties or PROPERTIES[name])
        assert found["notFound"] == []
        return {each["id"]: each for each in found["list"]}

    async def _found(self, asked: Sequence[Asked], *, is_amid: bool = False) -> list[tuple[list[str], str]]:
        """What these queries find, and the state of it."""
        calls = [(f"{name}/query", {"calculateTotal": True, **arguments}) for name, arguments in asked]
        answers = [found for _, found in await self._calls(calls)]
        for found in answers:
            assert found["total"] == len(found["ids"])
            assert found["canCalculateChanges"] or is_amid or not self.is_own
        return [(found["ids"], found["queryState"]) for found in answers]

    async def _call(self, method: str, **arguments: Any) -> tuple[str, Any]:
        (answer,) = await self._calls([(method, arguments)])
        return answer

    async def _calls(self, asked: Sequence[Asked]) -> list[tuple[str, Any]]:
        calls = [[method, {"accountId": self.account_id, **arguments}, "0"] for method, arguments in asked]
        responses = await self.world.api(*calls, using=[MAIL], login=f"{self.who}@{DOMAIN}")
        return [(name, found) for name, found, _ in responses]


def _apply(query: FollowedQuery, told: Mapping[str, Any]) -> None:
    gone = {*told["removed"]}
    query.ids = [one for one in query.ids if one not in gone]
    for each in told["added"]:
        assert each["id"] not in query.ids
        assert each["index"] <= len(query.ids), f"{query}: {each}"
        query.ids.insert(each["index"], each["id"])
    assert told["total"] == len(query.ids), f"{query}: {told}"
    query.state = told["newQueryState"]
