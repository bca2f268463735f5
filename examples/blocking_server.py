# SPDX-License-Identifier: Apache-2.0
"""Shows: what a blocking call on the event loop does to everybody else.

    ./blocking_server.py &
    for i in 1 2 3; do curl "http://127.0.0.1:8080/?seconds=1" & done; wait

The three answers come after 1, 2 and 3 seconds: while one handler sleeps, nobody is served.
Beside it: blocking_server.cc.
"""

import time

import twin
from aiohttp import web


def blocking_func(seconds: int) -> str:
    time.sleep(seconds)
    return f"Waited for {seconds} second(s)"


async def wait_for_it(request: web.Request) -> web.Response:
    seconds = twin.whole_seconds(request, default=5)
    return web.Response(text=blocking_func(seconds))  # wrong on purpose: this blocks the loop


def make_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/", wait_for_it)
    return app


if __name__ == "__main__":
    twin.serve(make_app)
