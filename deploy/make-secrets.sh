#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Creates the containers' secrets in a folder that git ignores:
#
#   deploy/make-secrets.sh BROKER GROUP ...
#
# BROKER is the broker's host name in the cameras' containers. Each GROUP of cameras gets a folder with
# `cameras` (fill in your addresses: NAME=rtspt://USER:PASSWORD@ADDRESS, one per line) and
# `mosquitto_pub`, its options. Existing files are kept.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -ge 2 ] || { echo "usage: deploy/make-secrets.sh BROKER GROUP ..." >&2; exit 2; }
broker=$1
shift
for tool in openssl mosquitto_passwd; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing: apt install openssl mosquitto" >&2; exit 1; }
done
umask 077
mkdir -p secrets
cd secrets

if ! [ -e ca.crt ]; then
  days=3650
  openssl req -x509 -newkey rsa:3072 -nodes -days $days -subj '/CN=headpose CA' -keyout ca.key -out ca.crt 2>/dev/null ||
    { echo "error: openssl could not create the certificate" >&2; exit 1; }
  openssl req -newkey rsa:3072 -nodes -subj "/CN=$broker" -keyout broker.key -out broker.csr 2>/dev/null
  openssl x509 -req -in broker.csr -days $days -CA ca.crt -CAkey ca.key -CAcreateserial -out broker.crt \
    -extfile <(printf 'subjectAltName=DNS:%s' "$broker") 2>/dev/null
  rm broker.csr ca.srl
fi

touch passwords
for group in "$@"; do
  mkdir -p "$group"
  [ -e "$group/cameras" ] || printf 'gate=rtspt://10.0.0.11/stream\n' >"$group/cameras"
  if ! [ -e "$group/mosquitto_pub" ]; then
    password=$(openssl rand -hex 24)
    printf '%s\n' "-h $broker" '-p 8883' '--cafile /etc/headpose/ca.crt' "-u $group" "-P $password" >"$group/mosquitto_pub"
    # Hashed in a file, so that the password never appears in an argument.
    printf '%s:%s\n' "$group" "$password" >"passwords.$group"
    mosquitto_passwd -U "passwords.$group"
    cat "passwords.$group" >>passwords
    rm "passwords.$group"
  fi
done
echo "deploy/secrets: $(find . -type f | sort | tr '\n' ' ')"
