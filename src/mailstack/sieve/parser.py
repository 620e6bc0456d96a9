"""Tokens to the tree of commands. RFC 5228 §8.2.

A command that breaks the grammar is passed over up to its end, so that one reading finds the other faults too.
"""

import re

from mailstack.sieve.faults import Misplaced
from mailstack.sieve.lexer import Kind, Token, tokens
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.syntax import Argument, Command, Number, Strings, Tag, Test

_LINE_END = re.compile(r"\r?\n")


def with_line_ends(text: str) -> str:
    """RFC 5228 §2.2: lines end in CRLF; scripts out of files end in LF, and so would the texts in them."""
    return _LINE_END.sub("\r\n", text)


def parse(text: str, *, limits: Limits = LIMITS) -> tuple[tuple[Command, ...], list[Misplaced]]:
    """text: with CRLF. The commands that could be read, and what could not."""
    parser = _Parser(text, limits)
    return parser.commands(0), parser.faults


class _Parser:
    def __init__(self, text: str, limits: Limits) -> None:
        self.faults: list[Misplaced] = []
        self._limits = limits
        self._tokens = _read(text, self.faults, limits)
        self._unread = {fault.at for fault in self.faults}  # said already
        self._next = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def _at(self, special: str) -> bool:
        token = self._tokens[self._next]
        return token.value == special and token.kind is Kind.SPECIAL

    def _took(self, special: str) -> bool:
        if self._at(special):
            self._next += 1
            return True
        return False

    def commands(self, depth: int) -> tuple[Command, ...]:
        """commands = *command; up to the end, or to the brace that ends the block."""
        found: list[Command] = []
        while self._token.kind is not Kind.END and len(self.faults) < self._limits.faults:
            if self._at("}"):
                if depth:
                    break
                self.faults.append(Misplaced(self._take().at, "a closing brace without an opening one"))
                continue
            try:
                found.append(self._command(depth))
            except Misplaced as fault:
                if fault.at not in self._unread:
                    self.faults.append(fault)
                self._skip()
        return tuple(found)

    def _skip(self) -> None:
        """To the end of the command that cannot be read: past its semicolon, or past its block."""
        depth = 0
        while self._token.kind is not Kind.END:
            if self._at("}") and not depth:
                return
            token = self._take()
            if token.kind is not Kind.SPECIAL:
                continue
            if token.value == "{":
                depth += 1
            elif token.value == "}":
                depth -= 1
            if token.value in ";}" and not depth:
                return

    def _command(self, depth: int) -> Command:
        """command = identifier arguments (";" / block)"""
        name = self._take()
        if name.kind is not Kind.NAME:
            raise Misplaced(name.at, f"a command should begin here, not {_shown(name)}")
        arguments, tests, has_list = self._arguments(depth)
        if self._took(";"):
            return Command(name.value, arguments, tests, has_list, None, name.at)
        opening = self._token
        if not self._took("{"):
            raise Misplaced(opening.at, f"{_shown(opening)} where {name.value!r} should end", "a semicolon is missing")
        if depth >= self._limits.depth:
            raise Misplaced(opening.at, f"more than {self._limits.depth} blocks in each other")
        block = self.commands(depth + 1)
        if not self._took("}") and not self.faults:
            raise Misplaced(opening.at, "a block without its closing brace")
        return Command(name.value, arguments, tests, has_list, block, name.at)

    def _arguments(self, depth: int) -> tuple[tuple[Argument, ...], tuple[Test, ...], bool]:
        """arguments = *argument [ test / test-list ]; and whether it is a list."""
        found: list[Argument] = []
        while True:
            token = self._token
            if token.kind is Kind.TEXT:
                found.append(Strings((self._take().value,), token.at, is_list=False))
            elif token.kind is Kind.TAG:
                found.append(Tag(self._take().value, token.at))
            elif token.kind is Kind.NUMBER:
                found.append(Number(int(self._take().value), token.at))
            elif self._took("["):
                found.append(self._strings(token.at))
            elif token.kind is Kind.NAME:
                return tuple(found), (self._test(depth + 1),), False
            elif self._took("("):
                return tuple(found), self._tests(depth + 1), True
            else:
                return tuple(found), (), False

    def _strings(self, at: int) -> Strings:
        """string-list = "[" string *("," string) "]" """
        items: list[str] = []
        while True:
            token = self._take()
            if token.kind is not Kind.TEXT:
                raise Misplaced(token.at, f"a string belongs here, in the list of them, not {_shown(token)}")
            items.append(token.value)
            if self._took("]"):
                return Strings(tuple(items), at, is_list=True)
            if not self._took(","):
                raise Misplaced(self._token.at, f"{_shown(self._token)} in a list of strings", "a comma is missing")

    def _tests(self, depth: int) -> tuple[Test, ...]:
        """test-list = "(" test *("," test) ")" """
        found = []
        while True:
            found.append(self._test(depth))
            if self._took(")"):
                return tuple(found)
            if not self._took(","):
                raise Misplaced(self._token.at, f"{_shown(self._token)} in a list of tests", "a comma is missing")

    def _test(self, depth: int) -> Test:
        """test = identifier arguments"""
        name = self._take()
        if name.kind is not Kind.NAME:
            raise Misplaced(name.at, f"a test should begin here, not {_shown(name)}")
        if depth > self._limits.depth:
            raise Misplaced(name.at, f"more than {self._limits.depth} blocks and tests in each other")
        arguments, tests, has_list = self._arguments(depth)
        return Test(name.value, arguments, tests, has_list, name.at)


def _read(text: str, faults: list[Misplaced], limits: Limits) -> list[Token]:
    """Up to as many faults as anybody reads."""
    found: list[Token] = []
    for token in tokens(text, faults):
        found.append(token)
        if len(faults) >= limits.faults:
            return [*found, Token(Kind.END, "", token.at)]
    return found


def _shown(token: Token) -> str:
    match token.kind:
        case Kind.END:
            return "the end of the script"
        case Kind.BROKEN:
            return "what cannot be read"
        case Kind.TEXT:
            return "a string"
        case Kind.NUMBER:
            return f"the number {token.value}"
        case Kind.TAG:
            return f"':{token.value}'"
        case Kind.NAME | Kind.SPECIAL:
            return f"{token.value!r}"
