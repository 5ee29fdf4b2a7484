#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs a command and another one beside it, whose output is shown when both are done. Fails where one of them fails.
#
#   tests/side-by-side.sh COMMAND OTHER      # lines for the shell
set -uo pipefail
log=$(mktemp)
# A process group of its own, so that all of it can be stopped.
set -m
bash -euc "$2" </dev/null >"$log" 2>&1 &
other=$!
trap 'kill -- -$other 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 130' INT TERM

status=0
bash -euc "$1" || status=$?
wait "$other" || status=$?
cat "$log"
exit "$status"
