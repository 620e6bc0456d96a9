"""The tests of RFC 5228 that look at a header: header, address, exists; and the parts of an address."""

from collections.abc import Callable, Mapping, Sequence

from mailstack.formats.addresses import address_text
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Kind, Parameter, Signature, TestSpec
from mailstack.sieve.message import AddressPart
from mailstack.sieve.run import Check, Run

# RFC 5228 §5.1: the test is for fields that hold addresses, and others are an error.
ADDRESS_FIELDS = frozenset(
    {
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "resent-reply-to",
        "return-path",
        "delivered-to",
        "envelope-to",
        "envelope-from",
        "x-original-to",
        "x-delivered-to",
        "x-envelope-to",
        "x-envelope-from",
        "apparently-to",
        "apparently-from",
        "errors-to",
        "return-receipt-to",
        "read-receipt-to",
        "disposition-notification-to",
        "original-from",
        "original-to",
        "x-original-from",
        "mail-followup-to",
        "mail-reply-to",
        "approved",
        "author",
        "x-beenthere",
        "x-complaints-to",
    }
)


def _header(arguments: Arguments, compiler: Compiler) -> Check:
    # RFC 5228 §2.4.2.2: what can be no field's name is no error in a test: no field has it.
    names = arguments.texts("header names")
    matcher = compiler.matcher(arguments)
    if arguments.is_narrowed:
        fields = arguments.fields()
        return lambda run: matcher(run, [one.text for name in names.of(run) for one in fields(run, name)])
    if names.constants is not None and len(names.constants) == 1:
        only = names.constants[0]
        return lambda run: matcher(run, run.message.header.texts(only))
    return lambda run: matcher(run, [text for name in names.of(run) for text in run.message.header.texts(name)])


def _address(arguments: Arguments, compiler: Compiler) -> Check:
    names = arguments.texts("header list")
    for text in names.items:
        if text.constant is not None and text.constant.lower() not in ADDRESS_FIELDS:
            why = "it is no header field with addresses, and the header test looks at any"
            raise Misplaced(names.at, f"{text.constant!r} is not allowed in the address test", why)
    matcher = compiler.matcher(arguments)
    part_for = compiler.address_part(arguments)
    fields = arguments.fields()

    def address(run: Run) -> bool:
        part = part_for(run)
        found: list[str] = []
        for name in names.of(run):
            for field in fields(run, name):
                for mailbox in field.addresses:
                    value = part(address_text(mailbox))
                    if value is not None:
                        found.append(value)
        return matcher(run, found)

    return address


def _exists(arguments: Arguments, _compiler: Compiler) -> Check:
    names = arguments.texts("header names")
    if arguments.is_narrowed:
        fields = arguments.fields()
        return lambda run: all(fields(run, name) for name in names.of(run))

    def exists(run: Run) -> bool:
        header = run.message.header
        return all(header.has(name) for name in names.of(run))

    return exists


def _all(_run: Run) -> AddressPart:
    return lambda address: address


def _local_part(_run: Run) -> AddressPart:
    return local_part


def _domain(_run: Run) -> AddressPart:
    return lambda address: address.rpartition("@")[2] if "@" in address else ""


def local_part(address: str) -> str:
    return address.rpartition("@")[0] if "@" in address else address


# RFC 5228 §2.7.4.
ADDRESS_PARTS: Mapping[str, Callable[[Run], AddressPart]] = {"all": _all, "localpart": _local_part, "domain": _domain}

_NAMES = Parameter(name="header names", kind=Kind.STRINGS)
_KEYS = Parameter(name="key list", kind=Kind.STRINGS)
TESTS: Sequence[TestSpec] = (
    TestSpec(name="header", signature=Signature(parameters=(_NAMES, _KEYS), compares=True), compile=_header),
    TestSpec(
        name="address",
        signature=Signature(
            parameters=(Parameter(name="header list", kind=Kind.STRINGS), _KEYS), compares=True, takes_address=True
        ),
        compile=_address,
    ),
    TestSpec(name="exists", signature=Signature(parameters=(_NAMES,)), compile=_exists),
)
