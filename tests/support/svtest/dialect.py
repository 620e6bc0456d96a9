"""`vnd.dovecot.testsuite`: the language of `.svtest` files, as an extension of our own Sieve.

A file is a script that begins with `require "vnd.dovecot.testsuite"`. Each `test "name" { … }` passes unless it comes
to a `test_fail "reason"`. Within it, ordinary tests and actions work on a message that `test_set "message" text:…`
gave; `test_script_compile`, `test_script_run` and `test_result_execute` do so with another script.
"""

from collections.abc import Callable, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Run, Step
from tests.support.svtest.carry_out import names
from tests.support.svtest.checks import compares, compiles, executes, has_message, run_together, runs
from tests.support.svtest.commands import (
    block,
    create,
    fail,
    load,
    message,
    metadata_set,
    reload,
    reset,
    save,
    set_thing,
)
from tests.support.svtest.world import World

NAME = "vnd.dovecot.testsuite"


def dialect(world: World) -> Extension:
    return Extension(
        name=NAME,
        commands=(
            CommandSpec(name="test", signature=_signature("name", has_block=True), compile=block(world)),
            _command("test_fail", lambda _run, texts: fail(texts[0]), "reason"),
            _command("test_set", lambda run, texts: set_thing(world, run, *texts), "name", "value"),
            _command("test_result_reset", lambda run, _texts: reset(world, run)),
            _command("test_result_print", lambda _run, _texts: None),
            _command("test_mailbox_create", lambda _run, texts: create(world, texts[0]), "mailbox"),
            _command("test_mailbox_delete", lambda _run, texts: world.mailboxes.pop(texts[0], None), "mailbox"),
            _command("test_config_set", lambda _run, texts: world.settings.set(*texts), "name", "value"),
            _command("test_config_unset", lambda _run, texts: world.settings.unset(texts[0]), "name"),
            CommandSpec(
                name="test_config_reload",
                signature=Signature(tags=(TagSpec(name="extension", value=Kind.STRING),)),
                compile=lambda _arguments, _compiler: lambda run: reload(world, run),
            ),
            CommandSpec(
                name="test_imap_metadata_set",
                signature=_signature("name", "value", tags=(TagSpec(name="mailbox", value=Kind.STRING),)),
                compile=metadata_set(world),
            ),
            _command("test_binary_save", lambda _run, texts: save(world, texts[0]), "name"),
            _command("test_binary_load", lambda _run, texts: load(world, texts[0]), "name"),
            CommandSpec(name="test_message", signature=_MESSAGE, compile=message(world)),
        ),
        tests=(
            TestSpec(name="test_message", signature=_MESSAGE, compile=has_message(world)),
            TestSpec(name="test_script_compile", signature=_signature("script"), compile=compiles(world)),
            TestSpec(
                name="test_script_run",
                signature=Signature(tags=(TagSpec(name="append_result"),)),
                compile=runs(world),
            ),
            TestSpec(
                name="test_multiscript",
                signature=Signature(parameters=(Parameter(name="scripts", kind=Kind.STRINGS),)),
                compile=run_together(world),
            ),
            TestSpec(name="test_result_execute", signature=Signature(), compile=executes(world)),
            TestSpec(
                name="test_result_action",
                signature=_COMPARED,
                compile=compares(lambda run: names(run.actions)),
            ),
            TestSpec(name="test_error", signature=_COMPARED, compile=compares(lambda _run: world.errors)),
        ),
        envelope_parts={"auth": lambda run: () if run.mail.envelope.auth is None else (run.mail.envelope.auth,)},
    )


_MESSAGE = Signature(
    parameters=(Parameter(name="index", kind=Kind.NUMBER),),
    tags=(TagSpec(name="smtp", group="where"), TagSpec(name="folder", value=Kind.STRING, group="where")),
)
_COMPARED = Signature(
    parameters=(Parameter(name="key list", kind=Kind.STRINGS),),
    tags=(TagSpec(name="index", value=Kind.NUMBER),),
    compares=True,
)


def _signature(*parameters: str, tags: tuple[TagSpec, ...] = (), has_block: bool = False) -> Signature:
    given = tuple(Parameter(name=name, kind=Kind.STRING) for name in parameters)
    return Signature(parameters=given, tags=tags, has_block=has_block)


def _command(name: str, do: Callable[[Run, Sequence[str]], object], *parameters: str) -> CommandSpec:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Step:
        texts = [arguments.text(parameter) for parameter in parameters]

        def step(run: Run) -> None:
            do(run, [text.of(run) for text in texts])

        return step

    return CommandSpec(name=name, signature=_signature(*parameters), compile=compile_)
