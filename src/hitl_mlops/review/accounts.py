"""Accounts of reviewers on Label Studio: sign up by the invitation, log in, answer as oneself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import httpx

from hitl_mlops.errors import CredentialsError, InputError, NotFoundError, ServiceDownError
from hitl_mlops.ids import sha256_hex
from hitl_mlops.review.answer import Said, Verdict
from hitl_mlops.review.label_studio_http import CONFLICT, CONNECT_TIMEOUT_S, TIMEOUT_S, LabelStudioHttp

_CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"')


def enter(admin: LabelStudioHttp, email: str, password: str) -> LabelStudioSession:
    """A reviewer with this account is logged in; the account is made by the invitation where it is new.

    Users made through `/api/users/` cannot log in on this version, so that the sign-up form is used.

    Raises:
        ServiceDownError: Label Studio does not answer.
        CredentialsError: the account exists with another password, or the form refused the sign-up.
    """
    accounts = {user["email"].lower() for user in admin.get("/api/users/")}
    try:
        with _browser(admin.url) as browser:
            if email.lower() in accounts:
                _submit(browser, "/user/login/", email, password)
            else:
                invitation = httpx.URL(admin.get("/api/invite")["invite_url"])
                _submit(browser, f"/user/signup/?{invitation.query.decode()}", email, password)
            token = browser.get("/api/current-user/token").json()["token"]
            user_id = int(browser.get("/api/current-user/whoami").json()["id"])
    except httpx.HTTPError as error:
        raise ServiceDownError(
            f"Label Studio at {admin.url} does not answer ({type(error).__name__}).",
            remedy="Start it with `hitl up`; nothing is lost.",
            url=admin.url,
        ) from error
    return LabelStudioSession(LabelStudioHttp(admin.url, token), email, user_id)


def _browser(url: str) -> httpx.Client:
    timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    return httpx.Client(base_url=url, timeout=timeout, follow_redirects=False)


def _submit(browser: httpx.Client, path: str, email: str, password: str) -> None:
    """Fill the form; it redirects where it took what was written, and shows itself again where not."""
    field = _CSRF_FIELD.search(browser.get(path).text)
    form = {
        "csrfmiddlewaretoken": field[1] if field else browser.cookies.get("csrftoken", ""),
        "email": email,
        "password": password,
        "allow_newsletters": "false",
        "persist_session": "on",
    }
    reply = browser.post(path, data=form, headers={"Referer": f"{browser.base_url}"})
    if not reply.is_redirect:
        raise CredentialsError(
            f"Label Studio refuses the log-in of {email}.",
            remedy="Check the password; a new one needs at least 8 characters.",
            status=reply.status_code,
        )


class LabelStudioSession:
    """See `ReviewerSession`."""

    def __init__(self, http: LabelStudioHttp, account: str, user_id: int) -> None:
        self._http = http
        self.account = account
        self.user_id = user_id

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def answer(  # the fields of the page
        self,
        task_id: str,
        label: str | None,
        rationale: str = "",
        reason_code: str | None = None,
        seconds: float | None = None,
        *,
        unique_id: str | None = None,
        verdict: Verdict | None = None,
        error_tags: Sequence[str] = (),
        for_training: bool = True,
    ) -> str:
        """See `ReviewerSession.answer`; `unique_id` makes sending again harmless.

        Raises:
            NotFoundError: the task is gone.
            InputError: Label Studio refuses the answer.
            ServiceDownError: no reply; send again with the same `unique_id`.
        """
        said = Said(label, rationale, reason_code, verdict, tuple(error_tags), for_training)
        body: dict[str, Any] = {"result": _result(said), "lead_time": seconds}
        if unique_id is not None:
            body["unique_id"] = sha256_hex(unique_id.encode())[:32]
        try:
            return str(self._http.post(f"/api/tasks/{task_id}/annotations/", body)["id"])
        except InputError as error:
            if unique_id is None or error.data.get("status") != CONFLICT:
                raise
            return self._mine(task_id)

    def edit(  # the fields of the page
        self,
        annotation_id: str,
        label: str | None,
        rationale: str = "",
        reason_code: str | None = None,
        *,
        verdict: Verdict | None = None,
        error_tags: Sequence[str] = (),
        for_training: bool = True,
    ) -> None:
        """See `ReviewerSession.edit`."""
        said = Said(label, rationale, reason_code, verdict, tuple(error_tags), for_training)
        self._http.patch(f"/api/annotations/{annotation_id}/", {"result": _result(said)})

    def delete(self, annotation_id: str) -> None:
        """See `ReviewerSession.delete`."""
        self._http.delete(f"/api/annotations/{annotation_id}/")

    def skip(self, task_id: str) -> str:
        """See `ReviewerSession.skip`."""
        body = {"result": [], "was_cancelled": True}
        return str(self._http.post(f"/api/tasks/{task_id}/annotations/", body)["id"])

    def _mine(self, task_id: str) -> str:
        """The answer that stood there already: the last of this account to that task."""
        answers = self._http.get(f"/api/tasks/{task_id}/annotations/")
        mine = [int(item["id"]) for item in answers if item["completed_by"] == self.user_id]
        if not mine:
            raise NotFoundError(
                f"Task {task_id} holds no answer of account {self.user_id}.",
                remedy="Somebody deleted it meanwhile: answer again.",
            )
        return str(max(mine))


def _result(said: Said) -> list[dict[str, Any]]:
    """As Label Studio's page stores it."""
    parts: list[tuple[str, str, dict[str, Any]]] = []
    if said.stated is not None:
        parts.append(("verdict", "choices", {"choices": [said.stated.value]}))
    if said.label is not None:
        parts.append(("label", "choices", {"choices": [said.label]}))
    if said.rationale:
        parts.append(("rationale", "textarea", {"text": [said.rationale]}))
    if said.reason_code is not None:
        parts.append(("reason_code", "choices", {"choices": [said.reason_code]}))
    if said.error_tags:
        parts.append(("error_tags", "choices", {"choices": list(said.error_tags)}))
    if not said.for_training:
        parts.append(("for_training", "choices", {"choices": ["no"]}))
    return [
        {"from_name": control, "to_name": "case", "type": kind, "value": value}
        for control, kind, value in parts
    ]
