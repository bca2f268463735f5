# SPDX-License-Identifier: Apache-2.0
"""What is measured. A subject has a title; measure(run), which puts its samples into run.store; and
tables(store), which yields the lines of its part of RESULTS.md."""

from . import compile, echo, idle, instr, micro, offload, paired, sleepers, workers

SUBJECTS = {
    "instr": instr,
    "plain": paired.PLAIN,
    "pipeline": paired.PIPELINE,
    "routes": paired.ROUTES,
    "echo": echo,
    "idle": idle,
    "sleepers": sleepers,
    "micro": micro,
    "offload": offload,
    "workers": workers,
    "compile": compile,
}
