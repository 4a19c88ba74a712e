"""A headless Chromium that tests drive over the DevTools protocol: pages as readers meet them.

The protocol's messages go through two pipes (`--remote-debugging-pipe`), each ending with a zero byte, so that no
package is needed.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next((found for name in _NAMES if (found := shutil.which(name))), None)
_PATIENCE = 20.0  # seconds


class Page:
    """A page in a browser, with everything that it asked for and wrote to the console.

    Attributes:
        downloads: the folder of the files that it saves.
        requests: the addresses that it asked for, its own among them.
        messages: what it wrote to the console, and its errors.
    """

    def __init__(self, to_browser: int, from_browser: int, downloads: Path) -> None:
        self._to, self._from, self.downloads = to_browser, from_browser, downloads
        self._number, self._rest, self._session = 0, b"", ""
        self.requests: list[str] = []
        self.messages: list[str] = []
        self.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                assert "error" not in found, (method, found["error"])
                return found["result"]
            self._note(found)

    def _read(self) -> dict[str, Any]:
        """Return the next message of the browser."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], _PATIENCE)
            part = os.read(self._from, 1 << 20) if ready else b""
            assert part, "the browser says nothing"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        read: dict[str, Any] = json.loads(message)
        return read

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what an event says about requests and the console."""
        params = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.messages.append(json.dumps(params))
            case "Log.entryAdded":
                self.messages.append(params["entry"]["text"])

    def open(self, file: Path) -> None:
        """Load a file, and wait until it is there."""
        self.requests.clear()
        self.messages.clear()
        self.ask("Page.navigate", url=file.absolute().as_uri())
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def run(self, program: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.ask("Runtime.evaluate", expression=program, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _PATIENCE
        while not self.run(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page another size, below 600 pixels that of a phone."""
        phone = width < 600
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def prefer(self, scheme: str, media: str = "screen") -> None:
        """Emulate a reader who prefers light or dark pages, on a screen or on paper."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer to a place in the window."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def saved(self, name: str) -> bytes:
        """Return a file that the page saves, once it is whole, and remove it: a later one may have its name."""
        file, end = self.downloads / name, time.monotonic() + _PATIENCE
        while not file.exists() or list(self.downloads.glob("*.crdownload")):
            assert time.monotonic() < end, f"{name} was not saved; there are {sorted(self.downloads.iterdir())}"
            self.run("0")
            time.sleep(0.02)
        content = file.read_bytes()
        file.unlink()
        return content

    def picture(self, top: float = 0, height: float | None = None) -> bytes:
        """Return the page from a place on, as PNG."""
        width, whole = self.run("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": top, "width": width, "height": height or whole - top, "scale": 1}
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])


@contextlib.contextmanager
def open_browser(place: Path) -> Iterator[Page]:
    """Yield a page of a browser that keeps its files, and what it downloads, in a folder."""
    assert PROGRAM is not None
    downloads = place / "downloads"
    downloads.mkdir(parents=True)
    settings = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    # The browser reads commands from descriptor 3 and answers on 4; above 9 no copy is made onto another.
    pipes = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (*os.pipe(), *os.pipe())]
    read_commands, to_browser, from_browser, write_answers = pipes
    process = subprocess.Popen(
        [PROGRAM, *settings, "--remote-debugging-pipe", f"--user-data-dir={place / 'profile'}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(3, 4),
        preexec_fn=lambda: (os.dup2(read_commands, 3), os.dup2(write_answers, 4)),  # noqa: PLW1509 (no threads here)
    )
    try:
        os.close(read_commands)
        os.close(write_answers)
        yield Page(to_browser, from_browser, downloads)
    finally:
        os.close(to_browser)
        os.close(from_browser)
        process.terminate()
        process.wait()
