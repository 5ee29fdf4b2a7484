#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# gst-inspect-1.0 must load the plugin and describe its elements without ONNX Runtime and
# without models. Argument: the plugin file.
set -euo pipefail
plugin=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "error: $1" >&2
  exit 1
}

# A copy, because an ONNX Runtime is beside the original.
cp "$plugin" "$folder/"
inspect() {
  GST_PLUGIN_PATH=$folder GST_REGISTRY=$folder/registry.bin ORT_DYLIB_PATH=$folder/none.so \
    DMHEADPOSE_MODELS_DIR=$folder/none gst-inspect-1.0 --no-colors "$@" 2>"$folder/stderr"
}

inspect dmheadpose >"$folder/dmheadpose" || fail "gst-inspect-1.0 dmheadpose returned $?: $(cat "$folder/stderr")"
inspect dmheadposejson >"$folder/dmheadposejson" || fail "gst-inspect-1.0 dmheadposejson returned $?: $(cat "$folder/stderr")"
inspect dmheadposeoverlay >"$folder/dmheadposeoverlay" || fail "gst-inspect-1.0 dmheadposeoverlay returned $?: $(cat "$folder/stderr")"
[ ! -s "$folder/stderr" ] || fail "gst-inspect-1.0 wrote to stderr: $(cat "$folder/stderr")"

for property in detector-model pose-model models-dir mode detector-family pose-family head-class \
  onnxruntime-library intra-op-threads score-threshold crop-mode max-heads heads-from object-class meta-format \
  overlay post-messages stats; do
  grep -qE "^  $property +: " "$folder/dmheadpose" || fail "dmheadpose has no property $property"
done
grep -q 'Filter/Analyzer/Video' "$folder/dmheadpose" || fail "expected dmheadpose to have the class Filter/Analyzer/Video"
grep -q '"head-poses"' "$folder/dmheadpose" || fail "dmheadpose has no signal head-poses"
grep -q 'application/x-ndjson' "$folder/dmheadposejson" || fail "dmheadposejson has no application/x-ndjson pad"

# A property without a description, a range or a default appears as one of these.
grep -nE ': *$|\(null\)' <(sed -n '/^Element Properties:/,/^Element Signals:/p' "$folder/dmheadpose" | grep -E '^  [a-z]') &&
  fail "dmheadpose has a property without description"
echo "gst-inspect-1.0: dmheadpose ($(grep -cE '^  [a-z0-9-]+ +: ' "$folder/dmheadpose") properties), dmheadposejson and dmheadposeoverlay load without ONNX Runtime."
