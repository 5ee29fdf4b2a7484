#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Shows that the plugin built here also runs on newer GStreamer: Debian trixie (1.26) and forky (1.28), each in
# a chroot, with the same plugin file. Not part of `make test`: it needs root and fetches 300 MB per suite
# the first time.
#
#   tests/newer-gstreamer.sh [trixie] [forky]      # both by default
#
# Variables: CHROOTS, the folder that keeps the chroots (default .setup/chroots); PLUGIN, the plugin file
# (default target/release/libgstdmheadpose.so); DEBIAN_MIRROR. Pictures for inspection are written to OUTPUT (default
# .setup/newer-gstreamer).
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/chroot.sh
plugin=$(realpath -m "${PLUGIN:-${CARGO_TARGET_DIR:-target}/release/libgstdmheadpose.so}")
output=$(realpath -m "${OUTPUT:-.setup/newer-gstreamer}")
clip=.setup/clips/WolfgangLanger_Pexels.mp4

run() {
  local suite=$1 pictures=$output/$1
  mkdir -p "$pictures"
  rm -f "$pictures"/*
  local inside=(
    in_chroot "$suite" "$PWD:/mnt/dmheadpose" "$(dirname "$plugin"):/mnt/plugin" "$pictures:/mnt/output" --
    timeout 600 env GST_PLUGIN_PATH=/mnt/plugin GST_REGISTRY=/tmp/registry.bin
    DMHEADPOSE_MODELS_DIR=/mnt/dmheadpose/models
  )
  # This writes the registry, while GStreamer's own ONNX plugin prints hundreds of harmless lines.
  "${inside[@]}" gst-inspect-1.0 dmheadpose >"$pictures/gst-inspect.log" 2>&1 ||
    fail "GStreamer on $suite does not load the plugin: see $pictures/gst-inspect.log"
  say "Debian $suite: $("${inside[@]}" gst-launch-1.0 --version | sed -n 2p)"
  "${inside[@]}" python3 -B /mnt/dmheadpose/tests/newer-gstreamer/check.py "/mnt/dmheadpose/$clip" /mnt/output \
    2> >(grep -v -e '^Schema error: ' -e '^$' >&2) ||
    fail "on $suite: see above"
  echo "Pictures in $pictures."
}

suites=("$@")
((${#suites[@]})) || suites=(trixie forky)
for suite in "${suites[@]}"; do
  [[ $suite == trixie || $suite == forky ]] || fail "expected trixie or forky, found $suite"
done
need_chroots
[ -s "$plugin" ] || fail "no plugin at $plugin: run 'make build', or set PLUGIN"
[ -s "$clip" ] || fail "no video at $clip: run 'make clips'"

for suite in "${suites[@]}"; do
  build_newer_gstreamer "$suite"
  run "$suite"
done
say 'The same plugin file runs on each of them.'
