"""The commands of the dialect: from what they were given to what they do to the world and to the file's own run."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from mailstack.formats.addresses import address_text
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.entity import Entity
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.run import Run, SieveEnvelope, Step
from tests.support.svtest.paths import path_of
from tests.support.svtest.world import Block, Stored, World


class TestFailed(Exception):
    """Of test_fail: ends the block that it is in."""

    __test__ = False


def block(world: World) -> Callable[[Arguments, Compiler], Step]:
    def compile_(arguments: Arguments, compiler: Compiler) -> Step:
        name = arguments.text("name")
        steps = compiler.block(getattr(arguments.node, "block", None) or ())

        def step(run: Run) -> None:
            failure = ""
            try:
                run.block(steps)
            except TestFailed as failed:
                failure = str(failed)
            except RuntimeFault as fault:
                failure = f"it ended: {fault}"
            world.blocks.append(Block(name.of(run), failure))

        return step

    return compile_


def fail(reason: str) -> NoReturn:
    raise TestFailed(reason or "test_fail")


def set_thing(world: World, run: Run, name: str, value: str) -> None:
    envelope = run.mail.envelope
    match name:
        case "message":
            show(world, run, Stored(value.encode(), ()))
            run.mail = replace(run.mail, envelope=envelope_of(run.message))
        case "envelope.from":
            run.mail = replace(run.mail, envelope=replace(envelope, sender=path_of(value)))
        case "envelope.to":
            run.mail = replace(run.mail, envelope=replace(envelope, recipient=path_of(value)))
        case "envelope.orig_to":
            world.original_recipient = path_of(value)
        case "envelope.auth":
            run.mail = replace(run.mail, envelope=replace(envelope, auth=value))
        case _:
            raise TestFailed(f"there is nothing to set that is called {name}")


def envelope_of(message: Entity) -> SieveEnvelope:
    """Where a file says nothing else, whoever From and To name first."""
    sender, recipient = (
        next((address_text(mailbox) for field in message.header.occurrences(name) for mailbox in field.addresses), "")
        for name in ("from", "to")
    )
    return SieveEnvelope(sender=sender, recipient=recipient)


def show(world: World, run: Run, stored: Stored) -> None:
    """From here on, tests look at that message."""
    run.mail = world.settings.applied(replace(run.mail, raw=stored.raw))
    run.message = Entity(stored.raw)
    run.enclosed.clear()
    run.flags = world.flags = stored.flags


def reset(world: World, run: Run) -> None:
    world.reset_result()
    run.actions.clear()
    run.is_kept = True
    run.flags = world.flags


def create(world: World, name: str) -> None:
    world.mailboxes.setdefault(name, [])


def reload(world: World, run: Run) -> None:
    run.limits = world.settings.limits_of_file
    run.mail = world.settings.applied(run.mail)


def metadata_set(world: World) -> Callable[[Arguments, Compiler], Step]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Step:
        name, value = arguments.text("name"), arguments.text("value")
        mailbox = arguments.text("mailbox") if arguments.has("mailbox") else None

        def step(run: Run) -> None:
            world.metadata[(mailbox.of(run) if mailbox else "", name.of(run).lower())] = value.of(run)

        return step

    return compile_


def save(world: World, name: str) -> None:
    if world.script is None:
        raise TestFailed("there is no script to be saved")
    world.saved[name] = world.script


def load(world: World, name: str) -> None:
    if name not in world.saved:
        raise TestFailed(f"no script was saved as {name}")
    world.script = world.saved[name]


def found(world: World, arguments: Arguments) -> Callable[[Run], bool]:
    """Makes a message that was stored or sent the one that tests look at; False where it is not there."""
    index = arguments.number("index")
    if arguments.has("folder"):
        folder = arguments.text("folder")

        def stored(run: Run) -> bool:
            messages = world.mailbox(folder.of(run)) or []
            if index < len(messages):
                show(world, run, messages[index])
            return index < len(messages)

        return stored
    if not arguments.has("smtp"):
        raise Misplaced(arguments.at, "test_message needs ':smtp' or ':folder'")

    def sent(run: Run) -> bool:
        if index < len(world.sent):
            show(world, run, Stored(world.sent[index].raw, ()))
            run.mail = replace(run.mail, envelope=world.sent[index].envelope)
        return index < len(world.sent)

    return sent


def message(world: World) -> Callable[[Arguments, Compiler], Step]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Step:
        is_there = found(world, arguments)

        def step(run: Run) -> None:
            if not is_there(run):
                raise TestFailed(f"there is no message {arguments.number('index')}")

        return step

    return compile_
