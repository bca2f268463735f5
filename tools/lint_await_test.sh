#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of lint_await.sh: it finds, it passes, and it never takes what it cannot read for clean.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# expect CODE COMMAND...: the exit code, and on a difference what was printed.
expect() {
    local wanted=$1 code=0
    shift
    "$@" >"$scratch/output" 2>&1 || code=$?
    if [ "$code" -ne "$wanted" ]; then
        printf 'exit code %s, not %s: %s\n' "$code" "$wanted" "$*"
        cat "$scratch/output"
        exit 1
    fi
}

expect 0 ./lint_await.sh --self-test
expect 1 ./lint_await.sh lint_await_bad.cc -- -std=c++20
expect 2 ./lint_await.sh lint_await_bad.cc -- -std=c++17

printf 'int main() {}\n' >"$scratch/good.cc"
printf '#include <missing.h>\n' >"$scratch/unreadable.cc"
expect 0 ./lint_await.sh "$scratch/good.cc" -- -std=c++20
expect 2 ./lint_await.sh -j 2 "$scratch/good.cc" "$scratch/unreadable.cc" -- -std=c++20
expect 2 ./lint_await.sh "$scratch/absent.cc" -- -std=c++20

# A build by GCC, with flags that Clang does not know; a build without commands.
cat >"$scratch/compile_commands.json" <<JSON
[
{
  "directory": "$PWD",
  "command": "/usr/bin/ccache /usr/bin/g++ -std=c++20 -Wall -Werror -fcoroutines -o x.o -c $PWD/lint_await_bad.cc",
  "file": "$PWD/lint_await_bad.cc"
}
]
JSON
expect 1 ./lint_await.sh -p "$scratch"
[ "$(wc -l <"$scratch/output")" -ge 9 ] || { cat "$scratch/output"; exit 1; }
expect 2 ./lint_await.sh -p "$scratch/none"

# A clang-query that finds nothing must not pass the self-test.
printf '#!/bin/sh\nexit 0\n' >"$scratch/blind"
chmod +x "$scratch/blind"
expect 2 env CLANG_QUERY="$scratch/blind" ./lint_await.sh --self-test
expect 2 env CLANG_QUERY="$scratch/absent" ./lint_await.sh --self-test
