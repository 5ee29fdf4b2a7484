#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Makes ONNX Runtime available to the plugin. Arguments: the Python to use, cargo's target folder.
#
# Uses the first of: ORT_DYLIB_PATH; the library fetched by an earlier run; one known to the system's
# loader, if it is recent enough; the pinned one of the PyPI wheel, fetched now. All except the first,
# which the plugin reads itself, are linked beside the plugin.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
target=$2
# The oldest whose API the crate accepts (`api-17` in Cargo.toml).
oldest=1.17

fetched() { compgen -G "$PWD/.setup/onnxruntime/libonnxruntime.so.*" | head -n1 || true; }

of_the_system() {
  local library version
  while read -r library; do
    version=$(readlink -f "$library" | sed -n 's/.*libonnxruntime\.so\.\([0-9.]*\)$/\1/p')
    if [ -n "$version" ] && printf '%s\n' "$oldest" "$version" | sort -VC; then
      echo "$library"
      return
    fi
  done < <(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | awk '/libonnxruntime\.so/ { print $NF }')
}

if [ -n "${ORT_DYLIB_PATH:-}" ]; then
  if [ ! -f "$ORT_DYLIB_PATH" ]; then
    echo "error: expected ORT_DYLIB_PATH to name a file, found none at $ORT_DYLIB_PATH. Correct it, or unset it to use the library that make fetches." >&2
    exit 1
  fi
  echo "ONNX Runtime: $ORT_DYLIB_PATH (ORT_DYLIB_PATH)."
  exit 0
fi

library=$(fetched)
[ -n "$library" ] || library=$(of_the_system)
if [ -z "$library" ]; then
  echo "== ONNX Runtime"
  "$python" setup/fetch.py setup/downloads.toml --group runtime
  library=$(fetched)
fi
if [ -z "$library" ]; then
  echo "error: expected ONNX Runtime in .setup/onnxruntime after fetching it, found none. Run 'make distclean' and try again, or set ORT_DYLIB_PATH to a libonnxruntime.so of version $oldest or later." >&2
  exit 1
fi
echo "ONNX Runtime: $library."

# Also in deps/, for the test programs that link the plugin's code. The name ends in .1 because
# GStreamer's scanner would load a plain .so in a plugin folder as a plugin.
for profile in debug release; do
  for folder in "$target/$profile" "$target/$profile/deps"; do
    mkdir -p "$folder"
    ln -sfn "$library" "$folder/libonnxruntime.so.1"
  done
done
