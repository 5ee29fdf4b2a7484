#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Installs missing system packages with apt; without the permission to do so it prints the
# command to run and stops. On other distributions it checks for the contents of the packages.
# Arguments: further packages, for targets that need more than the build does.
set -euo pipefail

packages=(
  gcc                              # links the plugin
  g++                              # tests that the C header works in C++ too
  libc6-dev                        # start-up files and headers for the linker
  pkg-config                       # locates GStreamer for the Rust bindings
  libgstreamer1.0-dev              # GStreamer core, base classes and its test library
  libgstreamer-plugins-base1.0-dev # gstreamer-video and gstreamer-app
  gstreamer1.0-tools               # gst-launch-1.0 and gst-inspect-1.0
  gstreamer1.0-plugins-base        # decodebin, videoconvert, videotestsrc
  gstreamer1.0-plugins-good        # MP4 and AVI containers, PNG, webcam (v4l2src), RTSP
  gstreamer1.0-plugins-bad         # h264parse
  gstreamer1.0-plugins-ugly        # x264enc
  gstreamer1.0-libav               # H.264 decoder
  python3-gi                       # reads the meta from Python: examples/python
  gir1.2-gstreamer-1.0             # GStreamer's bindings for it
  gir1.2-gst-rtsp-server-1.0       # cameras for the tests
  "$@"
)

# Not Debian or Ubuntu: check for the contents instead of the packages.
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  absent=()
  for tool in gcc pkg-config gst-launch-1.0 gst-inspect-1.0; do
    command -v "$tool" >/dev/null || absent+=("$tool")
  done
  for module in gstreamer-1.0 gstreamer-base-1.0 gstreamer-check-1.0 gstreamer-video-1.0 gstreamer-app-1.0; do
    pkg-config --atleast-version=1.22 "$module" 2>/dev/null || absent+=("$module.pc (1.22 or later)")
  done
  for element in decodebin qtdemux mp4mux h264parse avdec_h264 x264enc pngenc; do
    gst-inspect-1.0 --exists "$element" 2>/dev/null || absent+=("element $element")
  done
  python3 -c 'import gi; gi.require_version("Gst", "1.0")' 2>/dev/null || absent+=("Python's gi with Gst-1.0")
  if ((${#absent[@]})); then
    {
      echo "error: this system has no apt; install these yourself:"
      printf '  %s\n' "${absent[@]}"
      echo "On Debian 12 the packages are: ${packages[*]}"
    } >&2
    exit 1
  fi
  echo "System: no apt; GStreamer $(pkg-config --modversion gstreamer-1.0) and its plugins are present."
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "System packages: all present."
  exit 0
fi

install=(apt-get install -y --no-install-recommends "${missing[@]}")

give_up() {
  {
    echo "error: $1 Missing system packages: ${missing[*]}"
    echo "Run this as root, then try again:"
    echo
    echo "  apt-get update && ${install[*]}"
    echo
  } >&2
  exit 1
}

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || give_up "this needs root, and sudo is not installed."
  # Without a terminal the password cannot be entered.
  [ -t 0 ] || sudo -n true 2>/dev/null || give_up "this needs root, and sudo asks for a password but there is no terminal."
  as_root=(sudo)
fi

echo "== Installing ${#missing[@]} system packages: ${missing[*]}"
as_root+=(env DEBIAN_FRONTEND=noninteractive)
"${as_root[@]}" apt-get update -q || give_up "apt-get update failed. Check the network and apt's sources."
"${as_root[@]}" "${install[@]}" || give_up "apt-get install failed (the reason is above)."
