# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium on the showcase's page: real clicks, and a chart that shows what they do."""

import pathlib
import unittest

import browser
import server

ROW = "document.querySelector('#log tr[data-target=\"{}\"][data-state=done]')"
ROWS = "document.querySelectorAll('#log tr[data-target=\"{}\"][data-state=done]')"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chromium = cls.enterClassContext(browser.Browser())

    def setUp(self):
        self.server = self.enterContext(server.showcase())
        self.page = self.chromium
        self.page.open(self.server.url("/"))
        self.page.wait_until("return +document.getElementById('lag-chart').dataset.points >= 4")

    def press(self, action: str):
        self.page.click(f"button[data-action={action}]")

    def answer(self, target: str) -> dict:
        """What the log shows for the latest answer to the target."""
        row = ROW.format(target)
        return self.page.wait_until(
            f"const row = {row}; return row && {{...row.dataset, text: row.cells[3].textContent}}")

    def answers(self, target: str, count: int) -> list[dict]:
        rows = ROWS.format(target)
        return self.page.wait_until(
            f"const rows = [...{rows}]; return rows.length >= {count} && rows.map(row => ({{...row.dataset}}))")

    def screenshot(self, name: str):
        self.page.screenshot(pathlib.Path(server.build) / f"screenshots/{name}.png")

    def test_the_chart_moves_and_shows_numbers(self):
        first = self.page.run("return document.querySelector('#lag-chart path.lag').getAttribute('d')")
        self.page.wait_until(
            f"return document.querySelector('#lag-chart path.lag').getAttribute('d') !== {first!r}")
        self.assertEqual(self.page.run("return document.getElementById('pulse').dataset.state"), "alive")
        requests = "return +document.getElementById('stat-requests').textContent.replaceAll(',', '')"
        before = self.page.run(requests)
        self.page.wait_until(f"{requests} > {before}")
        self.assertEqual(self.page.run("return document.getElementById('stat-worker').textContent"), "1 of 1")

    def test_every_button_answers(self):
        for action, target, status, text in (
            ("hello", "/hello", "200", "Hello, Anonymous"),
            ("hello-name", "/hello/Ada", "200", "Hello, Ada"),
            ("plaintext", "/plaintext", "200", "Hello, World!"),
            ("json", "/json", "200", '{"message":"Hello, World!"}'),
            ("redirect", "/redirect", "200", "redirected to /hello: Hello, Anonymous"),
            ("empty", "/empty", "204", "(no body)"),
            ("threaded", "/threaded?seconds=1", "200", "Waited for 1 second(s)"),
            ("blocked", "/blocked?seconds=1", "200", "Waited for 1 second(s)"),
        ):
            with self.subTest(action):
                self.press(action)
                answer = self.answer(target)
                self.assertEqual((answer["status"], answer["text"]), (status, text))

    def test_blocking_stalls_the_chart_and_then_shows_the_peak(self):
        self.page.click("#seconds label:nth-of-type(2)")
        self.press("blocked")
        self.page.wait_until("return document.getElementById('pulse').dataset.state === 'stalled'")
        self.assertGreaterEqual(int(self.answer("/blocked?seconds=2")["ms"]), 1900)
        self.page.wait_until("return +document.getElementById('lag-chart').dataset.peakMs >= 1800")
        self.page.wait_until("return document.getElementById('pulse').dataset.state === 'alive'")
        self.assertTrue(self.page.run("return document.querySelectorAll('#lag-chart rect.gap').length"))
        self.page.wait_until("return +document.getElementById('lag-chart').dataset.points >= 24")
        self.screenshot("blocked")

    def test_offloading_shows_in_the_pool_and_not_in_the_lag(self):
        self.press("threaded-4")
        self.page.wait_until("return +document.getElementById('pool-chart').dataset.queuedPeak === 1")
        times = sorted(int(answer["ms"]) for answer in self.answers("/threaded?seconds=1", 4))
        self.assertEqual([ms // 1000 for ms in times], [1, 1, 1, 2])
        self.assertLess(self.page.run("return +document.getElementById('lag-chart').dataset.peakMs"), 900)

    def test_seventy_fill_the_pool_and_are_refused(self):
        self.press("threaded-70")
        refused = self.answers("/threaded?seconds=1", 3)
        self.assertEqual({answer["status"] for answer in refused}, {"503"})
        self.assertTrue(all(int(answer["retryAfter"]) >= 1 for answer in refused))
        self.page.wait_until("return +document.getElementById('pool-chart').dataset.queuedPeak > 50")
        self.press("hello")
        self.assertLess(int(self.answer("/hello")["ms"]), 900)
        self.page.wait_until("return +document.getElementById('stat-completed').textContent >= 9")
        self.screenshot("seventy")

    def test_it_fits_a_phone(self):
        self.page.resize(390, 844)
        try:
            self.page.open(self.server.url("/"))
            self.page.wait_until("return +document.getElementById('lag-chart').dataset.points >= 4")
            self.assertTrue(self.page.run(
                "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
            small = self.page.run(
                "return [...document.querySelectorAll('button')].filter(b => b.offsetHeight < 44).length")
            self.assertEqual(small, 0)
            self.press("hello")
            self.assertEqual(self.answer("/hello")["status"], "200")
            self.screenshot("phone")
        finally:
            self.page.resize(1100, 1400)

    def test_it_is_dark_for_who_likes_it_so(self):
        ground = "return getComputedStyle(document.body).backgroundColor"
        colours = set()
        for scheme in ("dark", "light"):
            self.page.prefer(scheme)
            colours.add(self.page.run(ground))
            self.screenshot(scheme)
        self.assertEqual(len(colours), 2)

    def test_the_page_complains_of_nothing(self):
        self.page.errors()  # what other tests left
        self.page.open(self.server.url("/"))
        self.page.wait_until("return +document.getElementById('lag-chart').dataset.points >= 4")
        self.assertEqual(self.page.errors(), [])
