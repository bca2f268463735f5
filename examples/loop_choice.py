# SPDX-License-Identifier: Apache-2.0
"""Shows: one program on each loop there is. An echo server and its clients, in one process.

    ./loop_choice.py            what came back, and how fast on each

Beside it: loop_choice.cc.
"""

import asyncio
import sys
import time

import uvloop

CONNECTIONS = 16
ROUND_TRIPS = 500
MESSAGE_BYTES = 64


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def talk(port: int) -> int:
    """How many bytes came back as they were sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    same = 0
    for turn in range(ROUND_TRIPS):
        message = bytes([ord("a") + turn % 26]) * MESSAGE_BYTES
        writer.write(message)
        await writer.drain()
        answer = await reader.readexactly(len(message))
        if answer == message:
            same += len(answer)
    writer.close()
    await writer.wait_closed()
    return same


async def talk_on_this_loop(name: str) -> int:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    async with server:
        same = sum(await asyncio.gather(*(talk(port) for _ in range(CONNECTIONS))))
    took = time.monotonic() - began
    print(f"{name:<9} {CONNECTIONS * ROUND_TRIPS / took:7.0f} round trips per second", file=sys.stderr)
    return same


def main():
    print(f"{CONNECTIONS} connections, {ROUND_TRIPS} messages on each, of {MESSAGE_BYTES} bytes")
    all_came_back = True
    for name, new_loop in (("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop)):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            same = runner.run(talk_on_this_loop(name))
        all_came_back &= same == CONNECTIONS * ROUND_TRIPS * MESSAGE_BYTES
    print(f"every byte came back on each loop: {'yes' if all_came_back else 'no'}")


if __name__ == "__main__":
    main()
