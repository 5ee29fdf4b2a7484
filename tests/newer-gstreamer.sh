#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Shows that the plugin built here runs on newer GStreamer too: Debian trixie (1.26) and forky (1.28), each in
# a chroot, with the very same plugin file. Not part of `make test`: it needs root and fetches 300 MB a suite
# the first time.
#
#   tests/newer-gstreamer.sh [trixie] [forky]      # both by default
#
# Variables: CHROOTS, the folder that keeps the chroots (default .setup/chroots); PLUGIN, the plugin file
# (default target/release/libgstdmheadpose.so); DEBIAN_MIRROR. Pictures to look at are left in OUTPUT (default
# .setup/newer-gstreamer).
set -euo pipefail
cd "$(dirname "$0")/.."
chroots=$(realpath -m "${CHROOTS:-.setup/chroots}")
plugin=$(realpath -m "${PLUGIN:-${CARGO_TARGET_DIR:-target}/release/libgstdmheadpose.so}")
output=$(realpath -m "${OUTPUT:-.setup/newer-gstreamer}")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
clip=.setup/clips/WolfgangLanger_Pexels.mp4
packages=(
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
)

say() { printf '\n== %s\n' "$1"; }

fail() {
  echo "error: $1" >&2
  exit 1
}

# Runs a command in the chroot of a suite. /proc and the folders given before `--` as from:to are mounted for
# it in a mount namespace of its own: they are gone with the command, however it ends.
in_chroot() {
  local root=$chroots/$1 mounts=()
  shift
  while [ "$1" != -- ]; do
    mounts+=("$1")
    shift
  done
  shift
  unshare --mount --propagation private bash -euc '
    root=$1 n=$2
    shift 2
    mount -t proc proc "$root/proc"
    for ((; n > 0; n--)); do
      mkdir -p "$root${1#*:}"
      mount --bind "${1%%:*}" "$root${1#*:}"
      shift
    done
    exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"
  ' bash "$root" "${#mounts[@]}" "${mounts[@]}" "$@"
}

# Makes the chroot of a suite unless it is there; a build that was cut short is begun anew.
build() {
  local suite=$1 root=$chroots/$1 log=$chroots/$1.log
  [ ! -e "$root/.complete" ] || return 0
  say "Chroot of Debian $suite in $root (some minutes, log in $log)"
  rm -rf "$root"
  mkdir -p "$chroots"
  # A debootstrap older than the suite knows neither its keys nor its script; trixie has forky's keys.
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ "$suite" != forky ] || keyring=$chroots/trixie$keyring
  debootstrap --variant=minbase --keyring="$keyring" "$suite" "$root" "$mirror" \
    /usr/share/debootstrap/scripts/sid >"$log" 2>&1 || fail "debootstrap failed: see $log"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # A mirror that is a snapshot is past its date.
  in_chroot "$suite" -- sh -ec "
    echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/90snapshot
    apt-get update
    apt-get install -y --no-install-recommends ${packages[*]}
    apt-get clean" >>"$log" 2>&1 || fail "the packages could not be installed: see $log"
  touch "$root/.complete"
}

run() {
  local suite=$1 pictures=$output/$1
  mkdir -p "$pictures"
  rm -f "$pictures"/*
  local inside=(
    in_chroot "$suite" "$PWD:/mnt/dmheadpose" "$(dirname "$plugin"):/mnt/plugin" "$pictures:/mnt/output" --
    timeout 600 env GST_PLUGIN_PATH=/mnt/plugin GST_REGISTRY=/tmp/registry.bin
    DMHEADPOSE_MODELS_DIR=/mnt/dmheadpose/models
  )
  # This writes the registry, during which GStreamer's own ONNX plugin prints hundreds of harmless lines.
  "${inside[@]}" gst-inspect-1.0 dmheadpose >"$pictures/gst-inspect.log" 2>&1 ||
    fail "on $suite GStreamer does not load the plugin: see $pictures/gst-inspect.log"
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
[ "$(id -u)" = 0 ] || fail "chroots need root: run it by sudo"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
[ -s "$plugin" ] || fail "no plugin at $plugin: run 'make build', or set PLUGIN"
[ -s "$clip" ] || fail "no video at $clip: run 'make clips'"

for suite in "${suites[@]}"; do
  build trixie
  build "$suite"
  run "$suite"
done
say 'The same plugin file runs on each of them.'
