"""What travels about a decision once it was made: bodies of halt, reverse, outcome, complaint, callback."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hitl_mlops.recourse.decide import LONGEST_NAME, LONGEST_REASON
from hitl_mlops.recourse.standing import State

_By = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_NAME,
        description="On whose behalf: a roster id, an account or a name of yours. Kept as an id only.",
    ),
]
_Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, description="Why, in plain words.")]


def _shape(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Stopping(BaseModel):
    """Why somebody halts or reverses the decision."""

    model_config = _shape(by="ann@example.org", reason="The account was mistaken for another.")
    by: _By
    reason: _Reason


class Complaining(BaseModel):
    """Why somebody complains about the decision."""

    model_config = _shape(by="customer-4711", reason="The amount is not what I paid.")
    by: _By
    reason: _Reason


class Happened(BaseModel):
    """What really happened."""

    model_config = _shape(label="no", at="2026-03-01T12:00:00+00:00", source="chargebacks")
    label: Annotated[str, Field(max_length=LONGEST_NAME, description="The class that was right.")]
    source: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, description="How it is known.")]
    at: Annotated[AwareDatetime | None, Field(description="When; left out: now.")] = None
    by: Annotated[
        str, Field(max_length=LONGEST_NAME, description="Who tells it; left out: the application.")
    ] = ""


class OutcomeKept(BaseModel):
    """The outcome that holds."""

    decision_id: str
    revision: Annotated[int, Field(ge=1, description="From 1; each correction is one more.")]
    label: str
    at: str
    source: str


class ComplaintKept(BaseModel):
    """The complaint, of which a supervisor was told."""

    complaint_id: str
    decision_id: str
    made_at: str
    ticket_id: Annotated[str, Field(description="The question put to a supervisor.")]


class Calling(BaseModel):
    """Where the application wants to be called."""

    model_config = _shape(url="https://shop.example.org/hitl")
    url: Annotated[str, Field(max_length=500, description="Under a prefix that hitl.yaml allows.")]


class CallbackKept(BaseModel):
    """The application is called at its address when people change how the decision stands."""

    callback_id: str
    decision_id: str
    url: str


class ChangedDecision(BaseModel):
    """How the decision stands when it is told."""

    decision_id: str
    case_id: str
    state: State
    act: Annotated[bool, Field(description="The application may act on `label` now.")]
    label: str | None
    since: Annotated[str | None, Field(description="Since when people have had their word.")]


class Changed(BaseModel):
    """What a callback brings, signed as Standard Webhooks has it."""

    type: Literal["decision.changed"]
    timestamp: str
    data: ChangedDecision
