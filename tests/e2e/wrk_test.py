# SPDX-License-Identifier: Apache-2.0
"""wrk: as many requests as it can send, and not one that fails."""

import re
import subprocess
import unittest

import server


class Load(unittest.TestCase):
    def check(self, running: server.Server, target: str, connections: int):
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", "-d2s", running.url(target)],
            capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertNotIn("Socket errors", out)
        self.assertNotIn("Non-2xx", out)
        done = int(re.search(r"(\d+) requests in", out)[1])
        self.assertGreater(done, connections, out)
        self.assertGreaterEqual(running.stats()["requests"], done)

    def test_few_and_many_connections(self):
        with server.showcase() as running:
            for connections in (1, 64, 400):
                with self.subTest(connections=connections):
                    self.check(running, "/plaintext", connections)

    def test_other_routes(self):
        with server.showcase("--workers", "2") as running:
            for target in ("/json", "/hello/Ada", "/threaded?seconds=0"):
                with self.subTest(target):
                    self.check(running, target, 16)
