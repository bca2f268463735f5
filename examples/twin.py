# SPDX-License-Identifier: Apache-2.0
"""What the aiohttp twins share: --host, --port, and the line that says where one listens.

Each NAME.py here is NAME.cc said in aiohttp, so that the two can be read and run side by side:
make compare EXAMPLE=NAME. This file keeps the plumbing out of them.
"""

import argparse
import asyncio
import signal
import socket
from collections.abc import Callable

from aiohttp import web


def serve(make_app: Callable[[], web.Application], *, host: str = "127.0.0.1", port: int = 8080):
    """Runs the application until SIGINT or SIGTERM; exits with one sentence if the port is taken."""
    options = argparse.ArgumentParser()
    options.add_argument("--host", default=host, help='address; "" means all interfaces')
    options.add_argument("--port", default=port, type=int, help="0 lets the system choose")
    chosen = options.parse_args()
    try:
        listener = listen(chosen.host, chosen.port)
    except OSError as error:
        raise SystemExit(f"listen on {chosen.host or '*'}:{chosen.port}: {error.strerror}")
    asyncio.run(_run(make_app(), listener))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; with no host it takes IPv4 and IPv6 on one port where the system can."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


async def _run(app: web.Application, listener: socket.socket):
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    host, port = listener.getsockname()[:2]
    print(f"listening on http://{'0.0.0.0' if host == '::' else host}:{port}", flush=True)
    await stopped.wait()
    await runner.cleanup()


def whole_seconds(request: web.Request, default: int) -> int:
    """The query parameter ?seconds=, or 400 when it is not a whole number."""
    try:
        return int(request.query.get("seconds", default))
    except ValueError:
        raise web.HTTPBadRequest
