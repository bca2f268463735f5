# SPDX-License-Identifier: Apache-2.0
"""Coracle's loop as a guest: of a Boost.Asio io_context, of a libuv loop."""

import os
import signal
import subprocess
import unittest
import unittest.mock

import raw
import server

BACKENDS = ("epoll", "io_uring", "libuv")


class Embedded(unittest.TestCase):
    def host(self, program: str, backend: str) -> server.Server:
        """Entered with CORACLE_LOOP set. Where the kernel refuses io_uring the program says so and goes on."""
        with unittest.mock.patch.dict(os.environ, CORACLE_LOOP=backend):
            return self.enterContext(server.Server(f"examples/{program}", "--port", "0"))

    def ask(self, running: server.Server, words: str) -> int:
        """What curl gets; the number in it."""
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "30", running.url("/")],
                              capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, rf"^Hello from inside {words}, which has ticked \d+ times$")
        return int(done.stdout.split()[-2])

    def check(self, program: str, words: str):
        for backend in BACKENDS:
            with self.subTest(backend=backend):
                running = self.host(program, backend)
                first = self.ask(running, words)
                with raw.Connection(running.port) as idle:
                    # Both go on: the guest answers, and the host's own timer ticks meanwhile.
                    while self.ask(running, words) < first + 2:
                        pass
                    # Many at once make more than one turn's work.
                    with raw.Connection(running.port) as busy:
                        busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
                        for _ in range(200):
                            self.assertEqual(busy.answer()[0], 200)
                    code, seconds = running.stop(signal.SIGINT)
                    self.assertEqual(code, 0, running.log())
                    self.assertLess(seconds, 10)
                    self.assertTrue(idle.is_closed())

    def test_in_an_io_context(self):
        self.check("embed_asio", "an io_context")

    def test_in_a_libuv_loop(self):
        self.check("embed_libuv", "a uv_loop_t")

    def test_an_occupied_port_is_one_sentence(self):
        for program in ("embed_asio", "embed_libuv"):
            with self.subTest(program), server.Server(f"examples/{program}", "--port", "0") as running:
                done = subprocess.run([str(server.program(f"examples/{program}")), "--port", str(running.port)],
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
