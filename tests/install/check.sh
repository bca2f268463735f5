#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs BUILD into a temporary prefix, moves it, and builds and runs consumer/ against it: find_package and
# pkg-config, GCC and Clang.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
build=$1 build_type=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A prefix that has moved since: nothing installed may name the place it was installed to.
cmake --install "$build" --prefix "$scratch/first" >"$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
prefix=$scratch/prefix
mv "$scratch/first" "$prefix"
if leaks=$(grep -rlF -e "$scratch/first" -e "$(cd ../.. && pwd)/" --include='*.cmake' --include='*.pc' "$prefix"); then
    printf 'installed files name a place of this machine:\n%s\n' "$leaks"
    exit 1
fi
"$prefix/bin/coracle-lint-await" --help | grep -q coracle-lint-await

# serves PROGRAM: it says where it listens, answers there, and SIGTERM ends it with exit code 0.
serves() {
    local log=$scratch/serve.log url="" pid answer="" code=0
    "$1" >"$log" 2>&1 </dev/null &
    pid=$!
    for ((tries = 0; tries < 300 && ${#url} == 0; ++tries)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
        url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$log" | head -n 1) || true
    done
    [ -z "$url" ] || answer=$(curl -sS -m 10 "$url/") || true
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" || code=$?
    if [ "$answer" != "Hello from outside" ] || [ "$code" -ne 0 ]; then
        printf '%s: answered "%s" at "%s" and ended with %s\n' "$1" "$answer" "$url" "$code"
        cat "$log"
        return 1
    fi
}

adapts() { [ "$(timeout 30 "$1")" = adapted ] || { printf '%s: did not say adapted\n' "$1"; return 1; }; }

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name coracle.pc)")
for compiler in g++ clang++-19; do
    printf 'find_package, %s\n' "$compiler"
    cmake -G Ninja -S consumer -B "$scratch/$compiler" -DCMAKE_BUILD_TYPE="$build_type" \
        -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$prefix" >"$scratch/configure.log" 2>&1 ||
        { cat "$scratch/configure.log"; exit 1; }
    cmake --build "$scratch/$compiler"
    serves "$scratch/$compiler/consumer"
    adapts "$scratch/$compiler/adaptor"

    printf 'pkg-config, %s\n' "$compiler"
    read -ra flags < <(pkg-config --cflags coracle)
    read -ra libs < <(pkg-config --libs coracle)
    for program in consumer adaptor; do
        "$compiler" "${flags[@]}" -o "$scratch/$program" "consumer/$program.cc" "${libs[@]}"
    done
    serves "$scratch/consumer"
    adapts "$scratch/adaptor"
done
