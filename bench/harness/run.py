# SPDX-License-Identifier: Apache-2.0
"""One call of bench/run: its settings, and how its figures are told and kept."""

import dataclasses
import sys

from .contenders import Contender
from .store import Store


@dataclasses.dataclass
class Run:
    store: Store
    pairs: int
    seconds: float
    contenders: list[Contender]

    def keep(self, subject: str, work: str, server: str, sample, told: str):
        self.store.add(subject, work, server, sample)
        print(f"{subject:<9} {work:<16} {server:<15} {told}", flush=True)

    def failed(self, subject: str, server: str, error: Exception):
        """A contender that cannot do the work loses its row, not everybody's run."""
        print(f"{subject:<9} {server}: FAILED: {error}", file=sys.stderr, flush=True)
