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
    """Objects of one type. known: by their ids."""

    state: str
    known: Objects


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
        for name in PROPERTIES:
            await self._follow(name, self.types[name])
            assert self.types[name] == await self._fresh(name), f"{self.who}, {name}"
        asked = [(query.method, query.arguments) for query in self.queries]
        since = [{"sinceQueryState": query.state, "calculateTotal": True} for query in self.queries]
        changes = [(f"{name}/queryChanges", {**each, **more}) for (name, each), more in zip(asked, since, strict=True)]
        told = await self._calls(changes)
        for query, answer, found in zip(self.queries, told, await self._found(asked), strict=True):
            if self.is_own:
                _follow_query(query, *answer)
                assert (query.ids, query.state) == found, f"{query.method} {query.arguments}"
            elif answer[0] == "error":
                assert answer[1]["type"] == "cannotCalculateChanges"
                query.ids, query.state = found

    async def _follow(self, name: str, followed: Followed) -> None:
        """What an answer names is looked at when all answers are in."""
        known, stale, has_more = {*followed.known}, dict[str, Sequence[str] | None](), True
        while has_more:
            most = self.dice.choice((None, self.dice.randint(1, 5)))
            kind, told = await self._call(f"{name}/changes", sinceState=followed.state, maxChanges=most)
            if kind == "error":
                # Whoever may look at others' mailboxes may be told so, or not.
                assert (told["type"], self.is_own) == ("cannotCalculateChanges", False), f"{name}: {told}"
                self.types[name] = await self._fresh(name)
                return
            created, updated, destroyed = told["created"], told["updated"], told["destroyed"]
            assert len(created) + len(updated) + len(destroyed) <= (most or 1_000)
            assert known.isdisjoint(created), f"{self.who}, {name}: created {created}"
            assert known.issuperset([*updated, *destroyed]), f"{self.who}, {name}: {updated}, {destroyed}"
            known = known.union(created).difference(destroyed)
            stale.update(dict.fromkeys(created, None))
            properties = told.get("updatedProperties")
            stale.update({one: None if one in stale and stale[one] is None else properties for one in updated})
            assert followed.state != told["newState"] or not told["hasMoreChanges"]
            followed.state, has_more = told["newState"], told["hasMoreChanges"]
        followed.known = {one: followed.known.get(one, {}) for one in known}
        for properties in (None, *{tuple(each) for each in stale.values() if each is not None}):
            wanted = [one for one, given in stale.items() if (given and tuple(given)) == properties and one in known]
            for one, found in (await self._get(name, wanted, properties)).items():
                followed.known[one] |= found

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

    async def _found(self, asked: Sequence[Asked]) -> list[tuple[list[str], str]]:
        """What these queries find, and the state of it."""
        calls = [(f"{name}/query", {"calculateTotal": True, **arguments}) for name, arguments in asked]
        answers = [found for _, found in await self._calls(calls)]
        for found in answers:
            assert found["total"] == len(found["ids"])
            assert found["canCalculateChanges"] is self.is_own
        return [(found["ids"], found["queryState"]) for found in answers]

    async def _call(self, method: str, **arguments: Any) -> tuple[str, Any]:
        (answer,) = await self._calls([(method, arguments)])
        return answer

    async def _calls(self, asked: Sequence[Asked]) -> list[tuple[str, Any]]:
        calls = [[method, {"accountId": self.account_id, **arguments}, "0"] for method, arguments in asked]
        responses = await self.world.api(*calls, using=[MAIL], login=f"{self.who}@{DOMAIN}")
        return [(name, found) for name, found, _ in responses]


def _follow_query(query: FollowedQuery, name: str, told: Mapping[str, Any]) -> None:
    assert name != "error", f"{query}: {told}"
    gone = {*told["removed"]}
    query.ids = [one for one in query.ids if one not in gone]
    for each in told["added"]:
        assert each["id"] not in query.ids
        assert each["index"] <= len(query.ids), f"{query}: {each}"
        query.ids.insert(each["index"], each["id"])
    assert told["total"] == len(query.ids), f"{query}: {told}"
    query.state = told["newQueryState"]
