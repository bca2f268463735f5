# SPDX-License-Identifier: Apache-2.0
"""Shows: a redirect, an empty answer, a file, an optional path variable, JSON, and a middleware.

    ./routes_server.py &
    curl -i  http://127.0.0.1:8080/redirect           302 to /page
    curl -i  http://127.0.0.1:8080/empty              204
    curl     http://127.0.0.1:8080/page               page.html, read from disk
    curl     http://127.0.0.1:8080/greet              {"name":"Anonymous","query":{}}
    curl    "http://127.0.0.1:8080/greet/Ada?x=1"     {"name":"Ada","query":{"x":"1"}}

Every answer carries the header the middleware adds. Beside it: routes_server.cc.
"""

import functools
import json
import pathlib

import twin
from aiohttp import web

PAGE = pathlib.Path(__file__).with_name("page.html")
compact = functools.partial(json.dumps, separators=(",", ":"), ensure_ascii=False)


async def redirect(request: web.Request) -> web.Response:
    raise web.HTTPFound("/page")


async def empty(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE)


async def greet(request: web.Request) -> web.Response:
    name = request.match_info.get("name", "Anonymous")
    return web.json_response({"name": name, "query": dict(request.query)}, dumps=compact)


@web.middleware
async def sign(request: web.Request, handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        answer.headers["X-Signed-By"] = "middleware"
        raise
    response.headers["X-Signed-By"] = "middleware"
    return response


def make_app() -> web.Application:
    app = web.Application(middlewares=[sign])
    app.add_routes([
        web.get("/redirect", redirect),
        web.get("/empty", empty),
        web.get("/page", page),
        web.get("/greet", greet),
        web.get("/greet/{name}", greet),
    ])
    return app


if __name__ == "__main__":
    twin.serve(make_app)
