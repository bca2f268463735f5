#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages named as arguments, as root, and lets none of them start a daemon.
#
# A package's install script asks /usr/sbin/policy-rc.d whether it may start its service; ours says no (101). The file
# that was there before, or its absence, is restored on every way out. Should this script be killed outright, the next
# run knows its own file by its mark and removes it.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
mark="# coracle: no daemon starts while test packages are being installed"
[ $# -gt 0 ] || exit 0

exec 9>/run/lock/coracle-install
flock 9

is_ours() { [ -f "$policy" ] && grep -qF "$mark" "$policy"; }

restore() {
    if is_ours; then rm -f "$policy"; fi
    if [ -e "$policy.coracle-kept" ]; then mv -f "$policy.coracle-kept" "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM HUP

restore
if [ -e "$policy" ]; then mv "$policy" "$policy.coracle-kept"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "$@" </dev/null
