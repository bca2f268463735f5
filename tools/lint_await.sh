#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Finds expressions with co_await that GCC 12 miscompiles or rejects; installed as coracle-lint-await.
#
# GCC 12 destroys some temporaries of a full expression twice when that expression also awaits, mostly without a
# warning. The matchers below ask Clang's syntax tree for exactly those. Each finding is a line
#   file:line:column: "what" binds here
# and is mended by naming the value in the statement before.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: coracle-lint-await [-j N] -p BUILD [FILE...]   files of BUILD/compile_commands.json that contain co_await
       coracle-lint-await FILE... -- FLAG...          files compiled with these flags
       coracle-lint-await --self-test                 must find every line marked in the known-bad file, and no other

Exit code: 0 nothing found, 1 findings printed, 2 a file could not be parsed (which must not look clean).
Needs clang-query 19 (Debian: clang-tools-19); the build itself may use GCC.
TEXT
}

query=${CLANG_QUERY:-clang-query-19}

# In a full expression that awaits; what the body of a lambda in it does is another expression's affair.
full='expr().bind("full")'
here='unless(hasAncestor(lambdaExpr(hasAncestor(expr(equalsBoundNode("full"))))))'
awaits="$full, hasDescendant(coawaitExpr($here))"
inside="exprWithCleanups(unless(isExpansionInSystemHeader()), $awaits, forEachDescendant("
of_class='hasType(hasUnqualifiedDesugaredType(recordType()))'
# The frame of a function that declares nothing and awaits in a condition is laid out 8 bytes off; a lambda's is not.
has_await='hasCondition(expr(anyOf(coawaitExpr(), hasDescendant(coawaitExpr()))))'
branches="anyOf(ifStmt($has_await), whileStmt($has_await), doStmt($has_await), forStmt($has_await),
    switchStmt($has_await))"
bare_body='coroutineBodyStmt(hasBody(compoundStmt(unless(hasDescendant(declStmt())), forEachDescendant('
of_lambda='cxxMethodDecl(ofClass(cxxRecordDecl(isLambda())))'
bare="functionDecl(unless(isExpansionInSystemHeader()), unless($of_lambda), hasBody("
matchers=(
    "m ${inside}cxxBindTemporaryExpr(has(lambdaExpr()), $here).bind(\"capturing lambda in co_await expression\")))"
    "m ${inside}cxxBindTemporaryExpr(has(initListExpr()), $here).bind(\"aggregate temporary in co_await expression\")))"
    "m ${inside}cxxStdInitializerListExpr($here).bind(\"braced list in co_await expression\")))"
    "m ${inside}conditionalOperator($of_class, $here).bind(\"class-typed ?: in co_await expression\")))"
    "m initListExpr($of_class, $awaits).bind(\"co_await inside aggregate braces\")"
    "m cxxThrowExpr($awaits).bind(\"co_await inside throw\")"
    "m cxxNewExpr($awaits).bind(\"co_await inside new\")"
    "m ${bare}${bare_body}stmt($branches).bind(\"awaiting condition where nothing is declared\")))))))"
)

# run_query FILE ARGUMENT...: prints the findings of one file.
run_query() {
    local file=$1 commands=(-c 'set output diag' -c 'set bind-root false') matcher errors output
    shift
    for matcher in "${matchers[@]}"; do commands+=(-c "$matcher"); done
    errors=$(mktemp)
    # shellcheck disable=SC2064  # the name as it is now
    trap "rm -f '$errors'" EXIT
    if ! output=$("$query" --extra-arg=-w --extra-arg=-Qunused-arguments "${commands[@]}" "$file" "$@" 2>"$errors") ||
        grep -qE '(error|Error)[: ]' "$errors"; then
        cat "$errors" >&2
        printf '%s: could not be parsed\n' "$file" >&2
        return 2
    fi
    output=$(grep 'binds here' <<<"$output" | grep -v '"full" binds here' | sed 's/: note: /: /' | sort -u) || true
    [ -n "$output" ] || return 0
    printf '%s\n' "$output"
    return 1
}

# run_all JOBS FILE... -- ARGUMENT...: the findings of all files, each once; the worst exit code.
run_all() {
    local jobs=$1 files=() worst=0 scratch
    shift
    while [ "$1" != -- ]; do
        files+=("$1")
        shift
    done
    shift
    scratch=$(mktemp -d)
    # xargs answers 0, or 123 for any failure: each run leaves its own code in a file.
    printf '%s\0' "${files[@]}" | LINT_AWAIT_SCRATCH=$scratch xargs -0 -P "$jobs" -I '{}' \
        bash "${BASH_SOURCE[0]}" --one '{}' "$@" || true
    [ "$(find "$scratch" -name '*.code' | wc -l)" -eq ${#files[@]} ] || worst=2
    cat "$scratch"/*.err >&2
    cat "$scratch"/*.out | sort -u
    local code
    while read -r code; do [ "$code" -le "$worst" ] || worst=$code; done < <(cat "$scratch"/*.code)
    rm -rf "$scratch"
    return "$worst"
}

# The compile commands of a build, without what only GCC knows, in a folder of its own.
clang_commands() {
    local build=$1 folder=$2
    [ -f "$build/compile_commands.json" ] || {
        printf '%s/compile_commands.json is missing: configure with CMAKE_EXPORT_COMPILE_COMMANDS=ON\n' "$build" >&2
        exit 2
    }
    sed -E 's/ -f(coroutines|concepts|concepts-ts|contracts|modules-ts|no-semantic-interposition)([ "])/\2/g
            s/ -fsanitize=[^ "]*//g; s/ -fno-sanitize-recover=[^ "]*//g' \
        "$build/compile_commands.json" >"$folder/compile_commands.json"
}

self_test() {
    local here known_bad wanted found
    here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
    known_bad=$here/lint_await_bad.cc
    [ -f "$known_bad" ] || known_bad=$here/../share/coracle/lint_await_bad.cc
    [ -f "$known_bad" ] || { printf 'the known-bad file is missing: %s\n' "$known_bad" >&2; exit 2; }
    wanted=$(grep -nE '// finds: ' "$known_bad" | sed -E 's|^([0-9]+):.*// finds: (.*)$|\1 \2|' | sort)
    found=$(run_query "$known_bad" -- -std=c++20) && found="" || [ $? -eq 1 ] || exit 2
    found=$(sed -E 's/^.*:([0-9]+):[0-9]+: "(.*)" binds here$/\1 \2/' <<<"$found" | sort -u)
    if [ "$wanted" != "$found" ]; then
        printf 'the lint does not find what it must (<) or finds more (>) in %s:\n' "$known_bad" >&2
        diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$found") >&2 || true
        exit 2
    fi
    # One mark for each matcher, or a matcher could stop working unnoticed.
    [ "$(cut -d' ' -f2- <<<"$wanted" | sort -u | wc -l)" -eq ${#matchers[@]} ] || {
        printf '%s has no line for some matcher\n' "$known_bad" >&2
        exit 2
    }
}

command -v "$query" >/dev/null || { printf '%s is missing (Debian: clang-tools-19)\n' "$query" >&2; exit 2; }

jobs=1 build="" files=() flags=()
case "${1:-}" in
    "" | -h | --help)
        usage
        exit 0
        ;;
    --self-test)
        self_test
        exit 0
        ;;
    --one)
        name=$(mktemp -u "$LINT_AWAIT_SCRATCH/XXXXXXXX")
        code=0
        (run_query "${@:2}") >"$name.out" 2>"$name.err" || code=$?
        printf '%s\n' "$code" >"$name.code"
        exit 0
        ;;
esac
while [ $# -gt 0 ]; do
    case "$1" in
        -j) jobs=$2 && shift 2 ;;
        -p) build=$2 && shift 2 ;;
        --)
            shift
            flags=(-- "$@")
            break
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *) files+=("$1") && shift ;;
    esac
done

if [ -n "$build" ]; then
    database=$(mktemp -d)
    trap 'rm -rf "$database"' EXIT
    clang_commands "$build" "$database"
    if [ ${#files[@]} -eq 0 ]; then
        mapfile -t files < <(sed -nE 's/^ *"file": "(.*)",?$/\1/p' "$database/compile_commands.json" | sort -u |
            tr '\n' '\0' | xargs -0 -r grep -slE '\bco_await\b')
        # A build without a coroutine has nothing to find.
        [ ${#files[@]} -gt 0 ] || exit 0
    fi
    flags=(-p "$database")
elif [ ${#flags[@]} -eq 0 ] || [ ${#files[@]} -eq 0 ]; then
    usage >&2
    exit 2
fi
code=0
run_all "$jobs" "${files[@]}" -- "${flags[@]}" || code=$?
exit "$code"
