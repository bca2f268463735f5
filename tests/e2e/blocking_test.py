# SPDX-License-Identifier: Apache-2.0
"""What the showcase is there to show: blocking stalls everybody, offloading nobody, and the pool is bounded."""

import time
import unittest

import server
import together


class Blocking(unittest.TestCase):
    def test_the_loop_serves_one_at_a_time_and_the_log_names_who_blocked_it(self):
        with server.showcase() as running:
            answers = together.ask(running.port, ["/blocked?seconds=1"] * 3)
            self.assertEqual(together.whole_seconds(answers), [1, 2, 3])
            self.assertEqual({answer.body for answer in answers}, {b"Waited for 1 second(s)"})
            running.wait_for_log(r"GET /blocked")
            self.assertGreater(running.stats()["loop"]["lag_max_us"], 900_000)

    def test_others_wait_too(self):
        with server.showcase() as running:
            with together.Together(running.port, ["/blocked?seconds=2"]):
                time.sleep(0.5)
                began = time.monotonic()
                running.get("/hello")
                self.assertGreater(time.monotonic() - began, 1)


class Offloading(unittest.TestCase):
    def test_three_work_and_the_fourth_waits(self):
        with server.showcase() as running:
            with together.Together(running.port, ["/threaded?seconds=1"] * 4) as sent:
                for _ in range(20):
                    began = time.monotonic()
                    running.get("/hello")
                    self.assertLess(time.monotonic() - began, 0.5)
                answers = sent.answers()
            self.assertEqual(together.whole_seconds(answers), [1, 1, 1, 2])
            self.assertNotIn("GET /threaded", running.log())

    def test_past_the_queue_comes_503_and_the_loop_stays_free(self):
        with server.showcase() as running:
            with together.Together(running.port, ["/threaded?seconds=1"] * 80) as sent:
                while (pool := running.stats()["pool"])["rejected"] == 0:
                    self.assertLess(pool["completed"], 67, "nothing was refused")
                # Three that run and 64 that wait; a thread may be about to take one of those.
                self.assertLessEqual(pool["running"], 3)
                self.assertLessEqual(pool["running"] + pool["queued"], 67)
                for _ in range(20):
                    began = time.monotonic()
                    running.get("/hello")
                    self.assertLess(time.monotonic() - began, 0.5)
                answers = sent.answers()
            self.assertEqual({answer.status for answer in answers}, {200, 503})
            refused = [answer for answer in answers if answer.status == 503]
            self.assertLessEqual(len(refused), 13)
            for answer in refused:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            pool = running.stats()["pool"]
            self.assertEqual((pool["running"], pool["queued"], pool["rejected"]), (0, 0, len(refused)))

    def test_a_burst_is_refused_by_the_same_measure(self):
        with server.showcase() as running:
            answers = together.ask(running.port, ["/burst?jobs=70&seconds=0"])
            self.assertEqual(answers[0].status, 200)
            pool = running.stats()["pool"]
            self.assertEqual(pool["completed"] + pool["rejected"], 70)
