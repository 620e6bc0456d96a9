"""`include` as the dialect has it: what is wrong with a script that is included is a fault of the one that includes it.

Delivery finds it at run time: RFC 6609 §3.2 lets nobody have to upload scripts in some order.
"""

from dataclasses import replace

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext import include
from mailstack.sieve.facts import IncludedScript
from mailstack.sieve.faults import Broken, Misplaced
from mailstack.sieve.language import Extension
from mailstack.sieve.run import Step
from tests.support.svtest.world import World


def linking(world: World) -> Extension:
    command, *others = include.EXTENSION.commands

    def compile_(arguments: Arguments, compiler: Compiler) -> Step:
        step = command.compile(arguments, compiler)
        if world.is_linking:
            _link(world, arguments, compiler.includes[-1].script)
        return step

    return replace(include.EXTENSION, commands=(replace(command, compile=compile_), *others))


def _link(world: World, arguments: Arguments, script: IncludedScript) -> None:
    if script in world.chain:
        if arguments.has("once"):
            return
        raise Misplaced(arguments.at, f"the script {script.name!r} includes itself")
    limits = world.settings.limits
    if len(world.chain) >= limits.include_depth:
        raise Misplaced(arguments.at, f"more than {limits.include_depth} scripts include each other")
    world.linked.add(script)
    if len(world.linked) > limits.includes:
        raise Misplaced(arguments.at, f"more than {limits.includes} scripts are included")
    found = world.included(script)
    if isinstance(found, Broken):
        world.included_faults += [fault.said for fault in found.faults]
        raise Misplaced(arguments.at, f"{script.name} was not compiled")
    if found is None and not arguments.has("optional"):
        raise Misplaced(arguments.at, f"the script {script.name!r} does not exist")
