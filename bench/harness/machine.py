# SPDX-License-Identifier: Apache-2.0
"""What a figure depends on besides the code: the machine, the versions, the moment."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from . import paths


def describe() -> dict:
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": _release(),
        "kernel": platform.release().split("-")[0],
        "versions": {
            "GCC": _said(["g++", "-dumpfullversion"]),
            "Go": _said(["go", "version"], r"go([\d.]+)"),
            "nginx": _said(["/usr/sbin/nginx", "-v"], r"nginx/([\d.]+)"),
            "Boost": _boost(),
            "oneTBB": _said(["dpkg-query", "-W", "-f", "${Version}", "libtbb-dev"], r"([\d.]+)"),
            "aiohttp": _said([paths.PYTHON, "-c", "import aiohttp; print(aiohttp.__version__)"]),
            "uvloop": _said([paths.PYTHON, "-c", "import uvloop; print(uvloop.__version__)"]),
            "Python": platform.python_version(),
        },
    }


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def commit() -> str:
    return _said(["git", "-C", str(paths.ROOT), "rev-parse", "--short=10", "HEAD"]) or "no commit"


def load_average() -> float:
    return os.getloadavg()[0]


def _said(command: list[str], pattern: str = r"(\S+)") -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if done.returncode == 0 and found else ""


def _cpu() -> str:
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _release() -> str:
    found = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return found[1] if found else platform.system()


def _boost() -> str:
    header = pathlib.Path("/usr/include/boost/version.hpp")
    text = header.read_text() if header.exists() else ""
    found = re.search(r'BOOST_LIB_VERSION "([\d_]+)"', text)
    return found[1].replace("_", ".") if found else ""
