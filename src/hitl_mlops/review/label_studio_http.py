"""Talking to Label Studio: one client, its refusals translated, reads tried again."""

from __future__ import annotations

import time
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from hitl_mlops.errors import CredentialsError, HitlError, InputError, NotFoundError, ServiceDownError

READ_TRIES = 4
FIRST_PAUSE_S = 0.25
TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, FIRST_SERVER_FAULT = 401, 403, 404, 409, 500


class LabelStudioHttp:
    """A Label Studio server as one account sees it.

    Without TLS each request has a connection of its own: Label Studio's server writes a reply in two pieces,
    and on a connection that is used again the second waits 40 ms for the first to be acknowledged.
    Reads are tried four times with growing pauses; writes once, because a write whose reply was lost may
    have been done. Takes a legacy token (40 characters) or a personal access token (three dotted parts).
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = TIMEOUT_S,
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._pause = pause
        self._client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_keepalive_connections=0 if self.url.startswith("http:") else None),
            transport=transport,
            headers={} if self._personal else {"Authorization": f"Token {token}"},
        )
        weakref.finalize(self, self._client.close)  # whoever forgets `close` leaves no open socket

    def __repr__(self) -> str:
        return f"LabelStudioHttp({self.url!r})"

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The parsed reply.

        Raises:
            ServiceDownError: no reply after four tries.
            CredentialsError: the token is refused.
            NotFoundError: nothing stands there.
        """
        for attempt in range(READ_TRIES):
            try:
                return self._send("GET", path, params=params)
            except ServiceDownError:
                if attempt == READ_TRIES - 1:
                    raise
                self._pause(FIRST_PAUSE_S * 2**attempt)
        raise AssertionError  # the loop returns or raises

    def post(self, path: str, body: Any, params: Mapping[str, Any] | None = None) -> Any:
        """The parsed reply to a write, sent once; raises as `get`, and InputError where refused."""
        return self._send("POST", path, params=params, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """The parsed reply to a change, sent once; raises as `post`."""
        return self._send("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """Nothing stands there any more; nothing standing there before is no error."""
        try:
            self._send("DELETE", path)
        except NotFoundError:
            return

    def by_sdk(self, ask: Callable[[Any], Any]) -> Any:
        """What Label Studio's own client answers, sent once; importing it takes seconds (docs/adr/0007).

        Args:
            ask: given the client (`label_studio_sdk.client.LabelStudio`), calls it.

        Raises:
            ServiceDownError: no reply.
            CredentialsError: the token is refused.
            InputError: what was asked is refused.
        """
        with warnings.catch_warnings():
            # It warns of pydantic's old validators in its own code while it is imported.
            warnings.simplefilter("ignore")
            from label_studio_sdk.client import LabelStudio
            from label_studio_sdk.core.api_error import ApiError

        try:
            return ask(LabelStudio(base_url=self.url, api_key=self._token, httpx_client=self._client))
        except httpx.HTTPError as error:
            raise self._down(error) from error
        except ApiError as error:
            reply = httpx.Response(error.status_code or FIRST_SERVER_FAULT, text=str(error.body))
            raise self._refusal("a call of", "its SDK", reply) from error

    @property
    def _personal(self) -> bool:
        return self._token.count(".") == 2  # noqa: PLR2004  # header.payload.signature of a JWT

    def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            if self._personal and "Authorization" not in self._client.headers:
                self._renew()
            reply = self._client.request(method, path, **options)
            if self._personal and reply.status_code == UNAUTHORIZED:
                self._renew()
                reply = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._down(error) from error
        if not reply.is_success:
            raise self._refusal(method, path, reply)
        return self._parsed(reply)

    def _renew(self) -> None:
        """Trade the personal access token for one that lasts five minutes."""
        reply = self._client.post("/api/token/refresh", json={"refresh": self._token})
        if not reply.is_success:
            raise self._refusal("POST", "/api/token/refresh", reply)
        self._client.headers["Authorization"] = f"Bearer {reply.json()['access']}"

    def _parsed(self, reply: httpx.Response) -> Any:
        if not reply.content:
            return None
        try:
            return reply.json()
        except ValueError as error:
            raise ServiceDownError(
                f"{self.url} answers, but not as Label Studio does (no JSON).",
                remedy="Check services.label_studio.url in hitl.yaml; another program may hold that port.",
                url=self.url,
            ) from error

    def _down(self, error: httpx.HTTPError) -> ServiceDownError:
        return ServiceDownError(
            f"Label Studio at {self.url} does not answer ({type(error).__name__}).",
            remedy="Start it with `hitl up`, or set services.label_studio in hitl.yaml; nothing is lost.",
            url=self.url,
        )

    def _refusal(self, method: str, path: str, reply: httpx.Response) -> HitlError:
        status = reply.status_code
        if status in (UNAUTHORIZED, FORBIDDEN):
            return CredentialsError(
                f"Label Studio at {self.url} refuses the token ({status}).",
                remedy="Copy a token from Account & Settings and set LABEL_STUDIO_TOKEN.",
                url=self.url,
                status=status,
            )
        if status == NOT_FOUND:
            return NotFoundError(
                f"Label Studio at {self.url} has nothing at {path}.",
                remedy="It may have been deleted there; `hitl review status` shows what is left.",
                url=self.url,
                path=path,
            )
        if status >= FIRST_SERVER_FAULT:
            return ServiceDownError(
                f"Label Studio at {self.url} failed on {method} {path} ({status}).",
                remedy="Look at its log (`hitl doctor` names the file) and try again; nothing is lost.",
                url=self.url,
                status=status,
            )
        return InputError(
            f"Label Studio at {self.url} refuses {method} {path} ({status}): {reply.text[:300]}",
            remedy="Correct what it names and run the command again.",
            url=self.url,
            status=status,
        )
