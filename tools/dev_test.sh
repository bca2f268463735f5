#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of ./dev, the parts that neither build nor install: its help, its errors, its lists of packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    printf '%s\n' "$*"
    exit 1
}

# refuses WORDS ARGUMENT...: ./dev ARGUMENT... fails and its last line says WORDS.
refuses() {
    local words=$1
    shift
    if ./dev "$@" >"$scratch/output" 2>&1 </dev/null; then fail "./dev $* succeeded"; fi
    tail -n 1 "$scratch/output" | grep -qF -- "$words" || fail "./dev $*: no '$words' in: $(cat "$scratch/output")"
}

./dev >"$scratch/help"
for verb in setup build test check format fuzz soak bench docs; do
    [ "$(grep -cE "^  $verb( |\$)" "$scratch/help")" -eq 1 ] || fail "the help does not have one line for $verb"
done
refuses "no verb 'frobnicate'" frobnicate
refuses "no preset 'relase'" build relase
refuses "no module 'corr'" test corr
refuses "no preset 'fast'" test -p fast base
refuses "no check 'taste'" check taste
refuses "'everything'" setup everything
refuses "fuzz wants seconds" fuzz h1_request

# Every package has one of the groups, and a reason.
bad=$(awk '!/^#/ && NF && ($2 !~ /^(build|test|check|bench)$/ || NF < 3)' tools/packages.txt)
[ -z "$bad" ] || fail "tools/packages.txt: $bad"

# A dpkg-query that knows nothing installed makes setup ask for all of a group, as root through install_packages.sh.
mkdir "$scratch/bin"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$scratch/bin/id"
printf '#!/bin/sh\necho "as root: $*"\n' >"$scratch/bin/sudo"
chmod +x "$scratch/bin"/*
PATH=$scratch/bin:$PATH ./dev setup build >"$scratch/output"
grep -q '^as root: tools/install_packages.sh g++ cmake ' "$scratch/output" ||
    fail "setup build does not install: $(cat "$scratch/output")"
if grep -q gtest "$scratch/output"; then fail "setup build installs what only the tests need"; fi

# With everything there, it says nothing.
cat >"$scratch/bin/dpkg-query" <<'SH'
#!/bin/sh
awk '!/^#/ && NF { print $1, "installed" }' tools/packages.txt
SH
PATH=$scratch/bin:$PATH ./dev setup check >"$scratch/output" 2>&1
[ ! -s "$scratch/output" ] || fail "setup with nothing missing: $(cat "$scratch/output")"
