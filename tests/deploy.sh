#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Shows that deploy/ works, without a container engine and without an image registry: the manifests match their
# schemas, buildah builds the Dockerfile's image on base images made by debootstrap, and its
# container reads a camera on this machine, over UDP and over TCP, and sends the heads to a broker. Not part of
# `make test`: it needs root, fetches packages and builds from scratch.
#
#   tests/deploy.sh
#
# Variables: CHROOTS, the folder that keeps the clean systems (default .setup/chroots); DEBIAN_MIRROR.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/chroot.sh
clip=.setup/clips/WolfgangLanger_Pexels.mp4

need_chroots
[ -s "$clip" ] || fail "no clip at $clip: run 'make clips'"
toolchain=$(rustc --print sysroot) || fail "no Rust: the base image uses this machine's"
build_chroot bookworm
build_chroot trixie

# Receives everything that is installed and built, and is deleted.
scratch=$(mktemp -d "$chroots/deploy.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT
mkdir "$scratch/storage"
cp tests/deploy/inside.sh "$scratch/storage/"

say 'Schema of Kubernetes'
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q --disable-pip-version-check kubernetes-validate==1.37.0
"$scratch/venv/bin/kubernetes-validate" --strict deploy/kubernetes.yaml

env -u PYTHONPATH /usr/bin/python3 tests/cameras/server.py 0 "$clip" >"$scratch/storage/port" &
server=$!
# Debian 12's buildah is too old to build in a chroot. Broker and container end with the script, also if it fails.
in_chroot trixie "$scratch/storage:/storage" "$chroots/bookworm:/bookworm" "$PWD:/src" "$toolchain:/rust" \
  /etc/ssl/certs:/certs -- timeout 7200 unshare --pid --fork --kill-child --mount-proc bash /storage/inside.sh

python3 - "$scratch/storage/lines.jsonl" <<'END'
import json, sys
frames = [json.loads(line) for line in open(sys.argv[1])]
for camera in ("gate", "yard"):
    heads = [len(frame["heads"]) for frame in frames if frame["source_name"] == camera]
    assert any(heads), f"expected heads of the camera {camera}, found {heads}"
    print(f"{camera}: {sum(heads)} heads in {len(heads)} lines.")
END
say 'The image builds, and its container runs and stops.'
