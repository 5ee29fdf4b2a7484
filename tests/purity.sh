#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Keeps the layers apart: the estimator and the drawing do not use GStreamer, and only one folder imports ONNX Runtime.
set -euo pipefail
cd "$(dirname "$0")/.."

# Prints the lines with a path of one of the crates, except comments.
uses() {
  grep -rnE "(^|[^A-Za-z0-9_:\"])($1)(::|;| as )" "${@:2}" --include='*.rs' | grep -vE '^[^:]*:[0-9]*:\s*//' || true
}

status=0
found=$(uses 'gst|gst_[a-z_]+|glib|gstreamer[a-z_]*' src/estimator src/draw)
if [ -n "$found" ]; then
  printf 'error: the estimator and the drawing are pure Rust; GStreamer and GLib belong outside src/estimator and src/draw:\n%s\n' "$found" >&2
  status=1
fi
found=$(uses ort src | grep -v '^src/estimator/onnx/' || true)
if [ -n "$found" ]; then
  printf 'error: only src/estimator/onnx imports ort:\n%s\n' "$found" >&2
  status=1
fi
((status)) || echo "Layers: the estimator and the drawing are free of GStreamer, only onnx/ imports ort."
exit $status
