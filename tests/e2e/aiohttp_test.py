# SPDX-License-Identifier: Apache-2.0
"""Debian's aiohttp as the client."""

import asyncio
import unittest

import aiohttp

import server


class Client(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.showcase())

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # or it reports every step that a busy machine delays
        self.connections = 0
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self.count_connection)
        self.session = await self.enterAsyncContext(aiohttp.ClientSession(
            self.server.url(""), timeout=aiohttp.ClientTimeout(total=60), trace_configs=[trace]))

    async def count_connection(self, *_):
        self.connections += 1

    async def get(self, target: str) -> str:
        async with self.session.get(target) as response:
            self.assertEqual(response.status, 200)
            return await response.text()

    async def test_one_connection_for_many_requests(self):
        for i in range(100):
            self.assertEqual(await self.get(f"/hello/{i}"), f"Hello, {i}")
        self.assertEqual(self.connections, 1)

    async def test_many_at_once(self):
        answers = await asyncio.gather(*(self.get(f"/hello/{i}") for i in range(500)))
        self.assertEqual(answers, [f"Hello, {i}" for i in range(500)])

    async def test_json(self):
        async with self.session.get("/json") as response:
            self.assertEqual(await response.json(), {"message": "Hello, World!"})

    async def test_redirect_is_followed(self):
        async with self.session.get("/redirect") as response:
            self.assertEqual((response.url.path, await response.text()), ("/hello", "Hello, Anonymous"))
            self.assertEqual([step.status for step in response.history], [302])

    async def test_empty_and_head(self):
        async with self.session.get("/empty") as response:
            self.assertEqual((response.status, await response.read()), (204, b""))
        async with self.session.head("/plaintext") as response:
            self.assertEqual((response.status, response.content_length), (200, 13))
        self.assertEqual(await self.get("/plaintext"), "Hello, World!")

    async def test_headers_of_any_kind(self):
        headers = {"User-Agent": "x" * 4000, "Cookie": "a=b; c=d", "Accept": "*/*", "X-Latin": "caf\u00e9"}
        async with self.session.get("/plaintext", headers=headers) as response:
            self.assertEqual(response.status, 200)


class Bodies(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.impatient())

    async def echo(self, data) -> tuple[int, bytes]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            async with session.post(self.server.url("/echo"), data=data) as response:
                return response.status, await response.read()

    async def test_a_chunked_upload(self):
        pieces = [b"a" * size for size in (1, 10, 4096, 30000, 3)]

        async def upload():
            for piece in pieces:
                yield piece
                await asyncio.sleep(0)

        self.assertEqual(await self.echo(upload()), (200, b"".join(pieces)))

    async def test_uploads_at_once(self):
        bodies = [bytes([i]) * 20000 for i in range(50)]
        answers = await asyncio.gather(*(self.echo(body) for body in bodies))
        self.assertEqual(answers, [(200, body) for body in bodies])

    async def test_a_chunked_upload_over_the_limit(self):
        async def upload():
            for _ in range(5):
                yield b"x" * 0x4000

        status, _ = await self.echo(upload())
        self.assertEqual(status, 413)

    async def test_a_long_download(self):
        async with aiohttp.ClientSession() as session:
            async with session.get(self.server.url("/big")) as response:
                size = 0
                async for piece in response.content.iter_chunked(1 << 16):
                    size += len(piece)
        self.assertEqual(size, 32 << 20)
