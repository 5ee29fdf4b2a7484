#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs the tests with pipelines and harnesses under GStreamer's own leak tracer: no element, pad, buffer, event
# or caps may remain at the end. Needs what `make test` builds and fetches.
set -euo pipefail
cd "$(dirname "$0")/.."
# The tracer's findings are warnings.
unset G_DEBUG

# Without those that start processes, which would be traced too, and without the long ones.
tests=(buffers composition dmheadposejson dmheadposeoverlay formats fusion interop lifecycle live
  messages meta overlay pipeline_depth privacy properties smoothing storm tracking)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
leaky=0

cargo test --quiet --locked --no-run --test leak_tracer "${tests[@]/#/--test=}"

# Tests the tracer first: it must detect a pipeline that is never released.
for test in leak_tracer "${tests[@]}"; do
  : >"$log"
  status=0
  GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=$log \
    cargo test --quiet --locked --test "$test" || status=$?
  ((status == 0)) || exit "$status"
  alive=$(grep -c ': object-alive, type-name=(string)[A-Za-z]' "$log" || true)
  if [ "$test" = leak_tracer ]; then
    ((alive > 0)) || { echo "error: the leak tracer did not detect a deliberate leak" >&2; exit 1; }
  elif ((alive > 0)); then
    echo "error: $test leaked $alive objects:" >&2
    grep -o 'object-alive, type-name=.*' "$log" | cut -c1-200 | sort | uniq -c | head -20 >&2
    leaky=1
  else
    echo "$test: no leaks"
  fi
done
exit "$leaky"
