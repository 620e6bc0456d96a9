"""The tests of the dialect: scripts that are compiled and run, what comes of it, and what went wrong."""

from collections.abc import Callable, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.run import Check, Run
from tests.support.svtest.carry_out import carry_out
from tests.support.svtest.commands import TestFailed, found, reset
from tests.support.svtest.scripts import run_script, run_scripts
from tests.support.svtest.world import World


def has_message(world: World) -> Callable[[Arguments, Compiler], Check]:
    return lambda arguments, _compiler: found(world, arguments)


def compiles(world: World) -> Callable[[Arguments, Compiler], Check]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Check:
        name = arguments.text("script")

        def check(run: Run) -> bool:
            world.errors = []
            made = world.compile(world.folder / name.of(run))
            world.script = made or world.script
            return made is not None

        return check

    return compile_


def runs(world: World) -> Callable[[Arguments, Compiler], Check]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Check:
        appends = arguments.has("append_result")

        def check(run: Run) -> bool:
            if world.script is None:
                raise TestFailed("no script was compiled")
            if not appends:
                reset(world, run)
            return run_script(world, run, world.script)

        return check

    return compile_


def run_together(world: World) -> Callable[[Arguments, Compiler], Check]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Check:
        names = arguments.texts("scripts")

        def check(run: Run) -> bool:
            reset(world, run)
            return run_scripts(world, run, names.of(run)) and carry_out(world, run)

        return check

    return compile_


def executes(world: World) -> Callable[[Arguments, Compiler], Check]:
    return lambda _arguments, _compiler: lambda run: carry_out(world, run)


def compares(texts_of: Callable[[Run], Sequence[str]]) -> Callable[[Arguments, Compiler], Check]:
    def compile_(arguments: Arguments, compiler: Compiler) -> Check:
        matcher = compiler.matcher(arguments)
        only = slice(None)
        if arguments.has("index"):
            # The first is number 1.
            only = slice(arguments.number("index") - 1, arguments.number("index"))
        return lambda run: matcher(run, texts_of(run)[only])

    return compile_
