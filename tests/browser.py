"""Chromium without a window, as a person at a page: for what only a page can show."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium")
_PATIENCE_S = 60.0
_POLL_S = 0.1
_SETTLED_S = 1.5
_CONTROL = 2
_KEYS = {
    "Enter": ("Enter", 13, "\r"),
    "Tab": ("Tab", 9, ""),
    "Escape": ("Escape", 27, ""),
    **{str(digit): (f"Digit{digit}", 48 + digit, str(digit)) for digit in range(10)},
}
"""Key → its code, number and text, of those whose name is not their letter."""
_OVERFLOW = """
Math.max(0, ...[document.scrollingElement, ...document.querySelectorAll('*')]
  .filter(one => one.scrollHeight > one.clientHeight + 1 && one.clientHeight > 300
                 && getComputedStyle(one).overflowY !== 'visible')
  .map(one => one.scrollHeight - one.clientHeight))
"""


class Browser:
    """One page, driven over Chromium's debugging protocol.

    Attributes:
        forbidden: addresses that answered 401 or 403.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.forbidden: list[str] = []
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")

    def log_in(self, account: str, password: str) -> None:
        """Every request from now on carries the log-in."""
        proof = base64.b64encode(f"{account}:{password}".encode()).decode()
        self._ask("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {proof}"})

    def remember(self, items: Mapping[str, str]) -> None:
        """Pages opened from now on find these in their storage, as if the person had chosen them before."""
        lines = "".join(
            f"localStorage.setItem({json.dumps(key)}, {json.dumps(text)});" for key, text in items.items()
        )
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=lines)

    def open(self, url: str, *, width: int, height: int) -> None:
        """The page is being loaded into a window of that many pixels, its clock at UTC."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        self._ask("Emulation.setTimezoneOverride", timezoneId="UTC")
        self._ask("Page.navigate", url=url)

    def wait_for_text(self, text: str) -> None:
        """The page shows the text; it fails after a minute."""
        until = time.monotonic() + _PATIENCE_S
        while text not in self.text():
            assert time.monotonic() < until, f"The page does not show {text!r} but: {self.text()[:2000]}"
            time.sleep(_POLL_S)

    def wait_for(self, selector: str) -> None:
        """The page holds what the selector finds, and it is seen; it fails after a minute."""
        until = time.monotonic() + _PATIENCE_S
        while not self._value(f"(document.querySelector({json.dumps(selector)})?.offsetHeight || 0) > 0"):
            assert time.monotonic() < until, f"The page has no {selector!r} but: {self.text()[:2000]}"
            time.sleep(_POLL_S)

    def settle(self) -> None:
        """Nothing moves any more, and keys are heard."""
        time.sleep(_SETTLED_S)

    def text(self) -> str:
        """What the page shows."""
        return str(self._value("document.body ? document.body.innerText : ''"))

    def type(self, label: str, text: str) -> None:
        """The text stands in the field of that label, and its beginning is seen."""
        field = f'[aria-label="{label}"]'
        assert self._value(f"document.querySelector({json.dumps(field)})?.focus() === undefined")
        self._ask("Input.insertText", text=text)
        for kind in ("rawKeyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key="Home", code="Home", windowsVirtualKeyCode=36)

    def write(self, text: str) -> None:
        """The text stands where the cursor is."""
        self._ask("Input.insertText", text=text)

    def fill(self, fields: Mapping[str, str]) -> None:
        """Selector → what is written into the field that it finds first."""
        for selector, text in fields.items():
            assert self._value(f"document.querySelector({json.dumps(selector)})?.focus() === undefined")
            self.write(text)

    def press(self, *keys: str) -> None:
        """Each key was pressed and let go, as `a`, `7`, `Enter`, `Tab` or `Control+Enter`."""
        for key in keys:
            held, _, name = key.rpartition("+")
            code, number, text = _KEYS.get(name, (f"Key{name.upper()}", ord(name.upper()[0]), name))
            pressed = {"key": name, "code": code, "windowsVirtualKeyCode": number}
            pressed |= {"modifiers": _CONTROL} if held == "Control" else {"text": text} if text else {}
            for kind in ("keyDown", "keyUp"):
                self._ask("Input.dispatchKeyEvent", type=kind, **pressed)
            time.sleep(_POLL_S)

    def scrolls(self) -> float:
        """By how many pixels what the page shows is higher than the window; 0 where all of it is seen."""
        return float(self._value(_OVERFLOW))

    def click(self, selector: str) -> None:
        """What the selector finds first was clicked."""
        self._value(f"document.querySelector({json.dumps(selector)}).click()")

    def scroll_to(self, selector: str) -> None:
        """The end of what the selector finds first stands at the window's end."""
        self._value(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'end'}})")

    def picture(self, part: str = "body") -> bytes:
        """What the window shows of the part that the selector finds first, as PNG, once nothing moves."""
        self.settle()
        box = self._value(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({json.dumps(part)}).getBoundingClientRect())"
        )
        clip = dict(zip(("x", "y", "width", "height"), box, strict=True), scale=1)
        return base64.b64decode(self._ask("Page.captureScreenshot", clip=clip)["data"])

    def _value(self, expression: str) -> Any:
        told = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def _ask(self, method: str, **given: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = json.loads(self._socket.recv(timeout=_PATIENCE_S))
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.responseReceived":
            answer = event["params"]["response"]
            if answer["status"] in (401, 403):
                self.forbidden.append(answer["url"])


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that knows nobody; it is gone afterwards."""
    assert PROGRAM, "Chromium is not installed."
    with TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        options = ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--remote-debugging-port=0")
        command = [PROGRAM, *options, f"--user-data-dir={profile}", "about:blank"]
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_page(Path(profile, "DevToolsActivePort")), max_size=None) as socket:
                yield Browser(socket)
        finally:
            program.terminate()
            program.wait(10)


def _page(told: Path) -> str:
    """Where the first page is driven, once the browser has told its port."""
    until = time.monotonic() + _PATIENCE_S
    while not (told.exists() and (found := re.match(r"(\d+)\n", told.read_text()))):
        assert time.monotonic() < until, "Chromium does not start."
        time.sleep(_POLL_S)
    pages = httpx.get(f"http://127.0.0.1:{found[1]}/json", trust_env=False).json()
    return str(next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page"))
