"""What the trail holds of cases and decisions."""

import hashlib
from collections import OrderedDict
from types import MappingProxyType

import pytest

from hitl_mlops.decisions.seal import batch_seal, commitment_of, record_hash
from hitl_mlops.errors import InputError
from hitl_mlops.ids import canonical_json, instant
from tests.builders import NOW, a_case, a_decision


@pytest.mark.parametrize(
    "inputs", [{"x": 0.1, "é": "\n", "n": None}, OrderedDict(b=1, a=2), MappingProxyType({"x": [1, (2,)]})]
)
def test_a_commitment_is_over_the_canonical_bytes(inputs):
    case = a_case(inputs=inputs)
    body = {
        "case_id": "case-1",
        "subject": "case-1",
        "at": instant(NOW),
        "inputs": inputs,
        "attributes": {"amount": 20.0},
    }
    assert (
        commitment_of(case, b"salt") == "sha256:" + hashlib.sha256(b"salt" + canonical_json(body)).hexdigest()
    )


def test_a_body_without_canonical_form_is_refused():
    with pytest.raises(InputError, match="canonical"):
        commitment_of(a_case(inputs={"x": float("nan")}), b"salt")


CHANGES = [
    {"label": "no"},
    {"confidence": 0.8000000001},
    {"route": "auto"},
    {"reasons": ()},
    {"pi": 0.5},
    {"spot_check": True},
    {"signatures": 2},
    {"model_version": "2"},
    {"probabilities": {"yes": 0.2, "no": 0.8}},
    {"policy_hash": "sha256:2"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_field_of_a_decision_is_in_its_hash(change):
    assert record_hash(a_decision(**change), "sha256:c") != record_hash(a_decision(), "sha256:c")


def test_the_case_is_in_the_hash_through_its_commitment_alone():
    assert record_hash(a_decision(), "sha256:a") != record_hash(a_decision(), "sha256:b")
    assert record_hash(a_decision(attributes={}), "sha256:a") == record_hash(a_decision(), "sha256:a")


def test_a_batch_is_sealed_in_its_order():
    one, two = "a" * 64, "b" * 64
    assert batch_seal([one, two])["digest"] != batch_seal([two, one])["digest"]
    assert batch_seal([one, two])["marks"] == ["a" * 12, "b" * 12]
