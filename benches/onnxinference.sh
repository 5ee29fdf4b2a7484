#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Compares GStreamer's own onnxinference with dmheadpose, both with the ONNX Runtime of Debian forky, in a
# chroot. Not part of `make bench`: it needs root, and fetches 300 MB the first time.
#
#   benches/onnxinference.sh [--rounds N] [--frames N]
#
# Variables: CHROOTS, the folder that keeps the chroots (default .setup/chroots); PLUGIN, the plugin file
# (default target/release/libgstdmheadpose.so); DEBIAN_MIRROR.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/chroot.sh
plugin=$(realpath -m "${PLUGIN:-${CARGO_TARGET_DIR:-target}/release/libgstdmheadpose.so}")
model=models/whenet_Nx3x224x224_prepost.onnx
need_chroots
[ -s "$plugin" ] || fail "no plugin at $plugin: run 'make build', or set PLUGIN"
[ -s "$model" ] || fail "no model at $model: run 'make models'"
build_newer_gstreamer forky

# onnxinference needs a description of the model's tensors in a file beside it.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$model" "$folder/pose.onnx"
cat >"$folder/pose.onnx.modelinfo" <<'INFO'
[modelinfo]
version=1.0
group-id=whenet

[input]
id=whenet-input
type=float32
dims=-1,3,224,224
dims-order=row-major
dir=input
ranges=0.0,255.0;0.0,255.0;0.0,255.0

[yaw_roll_pitch]
id=whenet-output
type=float32
dims=-1,3
dims-order=row-major
dir=output
INFO

# While the registry is being written, the onnx plugin prints hundreds of harmless lines.
in_chroot forky "$PWD:/mnt/dmheadpose" "$(dirname "$plugin"):/mnt/plugin" "$folder:/mnt/model" -- \
  timeout 900 env GST_PLUGIN_PATH=/mnt/plugin GST_REGISTRY=/tmp/registry.bin sh -c '
    exec python3 -B /mnt/dmheadpose/benches/onnxinference.py /mnt/model/pose.onnx \
      "$(ls /usr/lib/*/libonnxruntime.so.1.* | head -n 1)" "$@"' sh "$@" \
  2> >(grep -v -e '^Schema error: ' -e '^$' >&2)
