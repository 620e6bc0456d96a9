"""Method calls of about the right shape, what is right and what is not beside each other; the same for one seed."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from mailstack.servers.jmap.dispatch import METHODS

Make = Callable[["Junk"], Any]

_WRONG: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**53 - 1, 2**53, -(2**63), 1.5, -0.0, 1e300),
    *(
        "",
        " ",
        "a",
        "#",
        "#k0",
        "#none",
        "\0",
        "é\u0301",
        "\U0001f600" * 9,
        "a/b",
        "~",
        "~2",
        "*",
        "x" * 300,
        "\r\nX: y",
    ),
    *("2014-10-30T06:12:00Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "a@b", "<a@[::1]>", "$Seen", "singleton"),
    *([], [[]], [None], [{}], ["a", 1], {}, {"": {}}, {"a": None}, {"a": {"b": []}}, {"#": 1}, {"operator": "AND"}),
)
_DATES = ("2014-10-30T06:12:00Z", "1970-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z", "2014-10-30T14:12:00+08:00")
_KEYWORDS = ("$seen", "$Flagged", "work", "$draft", "\\Seen", "a b")
_HEADERS = (
    *("header:Subject", "header:X:asText", "header:To:asAddresses", "header:Date:asDate", "header:X:asURLs:all"),
    *("header:References:asMessageIds", "header:From:asGroupedAddresses", "header:X:all", "header:", "header:A:asNo"),
)
_BODY = ("textBody", "htmlBody", "attachments", "bodyStructure", "bodyValues", "hasAttachment", "preview", "headers")
_ADDRESSED = ("from", "to", "cc", "bcc", "replyTo", "sender")
_STORED = ("id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "subject", "sentAt", "messageId")


class Junk:
    """known: ids by their kind, of what there is."""

    def __init__(self, seed: int, known: Mapping[str, Sequence[str]]) -> None:
        self.random = Random(seed)
        self.type = ""
        self._known = known

    def calls(self, count: int) -> list[Any]:
        names = sorted(METHODS)
        return [self._call(self.random.choice(names), f"c{at}") for at in range(count)]

    def wrong(self) -> Any:
        return self.random.choice(_WRONG)

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def id(self, kind: str) -> str:
        return str(self.random.choice([*self._known[kind], *self._known[kind], "#k0", "nobody"]))

    def many(self, make: Make, most: int = 3) -> list[Any]:
        return [make(self) for _ in range(self.random.randrange(most + 1))]

    def some(self, members: Mapping[str, Make], likely: float = 0.5) -> dict[str, Any]:
        return {
            name: make(self) if self.random.random() < 0.97 else self.wrong()
            for name, make in members.items()
            if self.random.random() < likely
        }

    def _call(self, name: str, call_id: str) -> list[Any]:
        type_, _, verb = name.partition("/")
        self.type = type_
        arguments = self.some(_ARGUMENTS, 0.1) | self.some(_OF_VERB.get(verb, {}), 0.95)
        arguments |= self.some(_objects(type_, verb), 0.8) | self.some(_NEEDED.get(name, {}), 1.0)
        known = {
            key: value for key, value in arguments.items() if key in _used_by(name) or self.random.random() < 0.003
        }
        if self.random.random() < 0.95 and type_ != "PushSubscription":
            known["accountId"] = self._known["account"][0]
        if self.random.random() < 0.05:
            path = self.one("", "/list", "/list/*/id", "/ids", "/created/k0/id", "/*", "/list/*/*/*")
            reference = {"resultOf": "c0", "name": self.one(*sorted(METHODS)), "path": path}
            known["#" + self.one("ids", "destroy", "create", "emailIds")] = reference
        return [name, known, call_id]


def _ids(kind: str) -> Make:
    return lambda junk: junk.many(lambda inner: inner.id(kind))


def _by_id(kind: str, make: Make) -> Make:
    return lambda junk: {junk.id(kind): make(junk) for _ in range(junk.random.randrange(3))}


def _created(make: Make) -> Make:
    return lambda junk: {f"k{at}": make(junk) for at in range(junk.random.randrange(3))}


def _true(kind: str) -> Make:
    return lambda junk: {junk.id(kind): junk.random.random() < 0.97}


def _keywords(junk: Junk) -> Any:
    return {junk.one(*_KEYWORDS): junk.one(True, True, None)}


def _address(junk: Junk) -> Any:
    return {"name": junk.one(None, "a", "é\0", "x" * 999), "email": junk.one("u0@peer.test", "a", "", "a@b c")}


def _part(junk: Junk) -> Any:
    return junk.some(
        {
            "partId": lambda one: one.one("1", "2"),
            "blobId": lambda one: one.id("blob"),
            "type": lambda one: one.one(
                *["text/plain"] * 4, "text/html", "multipart/mixed", "message/rfc822", "a", "x/\0"
            ),
            "charset": lambda one: one.one("utf-8", "x"),
            "name": lambda one: one.one("a", "é" * 200, '"\\'),
            "disposition": lambda one: one.one("inline", "attachment"),
            "cid": lambda one: one.one("a@b", "<>"),
            "language": lambda _: ["de"],
            "location": lambda _: "x:y",
            "header:X": lambda one: one.one("y", "é", "a\r\nb"),
            "subParts": lambda one: one.many(_part, 2),
        },
        0.35,
    )


def _email(junk: Junk) -> Any:
    members: dict[str, Make] = {
        "mailboxIds": _true("mailbox"),
        "keywords": _keywords,
        "receivedAt": lambda one: one.one(*_DATES),
        "subject": lambda one: one.one("a", "é" * 300, "a\r\nb", "\0"),
        "sentAt": lambda one: one.one(*_DATES),
        "messageId": lambda _: ["a@b"],
        "bodyValues": lambda one: {"1": {"value": one.one("x", "\0", "é" * 2000)}, "2": {"value": "<p>"}},
        "textBody": lambda one: [_part(one)],
        "htmlBody": lambda one: [_part(one)],
        "attachments": lambda one: one.many(_part),
        "bodyStructure": _part,
        **dict.fromkeys(_ADDRESSED, lambda one: one.many(_address)),
        "header:X:asText": lambda one: one.one("a", "é", "\n"),
        "header:X:asURLs:all": lambda _: [["x:y"]],
        "header:Y:asGroupedAddresses": lambda one: [{"name": "g", "addresses": [_address(one)]}],
    }
    found = junk.some(members, 0.25)
    return found if junk.random.random() < 0.1 else {"mailboxIds": _true("mailbox")(junk), **found}


def _email_patch(junk: Junk) -> Any:
    path = junk.one(
        "keywords/$seen", "keywords/a", "mailboxIds/x", "keywords", "mailboxIds", "subject", "/", "a~1/b", ""
    )
    place = f"mailboxIds/{junk.id('mailbox')}"
    return {junk.one(path, place): junk.one(True, True, None, None, junk.wrong())}


def _patch_of(object_: Make) -> Make:
    def make(junk: Junk) -> Any:
        found: dict[str, Any] = object_(junk) or {}
        if junk.random.random() < 0.2:
            found[junk.one("name/a", "a/b", "/", "keys/p256dh", "myRights/mayRename", "undoStatus")] = junk.wrong()
        return found

    return make


def _named(**members: Make) -> Make:
    return lambda junk: junk.some(members, 0.6)


_MAILBOX = _named(
    name=lambda one: one.one("a", "b", "é", "", "a/b", "x" * 300, "INBOX", "\0"),
    parentId=lambda one: one.one(None, one.id("mailbox")),
    role=lambda one: one.one(None, "archive", "inbox", "no"),
    sortOrder=lambda one: one.one(0, 1, 2**31, 2**53),
    isSubscribed=lambda one: one.one(True, False),
)
_IDENTITY = _named(
    name=lambda _: "a",
    email=lambda one: one.one("u0@peer.test", "*@peer.test", "a@b", ""),
    replyTo=lambda one: one.many(_address),
    bcc=lambda one: one.many(_address),
    textSignature=lambda _: "x",
    htmlSignature=lambda _: "<p>",
)
_SUBMISSION = _named(
    identityId=lambda one: one.id("identity"),
    emailId=lambda one: one.id("email"),
    envelope=_named(
        mailFrom=lambda one: {"email": one.one("u0@peer.test", "", "a@b"), "parameters": one.one(None, {"RET": "X"})},
        rcptTo=lambda one: one.many(lambda inner: {"email": inner.one("u1@peer.test", "é", ""), "parameters": None}),
    ),
    undoStatus=lambda one: one.one("canceled", "pending"),
)
_VACATION = _named(
    isEnabled=lambda one: one.one(True, False),
    fromDate=lambda one: one.one(None, *_DATES),
    toDate=lambda one: one.one(None, *_DATES),
    subject=lambda one: one.one(None, "a\r\nb", "é"),
    textBody=lambda one: one.one(None, "x", "\0"),
    htmlBody=lambda one: one.one(None, "<p>"),
)
_SCRIPT = _named(name=lambda one: one.one(None, "a", "", "é" * 300, "a/b"), blobId=lambda one: one.id("blob"))
_PUSH = _named(
    deviceClientId=lambda _: "a",
    url=lambda one: one.one("https://127.0.0.1/x", "http://x", "https://[::1/", ""),
    keys=lambda one: one.one(None, {"p256dh": "AA", "auth": "AA"}),
    types=lambda one: one.one(None, ["Email"], ["x" * 99]),
    expires=lambda one: one.one(None, *_DATES),
    verificationCode=lambda one: one.one(None, "é"),
)
_SOURCE = _named(
    **{
        "data:asText": lambda one: one.one("x", "é", ""),
        "data:asBase64": lambda one: one.one("AA==", "A", "é"),
        "blobId": lambda one: one.id("blob"),
        "offset": lambda one: one.one(0, 1, 2**53),
        "length": lambda one: one.one(0, 1, 2**53, None),
    }
)
_BLOB = _named(data=lambda one: one.many(_SOURCE), type=lambda one: one.one("text/plain", "a\nb", None))
_OBJECTS: Mapping[str, Make] = {
    "Mailbox": _MAILBOX,
    "Identity": _IDENTITY,
    "EmailSubmission": _SUBMISSION,
    "VacationResponse": _VACATION,
    "SieveScript": _SCRIPT,
    "PushSubscription": _PUSH,
    "Email": _email,
    "Blob": _BLOB,
}
_KINDS = {"Mailbox": "mailbox", "Email": "email", "Thread": "thread", "Identity": "identity", "Blob": "blob"}


_OF_EMAILS: Mapping[str, Make] = {
    "inMailbox": lambda one: one.id("mailbox"),
    "inMailboxOtherThan": _ids("mailbox"),
    **dict.fromkeys(("before", "after"), lambda one: one.one(*_DATES)),
    **dict.fromkeys(("minSize", "maxSize"), lambda one: one.one(0, 1, 2**53 - 1)),
    **dict.fromkeys(
        ("hasKeyword", "notKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword", "noneInThreadHaveKeyword"),
        lambda one: one.one(*_KEYWORDS),
    ),
    **dict.fromkeys(
        ("text", "body", "subject", "from", "to", "cc", "bcc"),
        lambda one: one.one("a", "'a b'", '"', "é\0", "%", "*a", "NEAR(a b)", "a OR", ""),
    ),
    "header": lambda one: one.one(["X"], ["Subject", "a"], ["X-Y", '"'], ["é"]),
    "hasAttachment": lambda one: one.one(True, False),
}
_CONDITIONS: Mapping[str, Mapping[str, Make]] = {
    "Mailbox": {
        "parentId": lambda one: one.one(None, one.id("mailbox")),
        "name": lambda one: one.one("a", "é", ""),
        "role": lambda one: one.one(None, "inbox", "no"),
        "hasAnyRole": lambda one: one.one(True, False),
        "isSubscribed": lambda one: one.one(True, False),
    },
    "EmailSubmission": {
        "identityIds": _ids("identity"),
        "emailIds": _ids("email"),
        "threadIds": _ids("thread"),
        "undoStatus": lambda one: one.one("final", "pending", "no"),
        **dict.fromkeys(("before", "after"), lambda one: one.one(*_DATES)),
    },
    "SieveScript": {"name": lambda one: one.one("a", "%"), "isActive": lambda one: one.one(True, False)},
    "Quota": {
        "name": lambda one: one.one("a", "%"),
        "scope": lambda _: "account",
        "resourceType": lambda _: "octets",
        "type": lambda _: "Mail",
    },
}


def _condition(junk: Junk) -> Any:
    return junk.some(_CONDITIONS.get(junk.type, _OF_EMAILS), 0.15)


def _filter(junk: Junk) -> Any:
    if junk.random.random() < 0.3:
        return {"operator": junk.one("AND", "OR", "NOT", "X"), "conditions": junk.many(_filter, 2)}
    return _condition(junk)


_ORDERS: Mapping[str, Sequence[str]] = {
    "Email": ("receivedAt", "size", "from", "to", "subject", "sentAt", "hasKeyword", "someInThreadHaveKeyword"),
    "Mailbox": ("name", "sortOrder", "parentId"),
    "EmailSubmission": ("emailId", "threadId", "sentAt"),
    "SieveScript": ("name", "isActive"),
    "Quota": ("name", "used"),
}


def _comparator(junk: Junk) -> Any:
    name = junk.one(*_ORDERS.get(junk.type, ("x",)))
    more: dict[str, Make] = {
        "isAscending": lambda one: one.one(True, False),
        "collation": lambda one: one.one("i;ascii-casemap", "i;octet", "x"),
    }
    if name.endswith("Keyword"):
        more["keyword"] = lambda one: one.one(*_KEYWORDS)
    return {"property": name, **junk.some(more, 0.8)}


_WINDOW: Mapping[str, Make] = {
    "position": lambda one: one.one(0, 1, -1, 2**53 - 1),
    "anchor": lambda one: one.id("email"),
    "anchorOffset": lambda one: one.one(0, -1, 2**53 - 1),
    "limit": lambda one: one.one(0, 1, 2**53 - 1),
    "calculateTotal": lambda one: one.one(True, False),
}
_QUERY: Mapping[str, Make] = {"filter": _filter, "sort": lambda one: one.many(_comparator, 1)}


def _since(junk: Junk) -> Any:
    return junk.one(*map(str, range(8)), "3-1", "9.1", "999999999999999999", "x")


_ARGUMENTS: Mapping[str, Make] = {
    **_WINDOW,
    **dict.fromkeys(("ifInState", "ifFromInState", "destroyFromIfInState"), _since),
    **dict.fromkeys(("collapseThreads", "sortAsTree", "filterAsTree"), lambda one: one.one(True, False)),
    **dict.fromkeys(("onDestroyRemoveEmails", "onSuccessDeactivateScript"), lambda one: one.one(True, False)),
    **dict.fromkeys(("fetchTextBodyValues", "fetchAllBodyValues", "fetchHTMLBodyValues"), lambda _: True),
    "maxBodyValueBytes": lambda one: one.one(0, 1, 2**53 - 1),
    "bodyProperties": lambda _: ["partId", "header:X:asText", "subParts", "headers", "blobId"],
    "onSuccessDestroyOriginal": lambda _: True,
    "onSuccessActivateScript": lambda one: one.one("#k0", "x"),
    "onSuccessUpdateEmail": lambda one: {"#k0": _email_patch(one)},
    "onSuccessDestroyEmail": lambda _: ["#k0"],
    "upToId": lambda one: one.id("email"),
    "maxChanges": lambda one: one.one(0, 1, 100),
}
_OF_VERB: Mapping[str, Mapping[str, Make]] = {
    "changes": {"sinceState": _since},
    "query": _QUERY,
    "queryChanges": {**_QUERY, "sinceQueryState": _since},
    "copy": {"fromAccountId": lambda one: one.id("other")},
}
_NEEDED: Mapping[str, Mapping[str, Make]] = {
    "Blob/lookup": {
        "typeNames": lambda one: ["Email", one.one("Thread", "SieveScript", "Mailbox")],
        "ids": _ids("blob"),
    },
    "Blob/get": {"ids": _ids("blob")},
    "Blob/copy": {"blobIds": _ids("blob"), "fromAccountId": lambda one: one.id("other")},
    "Email/copy": {"fromAccountId": lambda one: one.id("other")},
    "SearchSnippet/get": {"emailIds": _ids("email"), "filter": lambda one: {"text": one.one("x", "a b", "'")}},
    "SieveScript/validate": {"blobId": lambda one: one.id("blob")},
}


def _properties(junk: Junk) -> Any:
    return junk.one(None, ["id"], [junk.one(*_HEADERS[:8], *_BODY, *_STORED) for _ in range(4)])


_PROPERTIES: Mapping[str, Make] = {
    "Email": _properties,
    "Blob": lambda _: ["data", "data:asText", "digest:sha", "size"],
}


def _objects(type_: str, verb: str) -> Mapping[str, Make]:
    """What is of one type of objects in the arguments of its methods."""
    kind, object_ = _KINDS.get(type_, "other"), _OBJECTS.get(type_, lambda _: {})
    given = "id" if verb == "copy" else "blobId"

    def import_(junk: Junk) -> Any:
        needed = {given: lambda one: one.id("email" if verb == "copy" else "blob"), "mailboxIds": _true("mailbox")}
        return {
            **junk.some(needed, 0.98),
            **junk.some({"keywords": _keywords, "receivedAt": lambda one: one.one(*_DATES)}, 0.4),
        }

    patch = _email_patch if type_ == "Email" else _patch_of(object_)
    return {
        "ids": _ids(kind),
        "blobIds": _ids("blob"),
        "blobId": lambda one: one.id("blob"),
        "emailIds": _ids("email"),
        "properties": _PROPERTIES.get(type_, lambda one: one.one(None, ["id"])),
        "offset": lambda one: one.one(0, 1, 2**53 - 1),
        "length": lambda one: one.one(0, 1, 2**53 - 1),
        "create": _created(import_ if verb == "copy" else object_),
        "emails": _created(import_),
        "update": _by_id("other" if type_ == "VacationResponse" else kind, patch),
        "destroy": lambda one: one.many(lambda inner: inner.id(kind), 1) if one.random.random() < 0.2 else [],
        "filter": _filter,
    }


def _used_by(name: str) -> frozenset[str]:
    type_, _, verb = name.partition("/")
    set_ = {"create", "update", "destroy", "ifInState"}
    window = {*_WINDOW, *_QUERY}
    changes = {*_QUERY, "sinceQueryState", "maxChanges", "upToId", "calculateTotal"}
    get = {"ids", "properties"}
    body = {"properties", "bodyProperties", "fetchTextBodyValues", "fetchAllBodyValues", "fetchHTMLBodyValues"}
    by_verb = {
        "get": get,
        "set": set_,
        "changes": {"sinceState", "maxChanges"},
        "query": window,
        "queryChanges": changes,
        "import": {"emails", "ifInState"},
        "copy": {"fromAccountId", "create", "onSuccessDestroyOriginal", "ifFromInState", "destroyFromIfInState"},
        "parse": {"blobIds", "maxBodyValueBytes", *body},
        "upload": {"create"},
        "lookup": {"typeNames", "ids"},
        "validate": {"blobId"},
        "echo": {"filter", "ids"},
    }
    more: Mapping[str, set[str]] = {
        "Email/get": {"maxBodyValueBytes", *body},
        "Email/query": {"collapseThreads"},
        "Email/queryChanges": {"collapseThreads"},
        "Mailbox/query": {"sortAsTree", "filterAsTree"},
        "Mailbox/queryChanges": {"sortAsTree", "filterAsTree"},
        "Mailbox/set": {"onDestroyRemoveEmails"},
        "Blob/get": {"offset", "length"},
        "SieveScript/set": {"onSuccessActivateScript", "onSuccessDeactivateScript"},
        "EmailSubmission/set": {"onSuccessUpdateEmail", "onSuccessDestroyEmail"},
    }
    if name == "Blob/copy":
        return frozenset({"fromAccountId", "blobIds"})
    if name == "SearchSnippet/get":
        return frozenset({"filter", "emailIds"})
    if type_ == "PushSubscription":
        return frozenset(by_verb[verb] - {"ifInState"})
    return frozenset(by_verb[verb] | more.get(name, set()))
