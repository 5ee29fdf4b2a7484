#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Makes the Debian package of what is built: stages the parts that cargo does not build, and runs cargo-deb (its
# pinned version, kept in .setup/). Arguments: the Python to use, the folder for the package.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
output=$2
version=3.6.0
tools=$PWD/.setup/cargo

command -v dpkg-shlibdeps >/dev/null || {
  echo "error: dpkg-shlibdeps is missing, it finds the packages to depend on. On Debian: apt-get install dpkg-dev" >&2
  exit 1
}
[ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" = "cargo-deb $version" ] ||
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --force --root "$tools" "cargo-deb@$version"

# The pinned ONNX Runtime, not one of the system: that would be another package's.
stage=.setup/deb
rm -rf "$stage"
mkdir -p "$stage"
"$python" setup/fetch.py setup/downloads.toml --group runtime --group notices
cp .setup/onnxruntime/libonnxruntime.so.* "$stage/libonnxruntime.so.1"
"$python" setup/crate_notices.py "$stage/crates.txt"

# The folder of the libraries has the name of the architecture in it, as Debian wants it.
PATH=$tools/bin:$PATH cargo deb --quiet --no-build --locked --multiarch=foreign --output "$output/"
