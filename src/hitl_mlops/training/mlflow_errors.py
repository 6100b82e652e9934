"""MLflow's errors in our words, known by where they live: MLflow itself is not imported here."""

from __future__ import annotations

import re

from hitl_mlops.errors import (
    BusyError,
    CredentialsError,
    HitlError,
    InputError,
    NotFoundError,
    RefusedError,
    ServiceDownError,
)


def translated_error(uri: str, error: Exception) -> HitlError | None:
    """The error in our words; None for one that is no word of MLflow's or of its HTTP client."""
    from requests.exceptions import RequestException
    from sqlalchemy.exc import OperationalError

    of_mlflow = type(error).__module__.startswith("mlflow.")
    if not of_mlflow and not isinstance(error, RequestException | OperationalError):
        return None
    text, code = str(error).split("\n")[0][:300], str(getattr(error, "error_code", ""))
    where = re.sub(r"//[^@/]*@", "//", uri)
    if "database is locked" in str(error):
        return BusyError(
            f"MLflow's database behind {where} is locked by another writer.",
            remedy="Wait for it to finish and run the command again; it goes on where it stopped.",
        )
    if code == "PERMISSION_DENIED":
        return RefusedError(
            f"MLflow at {where} refused: {text.removeprefix('PERMISSION_DENIED: ')}",
            remedy="Who may do what: docs/how-to/approve-in-mlflow.md. To act as yourself, set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
        )
    if code == "UNAUTHENTICATED" or re.search(r"\b(401|403)\b", text):
        return CredentialsError(
            f"MLflow at {where} refused the credentials: {text}",
            remedy="Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    return _refused(where, text, code) or _down(where, text, str(error))


def _refused(where: str, text: str, code: str) -> HitlError | None:
    """MLflow understood, and will not."""
    if code in {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"} or re.search(r"\b404\b", text):
        return NotFoundError(f"MLflow at {where} does not know it: {text}", remedy="Look with: hitl doctor")
    if code in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS", "INVALID_STATE"}:
        return InputError(f"MLflow at {where} refused: {text}", remedy="Correct the value it names.")
    return None


def _down(where: str, text: str, whole: str) -> ServiceDownError:
    silent = re.search(r"Max retries exceeded|Connection(Error| refused| aborted)|timed out", whole)
    return ServiceDownError(
        f"MLflow at {where} does not answer" + ("." if silent else f" as it should: {text}"),
        remedy="Start it with: hitl up · or set services.mlflow in hitl.yaml. Then run the same again.",
    )
