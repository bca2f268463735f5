#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Can the benchmark be believed? Its clients refuse wrong answers, its floor really answers, its
arithmetic is right. Needs build/release/bench: ./dev build release bench_programs."""

import contextlib
import dataclasses
import pathlib
import socket
import tempfile
import threading
import unittest
from unittest import mock

from harness import client, contenders, headers, pairs, quartiles
from harness.server import Server, ServerFailed
from harness.store import Store
from reporting import goals, plot, report
from subjects import echo, micro

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class FakeServer:
    """A listener in this process, whose connections are for serve()."""

    def __init__(self):
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
        # A client that has seen enough resets the connection: expected.
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        self._listener.close()


class FakeHttp(FakeServer):
    """Answers the n-th request on each connection with answers[n], the last one for ever; then
    an empty answer closes. `asked` counts requests."""

    def __init__(self, *answers: bytes):
        self._answers = answers
        super().__init__()

    def serve(self, connection: socket.socket):
        seen, turn = b"", 0
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


class FakeEcho(FakeServer):
    """Sends back what `change` makes of the n-th bytes it reads; `asked` counts bytes. An empty
    answer closes."""

    def __init__(self, change=lambda turn, data: data):
        self._change = change
        super().__init__()

    def serve(self, connection: socket.socket):
        turn = 0
        while received := connection.recv(65536):
            self.asked += len(received)
            answer = self._change(turn, received)
            turn += 1
            if not answer:
                return
            connection.sendall(answer)


def load(server, **options) -> dict:
    settings = dict(seconds=0.2, warmup=0, connections=2) | options
    return client.load(server, core=None, **settings)


def echo_load(server, **options) -> dict:
    settings = dict(seconds=0.2, warmup=0, connections=2, bytes=64) | options
    return client.echo_load(server, core=None, **settings)


class Load(unittest.TestCase):
    def serve(self, *answers: bytes) -> FakeHttp:
        server = FakeHttp(*answers)
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


class EchoLoad(unittest.TestCase):
    def serve(self, change=lambda turn, data: data) -> FakeEcho:
        server = FakeEcho(change)
        self.addCleanup(server.close)
        return server

    def test_counts_the_messages_of_its_window(self):
        for size in (64, 16384):
            server = self.serve()
            sample = echo_load(server, bytes=size)
            # What the server saw besides: one message in flight per connection.
            self.assertLessEqual(sample["requests"] * size, server.asked)
            self.assertGreaterEqual(sample["requests"] * size, server.asked - 2 * size)

    def test_refuses_a_byte_that_was_not_sent(self):
        flip_last = lambda turn, data: data[:-1] + bytes([data[-1] ^ 1]) if turn == 3 else data
        with self.assertRaisesRegex(client.ClientFailed, "other bytes"):
            echo_load(self.serve(flip_last))

    def test_refuses_the_message_before(self):
        before = {}
        def late(turn, data):
            old, before["message"] = before.get("message", data), data
            return old
        with self.assertRaisesRegex(client.ClientFailed, "other bytes"):
            echo_load(self.serve(late), connections=1)

    def test_refuses_more_bytes_than_it_sent(self):
        with self.assertRaisesRegex(client.ClientFailed, "more bytes"):
            echo_load(self.serve(lambda turn, data: data + b"!"))

    def test_refuses_a_closed_connection(self):
        with self.assertRaisesRegex(client.ClientFailed, "closed"):
            echo_load(self.serve(lambda turn, data: data if turn < 2 else b""))


# In front of a command: the kernel says EPERM to io_uring_setup (425 on every architecture), as it
# does in most containers. A filter of four rules; the calls are PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP.
WITHOUT_IO_URING = ("python3", "-c", """
import ctypes, os, struct, sys
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
program = ctypes.create_string_buffer(struct.pack("HP", len(rules), ctypes.addressof(code)))
prctl, word = ctypes.CDLL(None).prctl, ctypes.c_ulong
if prctl(38, word(1), word(0), word(0), word(0)) or prctl(22, word(2), program):
    sys.exit("no filter")
os.execvp(sys.argv[1], sys.argv[1:])
""")


class Echo(unittest.TestCase):
    def test_everybody_compiled_here_echoes_and_is_seen_to_spend_cpu(self):
        for contender in (echo.FLOOR, *echo.OURS.values(), *echo.RIVALS["beast"]):
            with self.subTest(contender.name):
                try:
                    self.spends_cpu(contender)
                except ServerFailed as refusal:
                    # The kernel refuses everybody; that ours then ends is tested below.
                    self.assertIn("asked for io_uring, got epoll", str(refusal))

    def spends_cpu(self, contender: contenders.Contender):
        with Server(contender, cores=None) as server:
            for size in (64, 16384):
                sample = echo_load(server, connections=8, bytes=size)
                self.assertGreater(pairs.cpu_us(sample), 0.1)

    def test_the_floor_echoes_what_it_reads_in_pieces_and_the_end(self):
        with (Server(echo.FLOOR, cores=None) as server,
              socket.create_connection(("127.0.0.1", server.port), 5) as peer):
            sent = bytes(range(256)) * 4096
            sender = threading.Thread(target=lambda: (peer.sendall(sent),
                                                      peer.shutdown(socket.SHUT_WR)))
            sender.start()
            received = b"".join(iter(lambda: peer.recv(65536), b""))
            sender.join()
            self.assertEqual(received, sent)

    def test_ours_runs_on_the_backend_asked_for_or_not_at_all(self):
        for backend, wrapper, words in (
                ("kqueue", (), "there is no loop backend 'kqueue'"),
                ("io_uring", WITHOUT_IO_URING, "asked for io_uring, got epoll")):
            with self.assertRaisesRegex(ServerFailed, words):
                Server(echo.coracle(backend), cores=None, wrapper=wrapper).__enter__()


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


class Micro(unittest.TestCase):
    """The programs that need no package of a rival; bench/run says what the others fail with."""

    def test_every_program_tells_every_work(self):
        for name in (micro.OURS, micro.BARE, "asio", "asyncio"):
            for work in filter(lambda work: micro.has(name, work), micro.WORKS):
                with self.subTest(program=name, work=work):
                    self.assertGreater(micro.once(name, work, share=0.0005, pinned=False), 0)

    def test_refuses_a_work_that_is_not_there(self):
        with self.assertRaisesRegex(micro.MicroFailed, "no work 'wake_up' here"):
            micro.once(micro.OURS, "wake_up", pinned=False)

    def test_a_missed_goal_is_shown_with_its_reason(self):
        work = dataclasses.replace(micro.WORKS["switch"], missed="Because.")
        store = self.measured(switch=[19.0, 20.0, 27.0])
        with mock.patch.dict(micro.WORKS, switch=work):
            self.assertNotIn("Because.", "\n".join(micro.tables(store)))
            store.add("micro", "switch", micro.OURS, 28.0)
            store.add("micro", "switch", micro.OURS, 29.0)
            self.assertIn("*Missed:* Because.", "\n".join(micro.tables(store)))

    def test_a_faster_rival_is_shown_with_the_reason(self):
        store = self.measured(spawn=[50.0])
        store.add("micro", "spawn", "tbb", 51.0)
        self.assertNotIn("oneTBB is faster", "\n".join(micro.tables(store)))
        store.add("micro", "spawn", "tbb", 30.0)
        self.assertIn("*oneTBB is faster:* its task", "\n".join(micro.tables(store)))

    def test_a_wake_is_held_against_the_one_beside_it(self):
        store = self.measured(wake=[110.0, 240.0, 330.0])
        for bare in (100.0, 200.0, 300.0):
            store.add("micro", "wake", micro.BARE, bare)
        self.assertAlmostEqual(micro.wake_ratio(store).median, 1.1)

    def measured(self, **works: list[float]) -> Store:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        store = Store(pathlib.Path(folder) / "results.json")
        store.begin("micro", "")
        for work, samples in works.items():
            for sample in samples:
                store.add("micro", work, micro.OURS, sample)
        return store


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

    def test_the_worst_work_stands_for_a_backend_and_io_uring_is_held_against_epoll(self):
        store = Store(self.path)
        store.begin("echo", "")
        pair = lambda cpu: {"floor": dict(cpu_ns=1000, requests=1, seconds=1, p50_us=1, p99_us=1),
                            "server": dict(cpu_ns=cpu, requests=1, seconds=1, p50_us=1, p99_us=1)}
        for work, epoll, ring in (("c1-b64", 1050, 1000), ("c64-b64", 1200, 1080)):
            store.add("echo", work, "coracle_epoll", pair(epoll))
            store.add("echo", work, "coracle_io_uring", pair(ring))
        met = {goal.text: (goal.measured, goal.is_met) for goal in goals.goals(store)
               if goal.text.startswith("TCP echo") and goal.measured}
        self.assertEqual(met, {
            "TCP echo on epoll, CPU per message ÷ floor, the worst of 2: 64 B at 64 connections":
                ("1.20 ×", False),
            "TCP echo on io_uring, CPU per message ÷ floor, the worst of 2: 64 B at 64 connections":
                ("1.08 ×", True),
            "TCP echo, CPU per message on io_uring ÷ epoll, the worst of 2: 64 B at 1 connection":
                ("0.95 ×", True),
        })
        told = report.render(store)
        self.assertRegex(told, r"`CORACLE_LOOP=io_uring \S+/bench/echo --port N`")
        self.assertIn("| 64 B at 64 connections | – | 1.20 | 1.08 | – | 0.90 |", told)
        self.assertIn("Over 1.1 × on epoll (64 B at 64 connections): ", told)
        self.assertNotIn("× on io_uring (", told)

    def test_a_report_of_nothing_says_so(self):
        store = Store(self.path)
        self.assertTrue(all(goal.measured is None for goal in goals.goals(store)))
        self.assertIn("not measured", report.render(store))
        self.assertTrue(plot.render(store).startswith("<svg"))


if __name__ == "__main__":
    unittest.main()
