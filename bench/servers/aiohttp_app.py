# SPDX-License-Identifier: Apache-2.0
"""The original: aiohttp with the showcase's routes, on asyncio's own loop or on uvloop.

    aiohttp_app.py PORT asyncio|uvloop

/threaded and /spin give their work to a pool of three threads, as the showcase does. /spin burns
`ms` milliseconds of CPU in plain Python: its thread holds the GIL, which is what is being shown.
"""

import asyncio
import functools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

compact = functools.partial(json.dumps, separators=(",", ":"))


async def plaintext(request: web.Request) -> web.Response:
    return web.Response(text="Hello, World!")


async def message(request: web.Request) -> web.Response:
    return web.json_response({"message": "Hello, World!"}, dumps=compact)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, " + request.match_info["name"])


async def threaded(request: web.Request) -> web.Response:
    seconds = float(request.query["seconds"])
    await asyncio.get_running_loop().run_in_executor(request.app["pool"], time.sleep, seconds)
    return web.Response(text="slept")


async def spin(request: web.Request) -> web.Response:
    cpu = int(request.query["ms"]) / 1000
    await asyncio.get_running_loop().run_in_executor(request.app["pool"], spin_for, cpu)
    return web.Response(text="spun")


def spin_for(cpu_seconds: float):
    """Burns the calling thread's own CPU time; servers/spin.h in Python."""
    value, end = 1, time.thread_time() + cpu_seconds
    while time.thread_time() < end:
        for _ in range(100):
            value = (value * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return value


def make_app() -> web.Application:
    app = web.Application()
    app["pool"] = ThreadPoolExecutor(max_workers=3)
    app.add_routes([
        web.get("/plaintext", plaintext),
        web.get("/json", message),
        web.get("/hello/{name}", hello),
        web.get("/threaded", threaded),
        web.get("/spin", spin),
    ])
    return app


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop
        uvloop.install()
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), backlog=4096,
                access_log=None, print=None)
