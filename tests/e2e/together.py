# SPDX-License-Identifier: Apache-2.0
"""Several requests at the same time, each on a connection of its own."""

import dataclasses
import http.client
import threading
import time

ANSWER_SECONDS = 120


@dataclasses.dataclass
class Answer:
    target: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float


class Together:
    """Sends on entering; answers() waits for all and gives them in order of completion."""

    def __init__(self, port: int, targets: list[str]):
        self._port, self._answers, self._failures = port, [], []
        self._start = threading.Barrier(len(targets))
        self._threads = [threading.Thread(target=self._ask, args=[target]) for target in targets]

    def __enter__(self) -> "Together":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self._threads:
            thread.join()

    def answers(self) -> list[Answer]:
        self.__exit__()
        if self._failures:
            raise self._failures[0]
        return self._answers

    def _ask(self, target: str):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
            connection.connect()
            self._start.wait()
            began = time.monotonic()
            connection.request("GET", target)
            response = connection.getresponse()
            body = response.read()
            self._answers.append(
                Answer(target, response.status, response.headers, body, time.monotonic() - began))
            connection.close()
        except Exception as failure:  # told to the caller, whose thread decides
            self._start.abort()
            self._failures.append(failure)


def ask(port: int, targets: list[str]) -> list[Answer]:
    with Together(port, targets) as sent:
        return sent.answers()


def whole_seconds(answers: list[Answer]) -> list[int]:
    """The time class of each: work of whole seconds, plus less than a second of everything else."""
    return [int(answer.seconds + 0.05) for answer in answers]
