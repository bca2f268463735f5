#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Can the benchmark be believed? Its clients refuse wrong answers, its floor really answers, its
arithmetic is right. Needs build/release/bench: ./dev build release bench_programs."""

import contextlib
import pathlib
import socket
import tempfile
import threading
import unittest

from harness import client, contenders, headers, pairs, quartiles
from harness.server import Server
from harness.store import Store
from reporting import goals, plot, report

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class FakeServer:
    """Answers the n-th request on each connection with answers[n], the last one for ever; then
    an empty answer closes. `asked` counts requests."""

    def __init__(self, *answers: bytes):
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def pids(self):
        return []

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket):
        seen, turn = b"", 0
        # A client that has seen enough resets the connection: expected.
        with connection, contextlib.suppress(OSError):
            while received := connection.recv(65536):
                seen += received
                while b"\r\n\r\n" in seen:
                    _, seen = seen.split(b"\r\n\r\n", 1)
                    answer = self._answers[min(turn, len(self._answers) - 1)]
                    turn += 1
                    self.asked += 1
                    if not answer:
                        return
                    connection.sendall(answer)

    def close(self):
        self._listener.close()


def load(server, **options) -> dict:
    settings = dict(seconds=0.2, warmup=0, connections=2) | options
    return client.load(server, core=None, **settings)


class Load(unittest.TestCase):
    def serve(self, *answers: bytes) -> FakeServer:
        server = FakeServer(*answers)
        self.addCleanup(server.close)
        return server

    def test_counts_the_answers_of_its_window(self):
        server = self.serve(GOOD)
        sample = load(server)
        # What the server saw besides: the first probe, and one batch in flight per connection.
        self.assertLessEqual(sample["requests"], server.asked)
        self.assertGreaterEqual(sample["requests"], server.asked - 1 - 2)

    def test_counts_each_of_a_pipelined_batch(self):
        sample = load(self.serve(GOOD), depth=16)
        self.assertGreater(sample["requests"], 0)
        self.assertEqual(sample["requests"] % 16, 0)

    def test_refuses_an_answer_that_is_no_success(self):
        bad = GOOD.replace(b"200 OK", b"503 No")
        with self.assertRaisesRegex(client.ClientFailed, "no 200"):
            load(self.serve(GOOD, bad))
        with self.assertRaisesRegex(client.ClientFailed, "503 No"):
            load(self.serve(bad))

    def test_refuses_more_bytes_than_it_asked_for(self):
        with self.assertRaisesRegex(client.ClientFailed, "more bytes"):
            load(self.serve(GOOD, GOOD + b"!"), depth=1)

    def test_refuses_a_closed_connection(self):
        with self.assertRaisesRegex(client.ClientFailed, "closed"):
            load(self.serve(GOOD, b""))

    def test_ask_sends_exactly_so_many(self):
        server = self.serve(GOOD)
        client.ask(server, requests=40, depth=4)
        self.assertEqual(server.asked, 1 + 40)


class Floor(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(contenders.floor(), cores=None))
        self.peer = self.enterContext(socket.create_connection(("127.0.0.1", self.server.port), 5))
        self.peer.settimeout(5)

    def answers(self, count: int) -> int:
        """Reads until `count` answers have come; one that never comes is a timeout."""
        received = b""
        while received.count(b"Hello, World!") < count:
            received += self.peer.recv(65536)
        return received.count(b"Hello, World!")

    def test_answers_a_request_that_comes_byte_by_byte(self):
        for byte in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n":
            self.peer.sendall(bytes([byte]))
        self.assertEqual(self.answers(1), 1)

    def test_answers_more_than_fit_one_write(self):
        self.peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 700)
        self.assertEqual(self.answers(700), 700)

    def test_spends_cpu_that_is_seen(self):
        sample = load(self.server)
        self.assertGreater(pairs.cpu_us(sample), 0.1)


class Arithmetic(unittest.TestCase):
    def test_quartiles_are_of_what_was_seen(self):
        self.assertEqual(quartiles.figure([9, 1, 5, 3, 7]), quartiles.Figure(3, 5, 7))
        self.assertEqual(quartiles.figure([4]), quartiles.Figure(4, 4, 4))
        self.assertEqual(quartiles.figure([1, 2, 3]).shown("{:.1f}".format), "2.0 (1.5–2.5)")

    def test_a_pair_is_a_ratio_of_cpu_per_request(self):
        pair = {"floor": {"cpu_ns": 500_000, "requests": 100},
                "server": {"cpu_ns": 600_000, "requests": 100}}
        self.assertAlmostEqual(pairs.ratio(pair), 1.2)

    def test_a_header_does_not_pay_for_what_it_includes(self):
        costs = headers.self_times([(0, 100, "a.h"), (10, 50, "b.h"), (20, 10, "c.h"), (200, 5, "d.h")])
        own = {entry["path"]: round(entry["own_s"] * 1e6) for entry in costs}
        self.assertEqual(own, {"a.h": 50, "b.h": 40, "c.h": 10, "d.h": 5})


class Results(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = pathlib.Path(folder) / "results.json"

    def measure(self, values: list[int], append: bool = False) -> list[int]:
        store = Store(self.path)
        store.append = append
        store.begin("plain", "")
        for value in values:
            store.add("plain", "work", "coracle", value)
        return Store(self.path).series("plain", "work")["coracle"]

    def test_a_new_run_replaces_the_last_unless_it_appends(self):
        self.assertEqual(self.measure([1, 2]), [1, 2])
        self.assertEqual(self.measure([3]), [3])
        self.assertEqual(self.measure([4], append=True), [3, 4])

    def test_a_report_of_nothing_says_so(self):
        store = Store(self.path)
        self.assertTrue(all(goal.measured is None for goal in goals.goals(store)))
        self.assertIn("not measured", report.render(store))
        self.assertTrue(plot.render(store).startswith("<svg"))


if __name__ == "__main__":
    unittest.main()
