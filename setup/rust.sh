#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Checks that Rust is installed and recent enough for the crate. Arguments: further cargo tools to check for
# (rustfmt, clippy).
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
advice="Install it from https://rustup.rs (then: rustup toolchain install stable && rustup default stable); Debian 12's own rustc is too old."

if ! command -v cargo >/dev/null || ! found=$(rustc --version 2>/dev/null); then
  echo "error: Rust $wanted or later is needed, but cargo and rustc were not found in PATH. $advice" >&2
  exit 1
fi
version=$(awk '{ print $2 }' <<<"$found")
oldest=$(printf '%s\n' "$wanted" "${version%%-*}" | sort -V | head -n1)
if [ "$oldest" != "$wanted" ]; then
  echo "error: Rust $wanted or later is needed, found $found. $advice" >&2
  exit 1
fi
for tool in "$@"; do
  case $tool in
    rustfmt) program=cargo-fmt ;;
    *) program=cargo-$tool ;;
  esac
  if ! command -v "$program" >/dev/null; then
    echo "error: $program is missing. Add it: rustup component add $tool" >&2
    exit 1
  fi
done
(($#)) || echo "Rust: $version."
