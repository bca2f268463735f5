# SPDX-License-Identifier: Apache-2.0
"""Two workers: a loop each, one pool and one count for both."""

import collections
import unittest

import server
import together

WORK = "/threaded?seconds=1"


class Workers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(server.showcase("--workers", "2"))

    def test_requests_spread_and_the_count_is_of_all(self):
        before = self.server.stats()["requests"]
        seen = [self.server.stats() for _ in range(200)]
        self.assertEqual({stats["worker"]["count"] for stats in seen}, {2})
        spread = collections.Counter(stats["worker"]["index"] for stats in seen)
        self.assertEqual(set(spread), {0, 1})
        self.assertGreater(min(spread.values()), 20, spread)
        counts = [stats["requests"] for stats in seen]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(seen[-1]["requests"], before + 200)

    def test_the_pool_of_three_stays_three(self):
        # Twelve connections: both workers have some of them, but for one time in two thousand.
        with together.Together(self.server.port, [WORK] * 12) as sent:
            running = []
            while self.server.stats()["pool"]["running"] == 0:
                pass
            while (pool := self.server.stats()["pool"])["running"]:
                running.append(pool["running"])
            answers = sent.answers()
        self.assertEqual(max(running), 3)
        self.assertEqual(together.whole_seconds(answers), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])

    def test_a_blocked_worker_does_not_block_the_other(self):
        with together.Together(self.server.port, ["/blocked?seconds=2"]):
            quick = together.ask(self.server.port, ["/hello"] * 20)
        classes = set(together.whole_seconds(quick))
        self.assertIn(0, classes, "everybody waited")
