"""`foreverypart`, which looks at one part of the message after the other, and `break`. RFC 5703 §3."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.entity import walk
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Signature, TagSpec
from mailstack.sieve.run import Flow, Run, Step


def _foreverypart(arguments: Arguments, compiler: Compiler) -> Step:
    if len(compiler.loops) >= compiler.limits.loops:
        # RFC 5703 §3: there may be a limit, of two at least.
        raise Misplaced(arguments.at, f"more than {compiler.limits.loops} 'foreverypart' in each other")
    compiler.loops.append(arguments.constant("name") if arguments.has("name") else "")
    steps = compiler.block(arguments.block)
    compiler.loops.pop()

    def step(run: Run) -> Flow | None:
        if run.loops >= run.limits.loops:
            raise RuntimeFault(f"more than {run.limits.loops} 'foreverypart' in each other, those included counted")
        around = run.part
        parts = walk(around or run.message)
        if around is not None:
            # RFC 5703 §3: an inner loop sees what the part of the outer one holds, which may be nothing.
            next(parts)
        run.loops += 1
        flow = None
        for run.part in parts:
            run.spend(1)
            flow = run.block(steps)
            if flow is not None:
                break
        run.loops -= 1
        run.part = around
        return _left(run) if flow is Flow.BREAK else flow

    return step


def _left(run: Run) -> Flow | None:
    """One of the loops that a break ends has ended."""
    run.breaking -= 1
    return Flow.BREAK if run.breaking else None


def _break(arguments: Arguments, compiler: Compiler) -> Step:
    if not compiler.loops:
        raise Misplaced(arguments.at, "'break' outside of 'foreverypart'")
    name = arguments.constant("name") if arguments.has("name") else compiler.loops[-1]
    if name not in compiler.loops:
        raise Misplaced(arguments.place("name"), f"no 'foreverypart' around here has the name {name!r}")
    # RFC 5703 §3: of loops with the same name, the innermost.
    count = compiler.loops[::-1].index(name) + 1

    def step(run: Run) -> Flow:
        run.breaking = count
        return Flow.BREAK

    return step


_NAME = TagSpec(name="name", value=Kind.CONSTANT)
EXTENSION = Extension(
    name="foreverypart",
    commands=(
        CommandSpec(name="foreverypart", signature=Signature(tags=(_NAME,), has_block=True), compile=_foreverypart),
        CommandSpec(name="break", signature=Signature(tags=(_NAME,)), compile=_break),
    ),
)
