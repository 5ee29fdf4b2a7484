#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The part of tests/deploy.sh that runs in the chroot: /src has the repository, /rust a Rust toolchain, /bookworm a
# clean Debian 12, /certs the certificates, /storage is for images and results.
set -euo pipefail
cd /storage
say() { printf '\n-- %s\n' "$1"; }

say 'Tools'
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends buildah netavark docker-compose mosquitto mosquitto-clients openssl procps \
  >tools.log 2>&1 || { tail tools.log; exit 1; }
printf '[storage]\ndriver = "overlay"\ngraphroot = "/storage/images"\nrunroot = "/storage/run"\n' >storage.conf
# At most what this machine allows.
printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
  "$(ulimit -Hn)" "$(ulimit -Hn)" "$(ulimit -Hu)" "$(ulimit -Hu)" >containers.conf
export CONTAINERS_STORAGE_CONF=/storage/storage.conf CONTAINERS_CONF=/storage/containers.conf BUILDAH_ISOLATION=chroot

say 'Compose file'
cp -r /src/deploy deploy
# The container uses this machine's network.
deploy/make-secrets.sh localhost entrance hall
docker-compose -f deploy/compose.yaml config --quiet

say 'Base images'
base=$(buildah from scratch)
buildah add -q "$base" /bookworm / >/dev/null
buildah commit -q "$base" docker.io/library/debian:bookworm-slim
buildah run "$base" sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends ca-certificates gcc libc6-dev make' \
  >base.log 2>&1 || { tail base.log; exit 1; }
buildah config --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$base"
buildah commit -q --rm "$base" "docker.io/library/$(sed -n 's/^FROM \(rust:[^ ]*\) .*/\1/p' /src/deploy/Dockerfile)"

say 'Image of the Dockerfile (many minutes)'
buildah build --pull=never -f /src/deploy/Dockerfile -t dmheadpose -v /rust:/usr/local/rust:ro \
  -v /certs:/etc/ssl/certs:ro /src >build.log 2>&1 || { tail -n 30 build.log; exit 1; }

say 'A container'
# A port that a broker on this machine is unlikely to use.
secrets=/storage/deploy/secrets
sed "s#/run/secrets#$secrets#; s/8883/18830/" deploy/mosquitto.conf >mosquitto.conf
chown mosquitto "$secrets" "$secrets"/broker.* "$secrets/passwords"
mosquitto -c mosquitto.conf >broker.log 2>&1 &
timeout 60 bash -c 'until (: </dev/tcp/127.0.0.1/18830) 2>/dev/null; do sleep 0.1; done' ||
  { cat broker.log; exit 1; }
address=127.0.0.1:$(cat port)/stream
mkdir headpose
printf '%s\n' "gate=rtspu://$address" "yard=rtspt://$address" >headpose/cameras
sed 's/8883/18830/' "$secrets/entrance/mosquitto_pub" >headpose/mosquitto_pub
cp "$secrets/ca.crt" headpose/
chown -R 10001 headpose
mkdir reader
sed "s#/etc/headpose#$PWD/headpose#" headpose/mosquitto_pub >reader/mosquitto_sub
XDG_CONFIG_HOME=$PWD/reader timeout 300 mosquitto_sub -t heads/test -C 100 >lines.jsonl &
lines=$!
container=$(buildah from --pull=never dmheadpose)
# buildah does not combine entry point and command, as engines do.
part() { buildah inspect --type image --format "{{range .OCIv1.Config.$1}}{{println .}}{{end}}" dmheadpose | sed '/^$/d'; }
mapfile -t command < <(part Entrypoint && part Cmd)
buildah run --cap-drop all -v "$PWD/headpose:/etc/headpose:ro" --env TOPIC=heads/test "$container" -- "${command[@]}" &
running=$!
wait "$lines"

say 'Its end'
process=$running
until [ "$(cat "/proc/$process/comm")" = tini ]; do
  process=$(pgrep -P "$process" | head -n1)
done
kill -TERM "$process"
status=0
wait "$running" || status=$?
[ "$status" = 143 ] || { echo "error: expected SIGTERM to end the container (143), found $status"; exit 1; }
