#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs the tests in which several threads meet (frames in flight, held results, shared sessions, starts and stops, and
# the estimator's own) under ThreadSanitizer: no data races. The standard library is built for it as well, because its
# locks would be taken for races otherwise. tests/tsan.c tells it about the locks of GLib and GStreamer, and
# tests/tsan.supp lists what it cannot see in other libraries. Needs gcc, what `make test` fetches, and a nightly Rust
# with the standard library's source:
#
#   rustup toolchain install nightly --component rust-src
#
# The first run takes as long as a clean build, half an hour and more on two busy cores; later ones take some minutes.
#
# Variables: TOOLCHAIN, the name of that toolchain (default nightly). RUSTC, another compiler, such as Debian's rustc-web
# with rust-web-src: its sysroot has to contain its own source and the sanitizer's runtime (librustc-*_rt.tsan.a), and
# if it is no nightly, RUSTC_BOOTSTRAP=1 lets it use the options.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/tsan
# The two functions are called from the library that is preloaded.
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer \
-Clink-arg=-Wl,--export-dynamic-symbol=__tsan_acquire,--export-dynamic-symbol=__tsan_release"
programs=$(cargo "+${TOOLCHAIN:-nightly}" test --locked --no-run -Zbuild-std \
  --target "$(uname -m)-unknown-linux-gnu" --lib --test element --test live --test processes \
  --message-format=json-render-diagnostics | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
preload=$CARGO_TARGET_DIR/libtsan-glib.so
read -ra flags < <(pkg-config --cflags gstreamer-1.0)
gcc -O1 -g -fPIC -shared -Wall -Wextra -Werror "${flags[@]}" tests/tsan.c -o "$preload"

# So that memory which GLib frees is known to be free.
export G_SLICE=always-malloc
# Tests that start a copy of themselves fail with the copy, whose report they print.
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp exitcode=66 history_size=4"
run() {
  local program
  program=$(grep "/$1-[0-9a-f]*\$" <<<"$programs")
  shift
  LD_PRELOAD=$preload "$program" "$@"
}

# The sanitizer itself, before it is believed: a race made on purpose is seen.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
run element --ignored race:: >"$log" 2>&1 || status=$?
if ((status != 66)) || ! grep -q 'WARNING: ThreadSanitizer: data race' "$log"; then
  cat "$log" >&2
  echo "error: ThreadSanitizer saw nothing of a race made on purpose" >&2
  exit 1
fi

check() {
  echo "== $*"
  run "$@"
}
check gstdmheadpose estimator::
check live pipeline_depth::
check live held::
check element sessions:: lifecycle:: storm::
check processes cycles::
echo '== ThreadSanitizer found nothing'
