"""The commands and tests of RFC 5228 that need no `require` and look at no header: control, actions, size."""

from mailstack.model.errors import Invalid
from mailstack.sieve.actions import Discard, Keep, Redirect
from mailstack.sieve.addresses import outbound_address
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler, available, unavailable
from mailstack.sieve.ext.delivery_parameters import notify_of, ret_of
from mailstack.sieve.ext.imap4flags import flags_of
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Kind, Parameter, Signature, TagSpec, Tests, TestSpec
from mailstack.sieve.run import Check, Flow, Run, Step


def _stop(_arguments: Arguments, _compiler: Compiler) -> Step:
    return lambda _run: Flow.STOP


def _keep(arguments: Arguments, _compiler: Compiler) -> Step:
    flags = flags_of(arguments)

    def step(run: Run) -> None:
        run.do(Keep(flags=flags(run), raw=run.edited))

    return step


def _discard(_arguments: Arguments, _compiler: Compiler) -> Step:
    return lambda run: run.do(Discard())


def _redirect(arguments: Arguments, _compiler: Compiler) -> Step:
    address = arguments.text("address")
    is_copy, is_list = arguments.has("copy"), arguments.has("list")
    known = "" if address.constant is None or is_list else _known_address(address.constant, arguments)
    notify, ret = notify_of(arguments), ret_of(arguments)

    def step(run: Run) -> None:
        which = {"list_name": address.of(run)} if is_list else {"address": known or _address_of(address.of(run))}
        run.do(Redirect(**which, raw=run.sent_on, notify=notify(run), ret=ret(run)), keeps=is_copy)

    return step


def _known_address(text: str, arguments: Arguments) -> str:
    try:
        return outbound_address(text)
    except Invalid as fault:
        raise Misplaced(arguments.place("address"), f"{text!r}: {fault}") from None


def _address_of(text: str) -> str:
    try:
        return outbound_address(text)
    except Invalid as fault:
        # RFC 5228 §2.4.2.3: it is an error to carry out an action with anything else.
        raise RuntimeFault(f"redirect to {text!r}: {fault}") from None


def _true(_arguments: Arguments, _compiler: Compiler) -> Check:
    return lambda _run: True


def _false(_arguments: Arguments, _compiler: Compiler) -> Check:
    return lambda _run: False


def _not(arguments: Arguments, compiler: Compiler) -> Check:
    check = compiler.check(arguments.node.tests[0])
    if check in (available, unavailable):
        return unavailable if check is available else available
    return lambda run: not check(run)


def _allof(arguments: Arguments, compiler: Compiler) -> Check:
    checks: list[Check] = []
    for test in arguments.node.tests:
        check = compiler.check(test)
        if check is unavailable:
            # RFC 5463 §4: what follows may use what is not there, and is never reached.
            return unavailable
        if check is not available:
            checks.append(check)
    if not checks:
        return available

    # RFC 5228 §5.2 lets it end early.
    return lambda run: all(check(run) for check in checks)


def _anyof(arguments: Arguments, compiler: Compiler) -> Check:
    checks: list[Check] = []
    for test in arguments.node.tests:
        check = compiler.check(test)
        if check is available:
            return available
        if check is not unavailable:
            checks.append(check)
    if not checks:
        return unavailable

    return lambda run: any(check(run) for check in checks)


def _size(arguments: Arguments, _compiler: Compiler) -> Check:
    limit = arguments.number("limit")
    # RFC 5228 §5.9: a message of just that size is neither over nor under it.
    match arguments.one_of("which"):
        case "over":
            return lambda run: run.message.size > limit
        case "under":
            return lambda run: run.message.size < limit
        case _:
            raise Misplaced(arguments.at, "'size' needs ':over' or ':under'")


COMMANDS = (
    CommandSpec(name="stop", signature=Signature(), compile=_stop),
    CommandSpec(name="keep", signature=Signature(), compile=_keep),
    CommandSpec(name="discard", signature=Signature(), compile=_discard),
    CommandSpec(
        name="redirect",
        signature=Signature(parameters=(Parameter(name="address", kind=Kind.STRING),)),
        compile=_redirect,
    ),
)
TESTS = (
    TestSpec(name="true", signature=Signature(), compile=_true),
    TestSpec(name="false", signature=Signature(), compile=_false),
    TestSpec(name="not", signature=Signature(tests=Tests.ONE), compile=_not),
    TestSpec(name="allof", signature=Signature(tests=Tests.MANY), compile=_allof),
    TestSpec(name="anyof", signature=Signature(tests=Tests.MANY), compile=_anyof),
    TestSpec(
        name="size",
        signature=Signature(
            parameters=(Parameter(name="limit", kind=Kind.NUMBER),),
            tags=(TagSpec(name="over", group="which"), TagSpec(name="under", group="which")),
        ),
        compile=_size,
    ),
)
