# SPDX-License-Identifier: Apache-2.0
"""The same as coracle.cc in Python, on asyncio's own loop or on uvloop.

    micro.py asyncio|uvloop [--work NAME] [--share 0.01]      prints {"NAME": NANOSECONDS, ...}

Works return their sum as well, which is known beforehand, so that none is left out.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import threading
import time

CHILDREN = 100
TIMERS_LIVE = 100_000
TIMERS_A_TURN = 1000

now = time.perf_counter_ns


async def child(n):
    return n


async def await_child(count):
    total = 0
    began = now()
    for i in range(1, count + 1):
        total += await child(i)
    return (now() - began) / count, total, sum_to(count)


async def spawn(count):
    total = 0
    async with asyncio.TaskGroup() as group:
        began = now()
        for i in range(1, count + 1):
            total += await group.create_task(child(i))
        took = now() - began
    return took / count, total, sum_to(count)


async def spawn_100(count):
    total = 0

    async def add(n):
        nonlocal total
        total += n

    groups = -(-count // CHILDREN)
    began = now()
    for _ in range(groups):
        async with asyncio.TaskGroup() as group:
            for n in range(1, CHILDREN + 1):
                group.create_task(add(n))
    return (now() - began) / (groups * CHILDREN), total, groups * sum_to(CHILDREN)


async def switch_tasks(count):
    half, turns = -(-count // 2), 0

    async def take_turns():
        nonlocal turns
        for _ in range(half):
            await asyncio.sleep(0)
            turns += 1

    began = now()
    async with asyncio.TaskGroup() as group:
        group.create_task(take_turns())
        group.create_task(take_turns())
    return (now() - began) / (2 * half), turns, 2 * half


async def queue(count):
    questions, answers, total = asyncio.Queue(1), asyncio.Queue(1), 0

    async def answer():
        for _ in range(count):
            await answers.put(await questions.get())

    async with asyncio.TaskGroup() as group:
        group.create_task(answer())
        began = now()
        for i in range(1, count + 1):
            await questions.put(i)
            total += await answers.get()
        took = now() - began
    return took / count, total, sum_to(count)


async def time_out(count):
    total = 0
    began = now()
    for i in range(1, count + 1):
        async with asyncio.timeout(5):
            total += await child(i)
    return (now() - began) / count, total, sum_to(count)


async def timer(count):
    loop, fired, delays = asyncio.get_running_loop(), [], scattered_delays()
    live = [loop.call_later(next(delays), fired.append, None) for _ in range(TIMERS_LIVE)]
    began = now()
    for i in range(1, count + 1):
        live[i % TIMERS_LIVE].cancel()
        live[i % TIMERS_LIVE] = loop.call_later(next(delays), fired.append, None)
        if i % TIMERS_A_TURN == 0:
            await asyncio.sleep(0)
    took = now() - began
    for handle in live:
        handle.cancel()
    return took / count, len(fired), 0


async def call_later(count):
    loop, fired, delays = asyncio.get_running_loop(), [], scattered_delays()
    live = [loop.call_later(next(delays), fired.append, None) for _ in range(TIMERS_LIVE)]
    began = now()
    for i in range(1, count + 1):
        loop.call_later(next(delays), fired.append, None).cancel()
        if i % TIMERS_A_TURN == 0:
            await asyncio.sleep(0)
    took = now() - began
    for handle in live:
        handle.cancel()
    return took / count, len(fired), 0


def wake(new_loop, count):
    """Two loops in two threads; each callback posts one to the other."""
    cores = sorted(os.sched_getaffinity(0))
    here, there = new_loop(), new_loop()

    def run(loop, core):
        os.sched_setaffinity(0, {core})
        loop.run_forever()

    def play(mine, other, turns):
        if turns == 0:
            mine.stop()
            other.call_soon_threadsafe(other.stop)
        else:
            other.call_soon_threadsafe(play, other, mine, turns - 1)

    thread = threading.Thread(target=run, args=[there, cores[-1]])
    thread.start()
    began = now()
    here.call_soon(play, here, there, 2 * count)
    run(here, cores[0])
    took = now() - began
    thread.join()
    os.sched_setaffinity(0, cores)
    here.close()
    there.close()
    return took / count


def sum_to(count):
    return count * (count + 1) // 2


def scattered_delays():
    """Seconds, 60 to 120, the same sequence as in every other language."""
    delays, state = [], 1
    for _ in range(4096):
        state = (state * 1664525 + 1013904223) % 2**32
        delays.append(60 + 14e-9 * state)
    return itertools.cycle(delays)


WORKS = {  # and the operations of one full repetition
    "await": (await_child, 2_000_000),
    "spawn": (spawn, 40_000),
    "spawn_100": (spawn_100, 60_000),
    "switch": (switch_tasks, 150_000),
    "queue": (queue, 40_000),
    "timeout": (time_out, 50_000),
    "timer": (timer, 100_000),
    "call_later": (call_later, 100_000),
    "wake": (wake, 2_000),
}


def measure(work, new_loop, count):
    function = WORKS[work][0]
    if function is wake:
        return wake(new_loop, count)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        each, total, expected = runner.run(function(count))
    if total != expected:
        sys.exit(f"{work}: the operations gave {total} instead of {expected}")
    return each


def main():
    options = argparse.ArgumentParser()
    options.add_argument("loop", choices=["asyncio", "uvloop"])
    options.add_argument("--work", choices=WORKS)
    options.add_argument("--share", type=float, default=1)
    chosen = options.parse_args()
    new_loop = asyncio.new_event_loop
    if chosen.loop == "uvloop":
        import uvloop
        new_loop = uvloop.new_event_loop
    told = {}
    for work in [chosen.work] if chosen.work else WORKS:
        count = max(1, int(chosen.share * WORKS[work][1]))
        measure(work, new_loop, max(1, count // 10))
        told[work] = round(measure(work, new_loop, count), 3)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
