#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The part of tests/deb.sh that runs in the clean system, where /mnt has the package and a picture.
set -euo pipefail
cd /mnt
# A system with a normal user, as usual: nothing below needs root except apt.
as_user() { setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/nonexistent XDG_CACHE_HOME=/mnt "$@"; }
say() { printf '\n-- %s\n' "$1"; }

say 'Installing the package with what it depends on, and no more'
apt-get update -q
apt-get install -q -y --no-install-recommends ./*.deb
echo "$(dpkg-query -W -f='${Package} ${Version}, ${Installed-Size} KiB' gstreamer1.0-dmheadpose)"
dpkg-query -W -f='Depends: ${Depends}\n' gstreamer1.0-dmheadpose
mapfile -t files < <(dpkg -L gstreamer1.0-dmheadpose)
for file in "${files[@]}"; do
  case $file in
    *.so | *.so.1 | /usr/bin/*) ! ldd "$file" | grep 'not found' ;;
  esac
  [ ! -f "$file" ] || as_user test -r "$file"
done
as_user dmheadpose-models check /usr/share/dmheadpose/models/*.onnx

say 'With the tools of GStreamer and its PNG decoder'
apt-get install -q -y --no-install-recommends gstreamer1.0-tools gstreamer1.0-plugins-good >/dev/null
as_user gst-inspect-1.0 dmheadpose >inspect.txt 2>inspect.err
sed -n '1,/^$/p' inspect.txt
grep -E '^  (Filename|Version|License) ' inspect.txt
[ ! -s inspect.err ] || { cat inspect.err; exit 1; }

say 'A picture'
as_user gst-launch-1.0 filesrc location=astronaut.png ! pngdec ! videoconvert ! dmheadpose ! dmheadposejson \
  ! filesink location=poses.jsonl

say 'Removing it'
apt-get purge -q -y gstreamer1.0-dmheadpose >/dev/null
for file in "${files[@]}"; do
  [ -d "$file" ] || [ ! -e "$file" ] || { echo "error: $file remains after purge"; exit 1; }
done
