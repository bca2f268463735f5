# SPDX-License-Identifier: Apache-2.0
"""Shows: one handler behind two routes, on all interfaces.

    ./hello_server.py &
    curl http://127.0.0.1:8001/             Hello, Anonymous
    curl http://127.0.0.1:8001/Ada          Hello, Ada

Beside it: hello_server.cc.
"""

import twin
from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, " + request.match_info.get("name", "Anonymous"))


def make_app() -> web.Application:
    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/{name}", hello)])
    return app


if __name__ == "__main__":
    twin.serve(make_app, host="", port=8001)
