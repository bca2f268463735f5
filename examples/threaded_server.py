# SPDX-License-Identifier: Apache-2.0
"""Shows: the same blocking call in a pool of three threads that the application owns.

    ./threaded_server.py &
    for i in 1 2 3 4; do curl "http://127.0.0.1:8080/?seconds=1" & done; wait

Three answers come after 1 second and the fourth, which waited for a free worker, after 2.
Beside it: threaded_server.cc.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import twin
from aiohttp import web


def blocking_func(seconds: int) -> str:
    time.sleep(seconds)
    return f"Waited for {seconds} second(s)"


async def wait_for_it(request: web.Request) -> web.Response:
    seconds = twin.whole_seconds(request, default=5)
    loop = asyncio.get_running_loop()
    text = await loop.run_in_executor(request.app["pool"], blocking_func, seconds)
    return web.Response(text=text)


async def close_pool(app: web.Application) -> None:
    app["pool"].shutdown()


def make_app() -> web.Application:
    app = web.Application()
    app["pool"] = ThreadPoolExecutor(max_workers=3)
    app.on_cleanup.append(close_pool)
    app.router.add_get("/", wait_for_it)
    return app


if __name__ == "__main__":
    twin.serve(make_app)
