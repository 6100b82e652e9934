"""Only what our MLflow signed, now, is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.errors import CredentialsError, NotFoundError
from hitl_mlops.webhooks.book_in_memory import InMemoryHeardBook
from hitl_mlops.webhooks.delivery import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    Envelope,
    check,
    envelope_of,
    signature_of,
)
from hitl_mlops.webhooks.hear import demand_secret, hear
from tests.builders import NOW

SECRET = "what both know"
BODY = b'{"entity": "model_version_tag", "action": "set", "data": {"key": "hitl.approval"}}'


def an_envelope(body=BODY, *, after=timedelta(0), secret=SECRET):
    bare = Envelope("9b2f7c1e-0000-4000-8000-00000000000a", str(int((NOW + after).timestamp())), "")
    return replace(bare, signature=signature_of(bare, body, secret))


def headers_of(envelope):
    return {ID: envelope.delivery_id, TIMESTAMP: envelope.timestamp, SIGNATURE: envelope.signature}


def test_what_mlflow_itself_signs_is_believed():
    delivery = pytest.importorskip("mlflow.webhooks.delivery")
    constants = pytest.importorskip("mlflow.webhooks.constants")
    names = (constants.WEBHOOK_SIGNATURE_HEADER, constants.WEBHOOK_DELIVERY_ID_HEADER)
    assert (*names, constants.WEBHOOK_TIMESTAMP_HEADER) == (SIGNATURE, ID, TIMESTAMP)
    seconds = str(int(NOW.timestamp()))
    signed = delivery._generate_hmac_signature(SECRET, "d-1", seconds, BODY.decode())
    check(Envelope("d-1", seconds, signed), BODY, SECRET, NOW)


def test_another_secret_is_refused():
    with pytest.raises(CredentialsError, match="not that of this project's MLflow") as refused:
        check(an_envelope(secret="another"), BODY, SECRET, NOW)
    assert refused.value.data["status"] == 403


@pytest.mark.parametrize("name", [SIGNATURE, ID, TIMESTAMP])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_header_is_named(name, value):
    headers = headers_of(an_envelope())
    del headers[name]
    with pytest.raises(CredentialsError, match=f"not signed: {name} missing"):
        envelope_of(headers if value is None else {**headers, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (TIMESTAMP, "now"),
        (TIMESTAMP, "-1"),
        (TIMESTAMP, "1767225600.5"),
        (TIMESTAMP, "١٢٣"),
        (TIMESTAMP, "9" * 13),
        (ID, "a.b"),
        (ID, "x" * 81),
        (ID, "with a space"),
        (ID, "\x00"),
    ],
)
def test_a_header_that_mlflow_does_not_write_is_refused(name, value):
    with pytest.raises(CredentialsError, match="none that MLflow writes"):
        envelope_of({**headers_of(an_envelope()), name: value})


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_a_time_near_ours_is_believed_either_way(seconds):
    check(an_envelope(after=timedelta(seconds=seconds)), BODY, SECRET, NOW)


@pytest.mark.parametrize(("seconds", "told"), [(-301, "301 s before"), (301, "301 s after"), (9**9, "after")])
def test_an_old_or_a_future_delivery_is_refused(seconds, told):
    with pytest.raises(CredentialsError, match=told):
        check(an_envelope(after=timedelta(seconds=seconds)), BODY, SECRET, NOW)


@given(body=st.binary(max_size=200), at=st.integers(0, 10_000), to=st.integers(1, 255))
def test_any_changed_byte_of_anything_signed_is_refused(body, at, to):
    envelope = an_envelope(body)
    whole = [envelope.delivery_id.encode(), envelope.timestamp.encode(), envelope.signature.encode(), body]
    flat, place = bytearray(b"".join(whole)), at % len(b"".join(whole))
    flat[place] ^= to
    pieces, rest = [], bytes(flat)
    for one in whole:
        pieces.append(rest[: len(one)])
        rest = rest[len(one) :]
    names = (ID, TIMESTAMP, SIGNATURE)
    headers = {name: piece.decode("latin-1") for name, piece in zip(names, pieces, strict=False)}
    with pytest.raises(CredentialsError):
        check(envelope_of(headers), pieces[3], SECRET, NOW)


@given(
    cut=st.integers(1, 40),
    where=st.sampled_from(["id to time", "time to body", "body to time"]),
    body=st.binary(max_size=50),
)
def test_bytes_moved_from_one_part_into_the_next_are_refused(cut, where, body):
    said = b"123." + body
    envelope = an_envelope(said)
    name, seconds = envelope.delivery_id, envelope.timestamp
    moved = {
        "id to time": (name[:-cut] or "x", name[-cut:] + seconds, said),
        "time to body": (name, seconds[:-cut] or "0", seconds[-cut:].encode() + said),
        "body to time": (name, seconds + "." + said[:3].decode(), said[4:]),
    }[where]
    headers = {ID: moved[0], TIMESTAMP: moved[1], SIGNATURE: envelope.signature}
    with pytest.raises(CredentialsError):
        check(envelope_of(headers), moved[2], SECRET, NOW)


def test_a_delivery_counts_once_and_a_refused_one_is_not_remembered():
    book, envelope = InMemoryHeardBook(), an_envelope()

    def heard(body=BODY, now=NOW):
        return hear(envelope, body, secret=SECRET, book=book, now=now)

    with pytest.raises(CredentialsError):
        heard(BODY + b" ")
    assert [heard(), heard(), heard(now=NOW + timedelta(seconds=300))] == [True, False, False]


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_believed(secret):
    with pytest.raises(NotFoundError, match="shares no secret"):
        demand_secret(secret)
