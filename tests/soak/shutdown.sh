#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C beside 1,000 open connections, some of them in the middle of a request: exit code 0 within the deadline.
set -euo pipefail
./dev build release examples/showcase tests/e2e/impatient_server
CORACLE_E2E_CONNECTIONS=1000 /usr/bin/python3 tests/e2e/run.py --build build/release shutdown
