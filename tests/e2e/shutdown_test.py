# SPDX-License-Identifier: Apache-2.0
"""How programs end: an occupied port, a wrong option, Ctrl-C beside open connections and requests in progress."""

import os
import resource
import signal
import socket
import subprocess
import time
import unittest
import unittest.mock

import raw
import server
import together

CONNECTIONS = int(os.environ.get("CORACLE_E2E_CONNECTIONS", "200"))


class Start(unittest.TestCase):
    def run_showcase(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(server.program("examples/showcase")), *arguments],
                              capture_output=True, text=True, timeout=60)

    def test_an_occupied_port_is_one_sentence_and_exit_code_1(self):
        with socket.create_server(("127.0.0.1", 0)) as occupied:
            port = str(occupied.getsockname()[1])
            for workers in ("1", "2"):
                with self.subTest(workers=workers):
                    done = self.run_showcase("--port", port, "--workers", workers)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                    self.assertIn(port, done.stderr)

    def test_a_wrong_option_is_one_sentence_and_exit_code_2(self):
        for line in ("--port http", "--port 65536", "--port -1", "--workers 0", "--port", "--speed 9", "x"):
            with self.subTest(line):
                done = self.run_showcase(*line.split())
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_backend_that_is_not_there_is_one_sentence_and_exit_code_1(self):
        for workers in ("1", "2"):
            with self.subTest(workers=workers), unittest.mock.patch.dict(os.environ, CORACLE_LOOP="kqueue"):
                done = self.run_showcase("--port", "0", "--workers", workers)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("CORACLE_LOOP: there is no loop backend 'kqueue'; this build has epoll", done.stderr)

    def test_help(self):
        done = self.run_showcase("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--host", "--port", "--workers"):
            self.assertIn(option, done.stdout)


class Stop(unittest.TestCase):
    def test_either_signal_ends_it_at_once_when_nothing_is_going_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for workers in ("1", "2"):
                with self.subTest(signal=number.name, workers=workers):
                    with server.showcase("--workers", workers) as running:
                        running.get("/hello")
                        code, seconds = running.stop(number)
                        self.assertEqual(code, 0, running.log())
                        self.assertLess(seconds, 10)

    def test_many_open_connections_do_not_keep_it(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, CONNECTIONS * 2 + 200), most))
        with server.showcase() as running:
            peers = []
            try:
                for i in range(CONNECTIONS):
                    peers.append(raw.Connection(running.port))
                    # A third has said nothing, a third has been served, a third is in the middle of a head.
                    if i % 3 == 1:
                        peers[-1].send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                        self.assertEqual(peers[-1].answer()[0], 200)
                    if i % 3 == 2:
                        peers[-1].send(b"GET /hel")
                code, seconds = running.stop()
                self.assertEqual(code, 0, running.log())
                self.assertLess(seconds, 30)
                for i, peer in enumerate(peers):
                    # Who was in the middle of a head may be told 408.
                    self.assertTrue(peer.is_closed() or i % 3 == 2)
            finally:
                for peer in peers:
                    peer.socket.close()

    def test_what_ends_in_time_is_not_cut(self):
        with server.showcase() as running:
            with together.Together(running.port, ["/threaded?seconds=1"] * 3) as sent:
                while running.stats()["pool"]["running"] < 3:
                    pass
                code, _ = running.stop()
                answers = sent.answers()
            self.assertEqual(code, 0, running.log())
            self.assertEqual([answer.body for answer in answers], [b"Waited for 1 second(s)"] * 3)

    def test_what_does_not_is_cut_and_counted(self):
        with server.impatient(shutdown_seconds=2) as running:
            in_time = [raw.Connection(running.port) for _ in range(20)]
            too_slow = [raw.Connection(running.port) for _ in range(5)]
            for peer in too_slow:
                peer.send(b"GET /slow?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n")
            for peer in in_time:
                peer.send(b"GET /slow?ms=700 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.4)  # they have begun; the first end long after the signal
            code, seconds = running.stop()
            self.assertEqual(code, 0, running.log())
            self.assertGreater(seconds, 0.9)
            self.assertLess(seconds, 20)
            self.assertEqual([peer.answer()[0] for peer in in_time], [200] * 20)
            for peer in in_time + too_slow:
                peer.socket.close()
            self.assertRegex(running.log(), r"\b5\b.* request")

    def test_a_second_signal_means_now(self):
        with server.impatient(shutdown_seconds=600) as running, raw.Connection(running.port) as peer:
            peer.send(b"GET /slow?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.4)
            began = time.monotonic()
            running.process.send_signal(signal.SIGINT)
            time.sleep(0.4)
            self.assertIsNone(running.process.poll(), "the first did not wait for the request")
            running.process.send_signal(signal.SIGINT)
            code, seconds = running.wait(began)
            self.assertLess(seconds, 30)
            self.assertEqual(code, 0, running.log())
