"""Records of who did what: what a signature holds together, and what the records add up to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hitl_mlops.audit.keys import Signer, signer_from_seed
from hitl_mlops.errors import IntegrityError
from hitl_mlops.rollout.changes import (
    Change,
    Deed,
    following,
    page_digest,
    read_changes,
    standing,
    write_changes,
    written_past_the_app,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OF = ("cheques", "7")
APP = signer_from_seed("hitl/mlflow", b"a" * 32)
OTHER = signer_from_seed("hitl/mlflow", b"b" * 32)
TAGS = {"hitl.digest": "sha256:m", "hitl.gates": "sha256:g"}


def records(*deeds: tuple[str, Deed, dict[str, str]], signer: Signer = APP) -> list[Change]:
    made: list[Change] = []
    for number, (by, deed, facts) in enumerate(deeds):
        at = NOW + timedelta(seconds=number)
        one = following(made, deed, facts, of=OF, by=by, groups=["g"], at=at)
        made.append(one.signed(signer))
    return made


CREATED = ("tom", Deed.CREATED, {**TAGS, "page": page_digest("# better")})
APPROVED = ("ann", Deed.APPROVED, {**TAGS, "reason": "sha256:r"})
deeds = some.tuples(
    some.sampled_from(["ann", "ben", "pipeline"]),
    some.sampled_from([Deed.TAGGED, Deed.UNTAGGED, Deed.APPROVED, Deed.WITHDRAWN]),
    some.dictionaries(some.sampled_from(["hitl.a", "hitl.b", "c"]), some.text(max_size=20)),
)


@given(some.lists(deeds, max_size=6))
def test_what_was_written_is_read_back(made: list[tuple[str, Deed, dict[str, str]]]) -> None:
    known = records(CREATED, *made)
    assert read_changes(write_changes(known), of=OF, verifier=APP.verifier) == tuple(known)


@given(some.lists(deeds, min_size=1, max_size=5), some.data())
def test_no_record_is_changed_moved_or_left_out_before_the_last(
    made: list[tuple[str, Deed, dict[str, str]]], draw: some.DataObject
) -> None:
    rows = json.loads(write_changes(records(CREATED, *made)))
    place = draw.draw(some.integers(0, len(rows) - 2))
    spoilt = draw.draw(
        some.sampled_from(
            [
                rows[:place] + rows[place + 1 :],
                [*rows[:place], [*rows[place][:2], "eve", *rows[place][3:]], *rows[place + 1 :]],
                [*rows[:place], rows[place + 1], rows[place], *rows[place + 2 :]],
                [*rows, rows[place]],
            ]
        )
    )
    with pytest.raises(IntegrityError):
        read_changes(json.dumps(spoilt), of=OF, verifier=APP.verifier)


@pytest.mark.parametrize("text", ["{", "[1]", '[["a"]]', "{}x", "null,", '[[0,"x","a",[],"no",{},""]]'])
def test_what_is_no_list_of_records_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        read_changes(text, of=OF, verifier=APP.verifier)


def test_another_key_another_version_and_another_model_do_not_sign_for_this_one() -> None:
    text = write_changes(records(CREATED))
    for of, key in ((OF, OTHER), (("cheques", "8"), APP), (("tickets", "7"), APP)):
        with pytest.raises(IntegrityError, match="not signed by MLflow's app"):
            read_changes(text, of=of, verifier=key.verifier)


def test_without_a_tag_there_are_no_records_and_nobody_is_known() -> None:
    assert read_changes(None, of=OF, verifier=APP.verifier) == ()
    assert standing(()).trainer is None


def test_the_records_add_up_to_who_trained_what_stands_and_who_approves() -> None:
    now = standing(
        records(
            CREATED,
            ("pipeline", Deed.TAGGED, {"hitl.gates": "sha256:newer"}),
            ("pipeline", Deed.DESCRIBED, {"page": page_digest("# worse")}),
            APPROVED,
            ("ben", Deed.APPROVED, {"reason": "sha256:s"}),
            ("ann", Deed.WITHDRAWN, {}),
            ("pipeline", Deed.ALIASED, {"alias": "champion"}),
        )
    )
    assert (now.trainer, now.was_champion) == ("tom", True)
    assert now.tags == {"hitl.digest": "sha256:m", "hitl.gates": "sha256:newer"}
    assert now.page == page_digest("# worse")
    assert set(now.approvals) == {"ben"}


def test_a_record_that_was_undone_does_not_count() -> None:
    now = standing(records(CREATED, APPROVED, ("ann", Deed.UNDONE, {"number": "1"})))
    assert now.approvals == {}


def test_what_stands_otherwise_than_it_was_written_is_named() -> None:
    now = standing(records(CREATED))
    assert written_past_the_app(now, tags=TAGS, description="# better") == ()
    changed = {**TAGS, "hitl.gates": "sha256:x"}
    assert written_past_the_app(now, tags=changed, description="# great") == (
        "the tag hitl.gates",
        "the description",
    )


def test_an_unreadable_signature_is_no_signature() -> None:
    [one] = records(CREATED)
    assert one.is_signed_by(APP.verifier)
    assert not replace(one, signature="not base64!").is_signed_by(APP.verifier)
