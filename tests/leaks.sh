#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs the tests with pipelines and harnesses under GStreamer's own leak tracer: no element, pad, buffer, event
# or caps may remain at the end. Needs what `make test` builds and fetches.
set -euo pipefail
cd "$(dirname "$0")/.."
# The tracer's findings are warnings.
unset G_DEBUG

# Not the tests that start processes, which would be traced too.
tests=(element live meta models overlay tracking)
skipped=(--skip c_header::)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
leaky=0

cargo test --quiet --locked --no-run "${tests[@]/#/--test=}"

# The tracer itself, before it is believed: a pipeline that is never let go is seen.
for test in leak "${tests[@]}"; do
  : >"$log"
  status=0
  if [ "$test" = leak ]; then
    what=(--test element -- --ignored leak::)
  else
    what=(--test "$test" -- "${skipped[@]}")
  fi
  GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=$log \
    cargo test --quiet --locked "${what[@]}" || status=$?
  ((status == 0)) || exit "$status"
  alive=$(grep -c ': object-alive, type-name=(string)[A-Za-z]' "$log" || true)
  if [ "$test" = leak ]; then
    ((alive > 0)) || { echo "error: the leak tracer saw nothing of a leak made on purpose" >&2; exit 1; }
  elif ((alive > 0)); then
    echo "error: $test leaked $alive objects:" >&2
    grep -o 'object-alive, type-name=.*' "$log" | cut -c1-200 | sort | uniq -c | head -20 >&2
    leaky=1
  else
    echo "$test: no leaks"
  fi
done
exit "$leaky"
