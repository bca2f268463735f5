# SPDX-License-Identifier: Apache-2.0
"""Shows: a coroutine that waits, and asyncio.run(), which drives it.

    ./square.py 7         7 squared is 49, after a second

Beside it: square.cc.
"""

import asyncio
import sys


async def square(number: int) -> int:
    await asyncio.sleep(1)
    return number * number


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{number} squared is {asyncio.run(square(number))}")
