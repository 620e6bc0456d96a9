"""What the API takes and gives for plans and applies: requests are read by these models, openapi.json is made of them.

Loaded by the process that plans, never by a worker.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict

from mailstack.model.errors import Invalid
from mailstack.reconcile.plan import ByHandDocument, PlanDocument

MOST_FAULTS_TOLD = 5
LONGEST_HASH = 100
LONGEST_NAME = 4_096
LONGEST_VALUE = 64 * 1024
MOST_VALUES = 50
Hash = Annotated[str, Field(max_length=LONGEST_HASH)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class BundleModel(Model):
    """A spec with the files that it reads."""

    main: str = Field(repr=False, description="The text of the main file.")
    files: dict[str, str] = Field(
        default={},
        repr=False,
        description="Included files and certificates, by their path relative to the main file's folder.",
    )
    secrets: dict[str, str] = Field(
        default={},
        repr=False,
        description="What references (env/NAME, file/PATH) of the spec stand for, as far as the sender knows. One that"
        " is left out is unchanged where the server has it for the very same resource. Those of DNS providers are the"
        " server's own and are not sent.",
    )


class AllowModel(Model):
    """Brakes that are released, as `mailstack apply` has options for them."""

    destroy: list[str] = Field(default=[], description="Accounts and domains that may go with their mail.")
    last_admin: bool = Field(default=False, description="No account has to be an administrator afterwards.")
    many: bool = Field(default=False, description="More than 30 % of ten or more of a kind may be destroyed.")
    foreign: bool = Field(default=False, description="DNS values that somebody added to mailstack's records may go.")


class PlanRequest(Model):
    bundle: BundleModel
    no_dns: bool = Field(default=False, description="Leave DNS out.")
    allow: AllowModel = AllowModel()


class ExpectedModel(Model):
    """Of the plan that was read: apply does just that, or nothing."""

    spec_hash: Hash
    live_hash: Hash
    plan_hash: Hash


class ApplyRequest(PlanRequest):
    expected: ExpectedModel
    overwrite: bool = Field(
        default=False, description="Replace the server's spec although somebody edited it there since it was applied."
    )


class OwnPlanRequest(Model):
    """Of the spec that lies on the server."""

    allow: AllowModel = AllowModel()


class OwnApplyRequest(OwnPlanRequest):
    expected: ExpectedModel


class EntryRequest(Model):
    """Of the spec that lies on the server."""

    section: Literal["accounts", "aliases", "lists", "domains"]
    name: str = Field(max_length=LONGEST_NAME)


class ChangeRequest(EntryRequest):
    """values: by key, as a person types them."""

    act: Literal["set", "add", "remove"]
    values: dict[str, Annotated[str, Field(max_length=LONGEST_VALUE)]] = Field(default={}, max_length=MOST_VALUES)


class WriteRequest(ChangeRequest):
    """before, after: SHA-256 of the file when the diff was shown, and as it was shown to be. by: the login."""

    by: str = Field(max_length=LONGEST_NAME)
    before: Hash
    after: Hash


class UndoRequest(Model):
    """written: SHA-256 of the file as it was written."""

    written: Hash


class ZoneRequest(Model):
    """zone: "" for names in no zone of the spec."""

    zone: str = Field(max_length=LONGEST_NAME)


class TokensRequest(Model):
    """hostname: the server's own, whose fields on top of mail are believed."""

    login: str = Field(max_length=LONGEST_NAME)
    hostname: str = Field(max_length=LONGEST_NAME)


class PlanReply(TypedDict):
    """is_done: there is nothing to do, not even to remember that this spec was applied."""

    version: str
    is_done: bool
    plan: PlanDocument


class AppliedStep(TypedDict):
    """The last line of an apply that went well. waiting_for_dns: records that are not seen yet, so that nothing is
    signed with their keys."""

    step: Literal["Applied"]
    generation: int
    by_hand: list[ByHandDocument]
    waiting_for_dns: list[str]


class FailedStep(TypedDict):
    """The last line of an apply that failed on the way; what was told before is done."""

    step: Literal["Failed"]
    status: int
    detail: str


Request = TypeVar("Request", bound=Model)


def read_request(model: type[Request], content: bytes) -> Request:
    """Raises Invalid, which repeats nothing of what was sent."""
    try:
        return model.model_validate_json(content)
    except ValidationError as invalid:
        told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in invalid.errors(include_input=False)]
        raise Invalid(f"the request is not as openapi.json has it: {'; '.join(told[:MOST_FAULTS_TOLD])}") from None
