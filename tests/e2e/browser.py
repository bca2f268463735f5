# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven through chromedriver in plain WebDriver (W3C) requests."""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

START_SECONDS = 60
COMMAND_SECONDS = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that the standard gives element ids
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
]


class Browser:
    """Starts on entering; on leaving, everything it started has ended."""

    def __init__(self, width: int = 1100, height: int = 1400):
        self._size = width, height

    def __enter__(self) -> "Browser":
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # A group of its own: Chromium is a dozen processes.
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True)
        try:
            self._base = f"http://127.0.0.1:{self._driver_port()}"
            flags = [*FLAGS, f"--user-data-dir={self._profile.name}", "--window-size={},{}".format(*self._size)]
            options = {"binary": "/usr/bin/chromium", "args": flags}
            wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
            self._base += "/session/" + self._send("POST", "/session", wanted)["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self._send("DELETE", "")
        except OSError:
            pass
        try:
            os.killpg(self._driver.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._driver.wait()
        self._driver.stdout.close()
        self._profile.cleanup()

    def open(self, url: str):
        self._send("POST", "/url", {"url": url})

    def find(self, selector: str) -> str:
        return self._send("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector: str):
        """A real click, in the middle of the element as it is drawn."""
        self._send("POST", f"/element/{self.find(selector)}/click", {})

    def run(self, script: str, *arguments):
        """The value of a JavaScript function body."""
        return self._send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_until(self, script: str, seconds: float = 30):
        """Returns the value of the function body as soon as it is truthy."""
        deadline = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"not true after {seconds} s: {script}")
            time.sleep(0.05)
        return value

    def resize(self, width: int, height: int):
        self._send("POST", "/window/rect", {"width": width, "height": height})

    def prefer(self, scheme: str):
        """As if the person's system were set to "dark" or "light"."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._send("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}})

    def screenshot(self, path: pathlib.Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def errors(self) -> list[str]:
        """What the page complained about on its console."""
        entries = self._send("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def _driver_port(self) -> int:
        deadline = threading.Timer(START_SECONDS, self._driver.kill)
        deadline.start()
        try:
            for line in self._driver.stdout:
                if found := re.search(r"started successfully on port (\d+)", line):
                    return int(found[1])
        finally:
            deadline.cancel()
        raise AssertionError("chromedriver ended, or stayed silent, instead of listening")

    def _send(self, method: str, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=COMMAND_SECONDS) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {json.load(error)['value']['message']}") from None
