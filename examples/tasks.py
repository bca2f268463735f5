# SPDX-License-Identifier: Apache-2.0
"""Shows: tasks that run beside their creator and beside each other.

    ./tasks.py            two seconds for work of one, two and one

Beside it: tasks.cc.
"""

import asyncio


async def prepare(dish: str, time: float) -> str:
    await asyncio.sleep(time)
    print(f"{dish} is ready")
    return dish


async def dinner():
    async with asyncio.TaskGroup() as kitchen:
        soup = kitchen.create_task(prepare("soup", 1))  # begins by itself ...
        print("the table is laid")                      # ... while we carry on
        rice, fish = await asyncio.gather(prepare("rice", 2), prepare("fish", 0.5))
        first = await soup  # has long been ready
        print(f"{first}, {rice} and {fish}")


if __name__ == "__main__":
    asyncio.run(dinner())
