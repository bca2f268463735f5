# SPDX-License-Identifier: Apache-2.0
"""Shows: coroutines that await each other; each step needs what the one before it found.

    ./chain.py            three lines, a second apart

Beside it: chain.cc.
"""

import asyncio


async def find_customer(number: int) -> str:
    await asyncio.sleep(1)
    return f"Ada-{number}"


async def find_orders(customer: str) -> list[int]:
    print(f"orders of {customer}")
    await asyncio.sleep(1)
    return [20, 12, 10]


async def amount_due(number: int) -> int:
    customer = await find_customer(number)
    orders = await find_orders(customer)
    print(f"{len(orders)} orders")
    return sum(orders)


if __name__ == "__main__":
    print(f"{asyncio.run(amount_due(7))} due")
