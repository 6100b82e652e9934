"""How a delivery is signed: as Standard Webhooks (standardwebhooks.com), so that libraries check it."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from hitl_mlops.ids import keyed_digest

SECRET_PREFIX = "whsec_"  # noqa: S105 - marks a secret, is none
AGENT = "hitl_mlops"


def secret_of(key: bytes, application: str) -> str:
    """The secret by which that application checks what it gets; the same as long as the key is."""
    return SECRET_PREFIX + base64.b64encode(keyed_digest(key, "callback", application)).decode()


def headers_of(delivery_id: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The headers of a delivery: HMAC-SHA256 over `id.timestamp.body`, base64, under the secret's bytes.

    >>> from datetime import UTC
    >>> said = headers_of("msg_1", b"{}", SECRET_PREFIX + "a2V5", datetime(2026, 1, 1, tzinfo=UTC))
    >>> said["webhook-timestamp"], said["webhook-signature"][:3]
    ('1767225600', 'v1,')
    """
    stamp = str(int(now.timestamp()))
    bare = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.digest(bare, b".".join([delivery_id.encode(), stamp.encode(), body]), "sha256")
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        "content-type": "application/json",
        "user-agent": AGENT,
    }
