# SPDX-License-Identifier: Apache-2.0
"""The echo in asyncio, on its own loop or on uvloop, with streams or with a protocol.

    echo_app.py PORT asyncio|uvloop streams|protocol
"""

import asyncio
import sys


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # a peer that breaks its connection ends nobody else's
    finally:
        writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport):
        self._transport = transport

    def data_received(self, data: bytes):
        self._transport.write(data)


async def serve(port: int, form: str):
    if form == "streams":
        server = await asyncio.start_server(echo, "127.0.0.1", port, backlog=4096)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop
        uvloop.install()
    asyncio.run(serve(int(sys.argv[1]), sys.argv[3]))
