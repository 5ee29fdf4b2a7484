#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Debian chroots for the scripts in this folder, which source this file: created once, kept in the folder $chroots
# (.setup/chroots, or the variable CHROOTS), and entered without leaving mounts behind. Needs root.
chroots=$(realpath -m "${CHROOTS:-.setup/chroots}")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

say() { printf '\n== %s\n' "$1"; }

fail() {
  echo "error: $1" >&2
  exit 1
}

need_chroots() {
  [ "$(id -u)" = 0 ] || fail "chroots need root: run it with sudo"
  command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
}

# Runs a command in the chroot of a suite. /proc and the folders given before `--` as from:to are mounted for
# it in a separate mount namespace, which ends with the command. With $scratch set to a folder, the chroot
# itself stays unchanged: the command's changes go to that folder.
in_chroot() {
  local root=$chroots/$1 mounts=()
  shift
  while [ "$1" != -- ]; do
    mounts+=("$1")
    shift
  done
  shift
  unshare --mount --propagation private bash -euc '
    root=$1 scratch=$2 n=$3
    shift 3
    if [ -n "$scratch" ]; then
      mkdir -p "$scratch"/upper "$scratch"/work "$scratch"/root
      mount -t overlay overlay -o "lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
      root=$scratch/root
    fi
    mount -t proc proc "$root/proc"
    for ((; n > 0; n--)); do
      mkdir -p "$root${1#*:}"
      mount --bind "${1%%:*}" "$root${1#*:}"
      shift
    done
    exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"
  ' bash "$root" "${scratch:-}" "${#mounts[@]}" "${mounts[@]}" "$@"
}

# Creates the chroot of a suite with these packages unless it exists; an interrupted build is restarted.
build_chroot() {
  local suite=$1 root=$chroots/$1 log=$chroots/$1.log
  shift
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
  # Not every name server knows it.
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  # A snapshot mirror has an expired date.
  in_chroot "$suite" -- sh -ec "
    echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/90snapshot
    apt-get update
    [ $# = 0 ] || apt-get install -y --no-install-recommends $*
    apt-get clean" >>"$log" 2>&1 || fail "the packages could not be installed: see $log"
  touch "$root/.complete"
}

# Creates the chroots of suites with a GStreamer newer than bookworm's; trixie's comes first, for forky's keys.
build_newer_gstreamer() {
  local suite packages=(
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
  )
  for suite in trixie "$@"; do
    build_chroot "$suite" "${packages[@]}"
  done
}
