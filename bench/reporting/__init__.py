# SPDX-License-Identifier: Apache-2.0
"""From results to RESULTS.md and results.svg."""
