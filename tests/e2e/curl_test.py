# SPDX-License-Identifier: Apache-2.0
"""curl asks for every route."""

import email.utils
import json
import os
import subprocess
import tempfile
import time
import unittest

import server


def curl(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "--max-time", "60", *arguments], capture_output=True, check=True)


def ask(url: str, *arguments: str) -> tuple[str, dict[str, str], str]:
    """Status line, fields (names in lower case) and body."""
    text = curl("-i", *arguments, url).stdout.decode()
    head, _, body = text.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return status, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


class Curl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.showcase())

    def check_text(self, target: str, body: str):
        status, fields, got = ask(self.server.url(target))
        self.assertEqual((status, got), ("HTTP/1.1 200 OK", body))
        self.assertEqual(fields["content-type"], "text/plain; charset=utf-8")
        self.check_common(fields, body)

    def check_common(self, fields: dict[str, str], body: str):
        self.assertEqual(fields["content-length"], str(len(body.encode())))
        self.assertEqual(fields["server"], "Coracle")
        date = email.utils.parsedate_to_datetime(fields["date"]).timestamp()
        self.assertAlmostEqual(date, time.time(), delta=60)

    def test_plaintext(self):
        self.check_text("/plaintext", "Hello, World!")

    def test_hello(self):
        self.check_text("/hello", "Hello, Anonymous")
        self.check_text("/hello/Ada", "Hello, Ada")
        self.check_text("/hello/Zo%C3%AB", "Hello, Zoë")

    def test_blocked_and_threaded(self):
        self.check_text("/blocked?seconds=0", "Waited for 0 second(s)")
        self.check_text("/threaded?seconds=0", "Waited for 0 second(s)")

    def test_seconds_that_are_none_or_too_many(self):
        for seconds in ("soon", "-1", "11", "1e1", "99999999999999999999"):
            for route in ("blocked", "threaded", "burst"):
                with self.subTest(route=route, seconds=seconds):
                    status, _, body = ask(self.server.url(f"/{route}?seconds={seconds}"))
                    self.assertEqual(status, "HTTP/1.1 400 Bad Request")
                    self.assertIn("seconds", body)
        status, _, body = ask(self.server.url("/burst?jobs=1001&seconds=0"))
        self.assertEqual(status, "HTTP/1.1 400 Bad Request")
        self.assertIn("jobs must be from 0 to 1000", body)

    def test_json(self):
        status, fields, body = ask(self.server.url("/json"))
        self.assertEqual((status, body), ("HTTP/1.1 200 OK", '{"message":"Hello, World!"}'))
        self.assertTrue(fields["content-type"].startswith("application/json"))
        self.check_common(fields, body)

    def test_burst(self):
        _, _, body = ask(self.server.url("/burst?jobs=5&seconds=0"))
        self.assertEqual(json.loads(body), {"done": 5, "refused": 0})

    def test_stats(self):
        _, fields, body = ask(self.server.url("/stats"))
        self.assertTrue(fields["content-type"].startswith("application/json"))
        stats = json.loads(body)
        self.assertEqual(stats["worker"], {"index": 0, "count": 1})
        self.assertEqual(stats["backend"], os.environ.get("CORACLE_LOOP") or "epoll")
        self.assertEqual(set(stats["pool"]), {"running", "queued", "completed", "rejected"})
        self.assertEqual(set(stats["loop"]), {"lag_us", "lag_max_us", "sample_us", "recent_us"})
        self.assertGreaterEqual(stats["connections"], 1)
        again = self.server.stats()
        self.assertGreater(again["requests"], stats["requests"])

    def test_redirect(self):
        status, fields, _ = ask(self.server.url("/redirect"))
        self.assertEqual((status, fields["location"]), ("HTTP/1.1 302 Found", "/hello"))
        followed = curl("-L", "-w", " %{num_redirects} %{http_code}", self.server.url("/redirect")).stdout
        self.assertEqual(followed, b"Hello, Anonymous 1 200")

    def test_empty(self):
        status, fields, body = ask(self.server.url("/empty"))
        self.assertEqual((status, body), ("HTTP/1.1 204 No Content", ""))
        self.assertNotIn("content-length", fields)
        self.assertNotIn("content-type", fields)

    def test_page(self):
        status, fields, body = ask(self.server.url("/"))
        self.assertEqual((status, fields["content-type"]), ("HTTP/1.1 200 OK", "text/html; charset=utf-8"))
        self.check_common(fields, body)
        self.assertTrue(body.startswith("<!doctype html>") and body.endswith("</html>\n"))
        for outside in ('src="', "http://", "https://", "@import"):
            # Nothing is loaded from elsewhere; a namespace is no address.
            self.assertNotIn(outside, body.replace("http://www.w3.org/2000/svg", ""))

    def test_head(self):
        status, fields, body = ask(self.server.url("/plaintext"), "-I")
        self.assertEqual((status, fields["content-length"], body), ("HTTP/1.1 200 OK", "13", ""))

    def test_what_is_not_there(self):
        self.assertEqual(ask(self.server.url("/nowhere"))[0], "HTTP/1.1 404 Not Found")
        status, fields, _ = ask(self.server.url("/hello"), "-X", "DELETE")
        self.assertEqual((status, fields["allow"]), ("HTTP/1.1 405 Method Not Allowed", "GET,HEAD"))

    def test_one_connection_serves_both(self):
        url = self.server.url("/plaintext")
        out = curl("-w", " %{num_connects}\n", url, url).stdout
        self.assertEqual(out, b"Hello, World! 1\nHello, World! 0\n")

    def test_old_http(self):
        status, fields, body = ask(self.server.url("/plaintext"), "--http1.0")
        self.assertEqual((status.split(" ", 1)[1], body), ("200 OK", "Hello, World!"))
        self.assertEqual(fields.get("connection", "close"), "close")


class CurlSends(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.impatient())

    def send(self, body: bytes, *arguments: str) -> subprocess.CompletedProcess:
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            return curl("-v", "-w", "\n%{http_code}", "--data-binary", f"@{file.name}", *arguments,
                        self.server.url("/echo"))

    def test_a_body(self):
        self.assertEqual(self.send(b"abc\0def").stdout, b"abc\0def\n200")

    def test_a_chunked_body(self):
        body = bytes(range(256)) * 200
        self.assertEqual(self.send(body, "-H", "Transfer-Encoding: chunked").stdout, body + b"\n200")

    def test_continue_is_said_to_who_waits_for_it(self):
        body = b"x" * 60000
        done = self.send(body, "-H", "Expect: 100-continue", "--expect100-timeout", "60")
        self.assertEqual(done.stdout, body + b"\n200")
        self.assertIn(b"< HTTP/1.1 100 Continue", done.stderr)

    def test_too_large_a_body_is_refused_before_it_is_sent(self):
        done = self.send(b"x" * 65537, "-H", "Expect: 100-continue", "--expect100-timeout", "60")
        self.assertIn(b"65536", done.stdout)
        self.assertTrue(done.stdout.endswith(b"\n413"))
        self.assertNotIn(b"100 Continue", done.stderr)
