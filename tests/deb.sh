#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Shows that the Debian package of `make deb` works on a bare system: it is installed in a clean Debian 12
# in a chroot, finds the heads in a picture there, and is removed without a trace. Not part of `make test`: it
# needs root and fetches packages.
#
#   tests/deb.sh [PACKAGE.deb]      # default: the one in target/debian
#
# Variables: CHROOTS, the folder that keeps the clean system (default .setup/chroots); DEBIAN_MIRROR.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/chroot.sh
package=${1:-$(ls -t "${CARGO_TARGET_DIR:-target}"/debian/*.deb 2>/dev/null | head -n1 || true)}
picture=.setup/pictures/astronaut.png

need_chroots
[ -s "$package" ] || fail "no package at '$package': run 'make deb', or name one"
[ -s "$picture" ] || fail "no picture at $picture: run 'make pictures'"
build_chroot bookworm

# Receives the package's changes to the system, and is deleted.
scratch=$(mktemp -d "$chroots/deb.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/mnt"
cp "$package" "$picture" tests/deb/inside.sh "$scratch/mnt/"
chmod -R a+rwX "$scratch/mnt"
in_chroot bookworm "$scratch/mnt:/mnt" -- timeout 900 bash /mnt/inside.sh

python3 - "$scratch/mnt/poses.jsonl" <<'END'
import json, math, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 1, f"expected one frame, found {len(lines)}"
frame, heads = lines[0]["frame"], lines[0]["heads"]
assert (frame["width"], frame["height"]) == (512, 512), frame
assert len(heads) == 1, f"expected the astronaut's head alone, found {heads}"
head = heads[0]
box = head["box"]
# Her nose is at 225, 120; she faces the camera, turned a little.
assert box["x"] < 225 < box["x"] + box["w"] and box["y"] < 120 < box["y"] + box["h"], box
assert all(math.isfinite(head[angle]) and abs(head[angle]) < 45 for angle in ("yaw", "pitch", "roll")), head
print(f"One head: box {box}, yaw {head['yaw']:.1f}, pitch {head['pitch']:.1f}, roll {head['roll']:.1f}.")
END
say "$(basename "$package") installs, runs and is removed cleanly."
