"""Signed so that any library of Standard Webhooks checks it."""

from datetime import UTC, datetime

from hitl_mlops.callbacks.sign import headers_of, secret_of


def test_the_example_of_the_standard_comes_out():
    body, at = b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC)
    said = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at)
    assert said["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (said["webhook-id"], said["webhook-timestamp"]) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


def test_each_application_has_a_secret_of_its_own_that_stays():
    assert secret_of(b"k", "a") == secret_of(b"k", "a")
    assert len({secret_of(key, name) for key in (b"k", b"l") for name in ("a", "b")}) == 4
