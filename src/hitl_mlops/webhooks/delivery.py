"""Whether our MLflow signed a delivery just now: it signs `id.timestamp.body` with the shared secret."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from hitl_mlops.errors import CredentialsError

SIGNATURE, ID, TIMESTAMP = "X-MLflow-Signature", "X-MLflow-Delivery-Id", "X-MLflow-Timestamp"
BELIEVED_FOR = timedelta(seconds=300)
"""How far a delivery's time may be off ours, either way."""
_IDS = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MLflow says of a delivery beside its body.

    Attributes:
        delivery_id: names the delivery; sent again, it has the same.
        timestamp: when MLflow sent it, seconds since 1970 as text.
        signature: `v1,` and base64.
    """

    delivery_id: str
    timestamp: str
    signature: str


def envelope_of(headers: Mapping[str, str]) -> Envelope:
    """The envelope of a request whose headers are found in whatever case.

    Raises:
        CredentialsError: a header is missing, or is none that MLflow writes; `data["status"]` 403.
    """
    missing = [name for name in (SIGNATURE, ID, TIMESTAMP) if not headers.get(name)]
    if missing:
        raise _refused(
            f"The delivery is not signed: {', '.join(missing)} missing.",
            "Give the webhook its secret in MLflow: hitl webhook set URL",
        )
    envelope = Envelope(headers[ID], headers[TIMESTAMP], headers[SIGNATURE])
    # Neither may hold a dot, so that what is signed can be taken apart in one way only.
    if not _IDS.fullmatch(envelope.delivery_id) or not _SECONDS.fullmatch(envelope.timestamp):
        raise _refused(f"{ID} or {TIMESTAMP} is none that MLflow writes.", "Only MLflow calls this address.")
    return envelope


def check(envelope: Envelope, body: bytes, secret: str, now: datetime) -> None:
    """Both were signed with the secret, at most 300 s from now.

    Raises:
        CredentialsError: they were not; `data["status"]` 403.
    """
    given = envelope.signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, signature_of(envelope, body, secret).encode()):
        raise _refused(
            "The signature is not that of this project's MLflow, or the delivery was changed on its way.",
            "If the secret changed, tell MLflow: hitl webhook set URL",
        )
    off_s = int(envelope.timestamp) - now.timestamp()
    if abs(off_s) > BELIEVED_FOR.total_seconds():
        raise _refused(
            f"The delivery is of a time {abs(off_s):,.0f} s {'before' if off_s < 0 else 'after'} now; "
            f"{BELIEVED_FOR.total_seconds():.0f} s are believed.",
            "Set the clocks of both machines; what was approved is read at the next look all the same.",
        )


def signature_of(envelope: Envelope, body: bytes, secret: str) -> str:
    """The signature that MLflow gives them, HMAC-SHA256; the envelope's own is not looked at.

    >>> signature_of(Envelope("d", "1767225600", ""), b"{}", "secret")
    'v1,shvxpqtFg6TNBlGHZOc2ZWNY6dNd1404rcvkgSHufe0='
    """
    said = b".".join([envelope.delivery_id.encode(), envelope.timestamp.encode(), body])
    return f"v1,{base64.b64encode(hmac.digest(secret.encode(), said, 'sha256')).decode()}"


def _refused(fact: str, remedy: str) -> CredentialsError:
    return CredentialsError(fact, remedy=remedy, status=HTTPStatus.FORBIDDEN)
