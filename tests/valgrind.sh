#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs the tests of the meta and of the element under valgrind: no invalid access, no use of uninitialised
# memory, no leaks. tests/valgrind.supp lists findings in other libraries. Takes some minutes; needs
# valgrind and what `make test` builds and fetches.
set -euo pipefail
cd "$(dirname "$0")/.."

glib=/usr/share/glib-2.0/valgrind/glib.supp
suppressions=(--suppressions=tests/valgrind.supp)
[ ! -r "$glib" ] || suppressions+=(--suppressions="$glib")

# G_SLICE, so that each block is checked separately; tests run in sequence, because valgrind has one thread.
export G_SLICE=always-malloc G_DEBUG=gc-friendly
program() {
  cargo test --locked --no-run --message-format=json "$@" 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}
check() {
  local name=$1 file=$2
  shift 2
  echo "== $name"
  valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --num-callers=30 "${suppressions[@]}" \
    "$file" --test-threads=1 "$@"
}

check 'meta (units)' "$(program --lib)" headposemeta::
check 'meta (element)' "$(program --test meta)" transforms::
check 'buffers' "$(program --test element)" buffers::
check 'frames in flight' "$(program --test live)" pipeline_depth::
# A network that is slow on purpose takes minutes here.
check 'live' "$(program --test live)" held:: --skip a_frame_past_its_deadline_does_not_wait_for_its_inference
echo '== valgrind found nothing'
