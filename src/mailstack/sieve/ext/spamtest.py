"""`spamtest`, by tenths or per cent, and `virustest`: what the server found. RFC 5235."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check, Run


def _spamtest(arguments: Arguments, compiler: Compiler) -> Check:
    matcher = compiler.matcher(arguments)
    has_percent = arguments.has("percent")
    is_counted = arguments.one_of("match type") == "count"

    def spamtest(run: Run) -> bool:
        score = run.mail.spam_score
        if score is None:
            # RFC 5235 §2.1: a test of their number tells that nothing was checked.
            return matcher(run, () if is_counted else ("0",))
        percent = min(max(score, 0.0), 100.0)
        # RFC 5235 §2.2: 1 is surely none, 10 is surely spam, 0 was not checked.
        return matcher(run, (str(int(percent)) if has_percent else str(1 + int(percent * 9 / 100)),))

    return spamtest


def _virustest(arguments: Arguments, compiler: Compiler) -> Check:
    matcher = compiler.matcher(arguments)
    is_counted = arguments.one_of("match type") == "count"

    def virustest(run: Run) -> bool:
        found = run.mail.virus
        return matcher(run, () if is_counted and not found else (str(found),))

    return virustest


_KEY = Signature(parameters=(Parameter(name="key list", kind=Kind.STRING),), compares=True)
SPAMTEST = Extension(name="spamtest", tests=(TestSpec(name="spamtest", signature=_KEY, compile=_spamtest),))
SPAMTESTPLUS = Extension(name="spamtestplus", implies=("spamtest",), tags={"spamtest": (TagSpec(name="percent"),)})
VIRUSTEST = Extension(name="virustest", tests=(TestSpec(name="virustest", signature=_KEY, compile=_virustest),))
