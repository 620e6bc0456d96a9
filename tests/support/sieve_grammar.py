"""Random scripts out of the grammar of Sieve, and scripts that break it in one place. RFC 5228 §8, and some extensions.

A script is a list of tokens, so that one of them can be taken away, doubled or put elsewhere; `written` puts white
space and comments between them.
"""

import random
from collections.abc import Sequence

REQUIRED = ("fileinto", "copy", "envelope", "imap4flags", "reject", "vacation", "variables", "relational", "mailbox")
_WORDS = ("from", "to", "subject", "a b", "", 'x\\"y', "coyote@desert.example.org", "gr\u00fcn")
_MAILBOXES = ("INBOX", "a/b", "gr\u00fcn")
_HEADERS = ("from", "To", "cc", "reply-to", "sender")
_SPACES = (" ", "\r\n", "\t", "  ", " # a comment\r\n", ' /* another; " */ ')
_TIGHT = frozenset(";,[](){}")


class Grammar:
    """depth: of blocks and tests in each other, at most."""

    def __init__(self, chance: random.Random, *, depth: int = 3) -> None:
        self._chance = chance
        self._depth = depth

    def script(self) -> list[str]:
        names = [f'"{name}"' for name in REQUIRED]
        return ["require", *_listed(names), ";", *self._commands(0, self._chance.randint(1, 5))]

    def _commands(self, depth: int, count: int) -> list[str]:
        return [token for _ in range(count) for token in self._command(depth)]

    def _command(self, depth: int) -> list[str]:
        if depth < self._depth and self._chance.random() < 0.4:
            return self._if(depth)
        return [*self._action(), ";"]

    def _if(self, depth: int) -> list[str]:
        made = ["if", *self._test(depth), *self._block(depth)]
        for _ in range(self._chance.choice((0, 0, 1, 2))):
            made += ["elsif", *self._test(depth), *self._block(depth)]
        if self._chance.random() < 0.4:
            made += ["else", *self._block(depth)]
        return made

    def _block(self, depth: int) -> list[str]:
        return ["{", *self._commands(depth + 1, self._chance.randint(0, 2)), "}"]

    def _action(self) -> list[str]:
        pick = self._chance.choice
        match pick(("keep", "discard", "stop", "redirect", "fileinto", "reject", "flag", "vacation", "set")):
            case "redirect":
                return ["redirect", *pick(([], [":copy"])), '"bart@example.com"']
            case "fileinto":
                tags = pick(([], [":copy"], [":flags", '"\\\\Seen"'], [":create", ":copy"]))
                return ["fileinto", *tags, self._string(_MAILBOXES)]
            case "reject":
                return ["reject", pick((self._string(), "text:\r\nno\r\n..\r\nthanks\r\n.\r\n"))]
            case "flag":
                return [pick(("setflag", "addflag", "removeflag")), *self._strings()]
            case "vacation":
                days = pick(([], [":days", "7"]))
                return ["vacation", *days, *pick(([], [":subject", self._string()])), self._string()]
            case "set":
                return ["set", *pick(([], [":upper"])), '"name"', pick((self._string(), '"${name}${1}"'))]
            case name:
                return [name]

    def _test(self, depth: int) -> list[str]:
        pick = self._chance.choice
        kinds = ("true", "false", "header", "address", "envelope", "exists", "size")
        match pick((*kinds, "not", "allof") if depth < self._depth else kinds):
            case "header":
                return ["header", *self._comparing(), *self._strings(_HEADERS), *self._strings()]
            case "address":
                return ["address", *self._part(), *self._comparing(), *self._strings(_HEADERS), *self._strings()]
            case "envelope":
                return ["envelope", *self._comparing(), *self._part(), *self._strings(("from", "to")), *self._strings()]
            case "exists":
                return ["exists", *self._strings(_HEADERS)]
            case "size":
                return ["size", pick((":over", ":under")), pick(("0", "100K", "2m", "1G"))]
            case "not":
                return ["not", *self._test(depth + 1)]
            case "allof":
                tests = [self._test(depth + 1) for _ in range(self._chance.randint(1, 3))]
                return [pick(("allof", "anyof")), "(", *_joined(tests), ")"]
            case name:
                return [name]

    def _comparing(self) -> list[str]:
        match_type = self._chance.choice(
            ([], [":is"], [":contains"], [":matches"], [":count", '"ge"'], [":value", '"lt"'])
        )
        comparator = self._chance.choice(([], [":comparator", '"i;octet"'], [":comparator", '"i;ascii-casemap"']))
        made = [match_type, comparator]
        self._chance.shuffle(made)
        return [token for tokens in made for token in tokens]

    def _part(self) -> list[str]:
        return self._chance.choice(([], [":all"], [":localpart"], [":domain"]))

    def _string(self, of: Sequence[str] = _WORDS) -> str:
        return f'"{self._chance.choice(of)}"'

    def _strings(self, of: Sequence[str] = _WORDS) -> list[str]:
        if self._chance.random() < 0.6:
            return [self._string(of)]
        return _listed([self._string(of) for _ in range(self._chance.randint(1, 3))])


def _listed(strings: Sequence[str]) -> list[str]:
    return ["[", *_joined([[one] for one in strings]), "]"]


def _joined(parts: Sequence[list[str]]) -> list[str]:
    return [token for number, part in enumerate(parts) for token in ([",", *part] if number else part)]


def broken(tokens: Sequence[str], chance: random.Random) -> list[str]:
    """With one change, behind the `require`, after which it may still be right."""
    made = list(tokens)
    first = made.index(";") + 1
    at = chance.randrange(first, len(made))
    match chance.randrange(4):
        case 0:
            del made[at]
        case 1:
            made.insert(at, made[at])
        case 2:
            made[at] = chance.choice(made[first:])
        case _:
            made.insert(at, chance.choice((";", "}", "{", "(", "]", "else", ":is", "7", '"x"', "kep")))
    return made


def written(tokens: Sequence[str], chance: random.Random) -> str:
    made: list[str] = []
    for before, token in zip(["", *tokens], tokens, strict=False):
        needs_space = not (before in _TIGHT or token in _TIGHT or before.endswith("\n"))
        made += [chance.choice(_SPACES) if needs_space else chance.choice(("", "", *_SPACES)), token]
    return "".join(made)
