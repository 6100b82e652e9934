"""What travels: requests and answers of the decision service, as its OpenAPI tells them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from hitl_mlops.recourse.standing import State
from hitl_mlops.routing.policy import Intervention

MOST_CASES = 1_000
"""Cases in one request; a file of more is for `hitl decide`."""

Value = StrictBool | StrictInt | StrictFloat | StrictStr | None
"""One cell of a case; nothing nested."""


class Asked(BaseModel):
    """Cases to decide, each an object of the columns that `hitl.yaml` names."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"cases": [{"case_id": "c-1", "amount": 120.5, "branch": "north"}]}]},
    )
    cases: Annotated[list[dict[str, Value]], Field(min_length=1, max_length=MOST_CASES)]


class Told(BaseModel):
    """A decision.

    What a reviewer must not learn from the application is left out: nothing tells a spot check.
    """

    status: Literal["decided"] = "decided"
    decision_id: str
    case_id: str
    state: State
    act: Annotated[bool, Field(description="The application may act on `label` now.")]
    label: Annotated[str | None, Field(description="What holds; null while nothing does.")]
    suggestion: Annotated[str | None, Field(description="What the model said; null where it gave no answer.")]
    confidence: Annotated[float, Field(ge=0, le=1, description="Of the suggestion.")]
    probabilities: dict[str, float]
    route: str
    reasons: Annotated[list[str], Field(description="All that fired, strictest first.")]
    model_version: str
    model_digest: str
    policy_hash: str
    decided_at: str
    intervention: Annotated[Intervention, Field(description="When a person can still step in.")]
    reversible_until: Annotated[
        str | None, Field(description="Until when it can be reversed, or halted.")
    ] = None
    resolved_at: str | None = None
    rejected_at: Annotated[str | None, Field(description="When the time of people ended.")] = None
    taken_back_at: Annotated[str | None, Field(description="Since when it is halted or reversed.")] = None


class Declined(BaseModel):
    """A case that no model saw: it is quarantined for the data's owners."""

    status: Literal["refused"] = "refused"
    case_id: str
    reasons: Annotated[list[str], Field(description="Everything that is wrong; names columns, never values.")]


class Answered(BaseModel):
    """One result for each case, in their order."""

    results: list[Annotated[Told | Declined, Field(discriminator="status")]]


class Heard(BaseModel):
    """What MLflow told is taken."""

    is_new: Annotated[bool, Field(description="False: heard before, and nothing is done.")]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457, `application/problem+json`)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="What is wrong.")]
    remedy: Annotated[str, Field(description="What to do.")]
