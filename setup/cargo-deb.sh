#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Builds the Debian package from the finished build: stages the parts that cargo does not build, and runs cargo-deb
# (a pinned version, kept in .setup/). Arguments: the Python to use, the folder for the package.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
output=$2
version=3.6.0
tools=$PWD/.setup/cargo

command -v dpkg-shlibdeps >/dev/null || {
  echo "error: dpkg-shlibdeps, which finds the packages to depend on, is missing. On Debian: apt-get install dpkg-dev" >&2
  exit 1
}
[ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" = "cargo-deb $version" ] ||
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --force --root "$tools" "cargo-deb@$version"

# The pinned ONNX Runtime, not the system's, which belongs to another package.
stage=.setup/deb
rm -rf "$stage"
mkdir -p "$stage"
"$python" setup/fetch.py setup/downloads.toml --group runtime --group notices
cp .setup/onnxruntime/libonnxruntime.so.* "$stage/libonnxruntime.so.1"
"$python" setup/crate_notices.py "$stage/crates.txt"

# The library folder contains the architecture's name, as Debian requires.
PATH=$tools/bin:$PATH cargo deb --quiet --no-build --locked --multiarch=foreign --output "$output/"
