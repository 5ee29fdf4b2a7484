#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Sees to it that the plugin finds ONNX Runtime. Arguments: the Python to use, cargo's target folder.
#
# Taken is the first of: ORT_DYLIB_PATH; the library an earlier run fetched; one the system's loader
# knows, if it is recent enough; the pinned one of the PyPI wheel, fetched now. All but the first,
# which the plugin reads by itself, are linked beside the plugin.
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
    echo "error: ORT_DYLIB_PATH names no file: $ORT_DYLIB_PATH. Correct it, or unset it to use the library that make fetches." >&2
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
  echo "error: no ONNX Runtime in .setup/onnxruntime after fetching it. Run 'make distclean' and try again, or set ORT_DYLIB_PATH to a libonnxruntime.so of version $oldest or later." >&2
  exit 1
fi
echo "ONNX Runtime: $library."

# deps/ too: there are the test programs, into which the plugin's code is linked. The name ends in .1
# because GStreamer's scanner would load a plain .so from a plugin folder as if it were a plugin.
for profile in debug release; do
  for folder in "$target/$profile" "$target/$profile/deps"; do
    mkdir -p "$folder"
    ln -sfn "$library" "$folder/libonnxruntime.so.1"
  done
done
