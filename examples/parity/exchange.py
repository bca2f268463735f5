# SPDX-License-Identifier: Apache-2.0
"""One step of a script, played against one port: requests sent together, answers timed."""

import dataclasses
import http.client
import threading
import time

ANSWER_SECONDS = 30


@dataclasses.dataclass
class Answer:
    target: str
    status: int
    body: bytes
    headers: dict[str, str | None]
    seconds: float  # from the step's start, for a time class: `whole_seconds`

    @property
    def whole_seconds(self) -> int:
        return round(self.seconds)


def play(step: dict, port: int) -> list[Answer]:
    """Sends what the step says at once, or `stagger` seconds apart; answers in completion order.

    Answers of one time class have no order among themselves, so those are sorted by target.
    """
    answers: list[Answer] = []
    failures: list[Exception] = []
    start = threading.Barrier(len(step["at_once"]))

    def ask(place: int, target: str):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
            connection.connect()
            start.wait()
            began = time.monotonic()
            time.sleep(place * step.get("stagger", 0))
            connection.request(step.get("method", "GET"), target, body=step.get("body"))
            response = connection.getresponse()
            body = response.read()
            headers = {name: response.getheader(name) for name in step.get("headers", [])}
            answers.append(
                Answer(target, response.status, body, headers, time.monotonic() - began))
            connection.close()
        except Exception as failure:  # told to the caller, whose thread decides
            start.abort()
            failures.append(failure)

    threads = [threading.Thread(target=ask, args=item) for item in enumerate(step["at_once"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(answers, key=lambda answer: (answer.whole_seconds, answer.target))
