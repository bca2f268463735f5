# SPDX-License-Identifier: Apache-2.0
"""build/bench/results.json: everything measured so far, saved after every sample.

    {"machine": {...},
     "subjects": {SUBJECT: {"runs": [{"when": ..., "commit": ..., "arguments": ...}, ...],
                            "series": {WORK: {SERVER: [sample, ...]}}}}}

Measuring a series again replaces it, unless the run was told to append.
"""

import json
import pathlib

from . import machine, paths


class Store:
    def __init__(self, path: pathlib.Path = paths.RESULTS):
        self._path = path
        self._data = json.loads(path.read_text()) if path.exists() else {}
        self._data.setdefault("subjects", {})
        self._begun: set[tuple[str, str, str]] = set()
        self.append = False

    @property
    def machine(self) -> dict:
        return self._data.get("machine", {})

    def subjects(self) -> list[str]:
        return list(self._data["subjects"])

    def runs(self, subject: str) -> list[dict]:
        """When, from which commit, and with which arguments what there is was measured."""
        return self._data["subjects"].get(subject, {}).get("runs", [])

    def series(self, subject: str, work: str) -> dict[str, list]:
        """Samples by server; empty when that work has not been measured."""
        return self._data["subjects"].get(subject, {}).get("series", {}).get(work, {})

    def begin(self, subject: str, arguments: str, keeps_others: bool = False):
        """A run begins; some samples of those before it stay when it appends or is of some servers only."""
        self._data["machine"] = machine.describe()
        entry = self._data["subjects"].setdefault(subject, {"series": {}})
        this = {"when": machine.now(), "commit": machine.commit(), "arguments": arguments}
        entry["runs"] = [*(self.runs(subject) if keeps_others else ()), this]

    def add(self, subject: str, work: str, server: str, sample):
        """Adds a sample and saves. The first one of a run clears what an earlier run left."""
        servers = self._data["subjects"][subject]["series"].setdefault(work, {})
        key = (subject, work, server)
        if key not in self._begun and not self.append:
            servers[server] = []
        self._begun.add(key)
        servers.setdefault(server, []).append(sample)
        self._save()

    def _save(self):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._data, indent=1))
        fresh.replace(self._path)
