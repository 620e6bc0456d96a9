"""A script as its grammar has it, before anybody knows what its commands mean. RFC 5228 §8.2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """name: lower-case, without the colon. at, here and below: the offset in the script."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Number:
    value: int
    at: int


@dataclass(frozen=True, slots=True)
class Strings:
    """is_list: whether it stood in brackets; one string stands for a list of one, but not the other way round."""

    items: tuple[str, ...]
    at: int
    is_list: bool


Argument = Tag | Number | Strings


@dataclass(frozen=True, slots=True)
class Test:
    """has_list: whether its tests stand in parentheses; a list of one is no test."""

    name: str
    arguments: tuple[Argument, ...]
    tests: "tuple[Test, ...]"
    has_list: bool
    at: int


@dataclass(frozen=True, slots=True)
class Command:
    """block: None where it ended with a semicolon."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple[Test, ...]
    has_list: bool
    block: "tuple[Command, ...] | None"
    at: int
