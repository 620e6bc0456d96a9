"""How a command ends, short to say. RFC 5804 §1.3."""

from mailstack.wire.managesieve.responses import Code, Condition, Reply


def ok(text: str) -> Reply:
    return Reply(condition=Condition.OK, text=text)


def no(text: str, code: Code | None = None) -> Reply:
    return Reply(condition=Condition.NO, text=text, code=code)


def bye(text: str, code: Code | None = None) -> Reply:
    return Reply(condition=Condition.BYE, text=text, code=code)
