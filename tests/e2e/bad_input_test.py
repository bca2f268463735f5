# SPDX-License-Identifier: Apache-2.0
"""Malformed, over-long, slow and deaf peers, byte by byte through a socket."""

import select
import socket
import time
import unittest

import raw
import server

HOST = b"Host: a\r\n"


class BadInput(unittest.TestCase):
    """What is refused is answered with its status, and the connection is closed."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.showcase())

    def check(self, data: bytes, status: int, names: str = ""):
        with raw.Connection(self.server.port) as connection:
            connection.send(data)
            got, fields, body = connection.answer()
            self.assertEqual(got, status, body)
            self.assertEqual(fields["connection"], "close")
            self.assertIn(names, body.decode())
            self.assertTrue(connection.is_closed())
        self.assertEqual(self.server.get("/plaintext"), b"Hello, World!")

    def test_malformed(self):
        for name, data in {
            "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "no version": b"GET /\r\n" + HOST + b"\r\n",
            "two blanks": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
            "bare LF": b"GET / HTTP/1.1\n" + HOST + b"\r\n",
            "no host": b"GET / HTTP/1.1\r\n\r\n",
            "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
            "blank before the colon": b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n",
            "folded field": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
            "NUL in a value": b"GET / HTTP/1.1\r\n" + HOST + b"A: \0\r\n\r\n",
            "signed length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello",
            "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "length and chunked": b"POST / HTTP/1.1\r\n" + HOST
            + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        }.items():
            with self.subTest(name):
                self.check(data, 400)

    def test_versions_and_codings_not_spoken(self):
        self.check(b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505)
        self.check(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501)

    def test_long_request_line(self):
        self.check(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "request_line_bytes_max")

    def test_long_field(self):
        self.check(b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 9000 + b"\r\n\r\n", 431, "header_line_bytes_max")

    def test_many_bytes_of_fields(self):
        fields = b"".join(b"A%d: %s\r\n" % (i, b"b" * 8000) for i in range(10))
        self.check(b"GET / HTTP/1.1\r\n" + HOST + fields + b"\r\n", 431, "headers_bytes_max")

    def test_many_fields(self):
        fields = b"".join(b"A%d: b\r\n" % i for i in range(200))
        self.check(b"GET / HTTP/1.1\r\n" + HOST + fields + b"\r\n", 431, "headers_count_max")

    def test_pipelined_requests_are_answered_in_order(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(b"".join(b"GET /hello/%d HTTP/1.1\r\n%s\r\n" % (i, HOST) for i in range(100)))
            answers = [connection.answer()[2] for _ in range(100)]
        self.assertEqual(answers, [b"Hello, %d" % i for i in range(100)])

    def test_what_follows_a_bad_request_is_not_read(self):
        good = b"GET /hello/good HTTP/1.1\r\n" + HOST + b"\r\n"
        with raw.Connection(self.server.port) as connection:
            connection.send(good + b"GET / HTTP/1.1\r\n\r\n" + good)
            self.assertEqual([connection.answer()[0] for _ in range(2)], [200, 400])
            self.assertTrue(connection.is_closed())

    def test_peers_that_leave_in_the_middle(self):
        for data in (b"", b"GET", b"GET / HTTP/1.1\r\nHo",
                     b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\na",
                     b"GET /threaded?seconds=1 HTTP/1.1\r\n" + HOST + b"\r\n"):
            with raw.Connection(self.server.port) as connection:
                connection.send(data)
        self.assertEqual(self.server.get("/plaintext"), b"Hello, World!")


class Deadlines(unittest.TestCase):
    """Each is one second here."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.impatient())

    def drip(self, connection: raw.Connection, head: bytes, drop: bytes):
        """Sends head, then a drop each fifth of a second until the server answers or closes."""
        connection.send(head)
        began = time.monotonic()
        while not select.select([connection.socket], [], [], 0.2)[0]:
            connection.send(drop)
            self.assertLess(time.monotonic() - began, 30, "the server is patient after all")

    def test_a_head_byte_by_byte_is_408(self):
        with raw.Connection(self.server.port) as connection:
            self.drip(connection, b"GET / HTTP/1.1\r\nHost: a\r\nA: ", b"b")
            self.assertEqual(connection.answer()[0], 408)
            self.assertTrue(connection.is_closed())

    def test_a_body_byte_by_byte_is_408(self):
        with raw.Connection(self.server.port) as connection:
            self.drip(connection, b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n", b"b")
            self.assertEqual(connection.answer()[0], 408)
            self.assertTrue(connection.is_closed())

    def test_silence_is_closed_without_a_word(self):
        with raw.Connection(self.server.port) as connection:
            self.assertTrue(connection.is_closed())
        with raw.Connection(self.server.port) as connection:
            connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            self.assertEqual(connection.answer()[0], 200)
            self.assertTrue(connection.is_closed())

    def test_a_peer_that_stops_reading_is_closed(self):
        with raw.Connection(self.server.port, receive_buffer=4096) as connection:
            connection.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            # A reset shows without reading; until then nothing is read, so the server cannot write.
            watch = select.poll()
            watch.register(connection.socket, select.POLLRDHUP)
            self.assertTrue(watch.poll(30000), "not closed after 30 seconds")

    def test_a_body_over_the_limit_is_413(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n")
            status, _, body = connection.answer()
            self.assertEqual(status, 413)
            self.assertIn(b"65536", body)

    def test_a_chunked_body_over_the_limit_is_413(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send((b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 5)
            self.assertEqual(connection.answer()[0], 413)

    def test_a_body_whose_chunks_are_none_is_400(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n")
            self.assertEqual(connection.answer()[0], 400)
            self.assertTrue(connection.is_closed())

    def test_an_exception_is_a_plain_500_and_a_line_in_the_log(self):
        with raw.Connection(self.server.port) as connection:
            connection.send(b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
            status, _, body = connection.answer()
        self.assertEqual(status, 500)
        self.assertNotIn(b"drawer", body)
        log = self.server.wait_for_log("the drawer is stuck")
        self.assertIn("GET /broken", log)
        self.assertIn("std::runtime_error", log)


class Flood(unittest.TestCase):
    def test_many_who_say_nothing_keep_nobody_out(self):
        with server.showcase() as running:
            silent = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
            try:
                self.assertEqual(running.get("/plaintext"), b"Hello, World!")
            finally:
                for peer in silent:
                    peer.close()
