# SPDX-License-Identifier: Apache-2.0
"""What every measurement needs: servers, load, pairs, a place for results, tables, plots."""
