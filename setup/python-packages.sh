#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Installs pinned, hash-checked Python packages into a folder; does nothing if they are already there.
# Arguments: the Python to use, the requirements and the folder. Default: those of the model converter
# and the plots, into .setup/python.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
requirements=${2:-setup/requirements.txt}
target=${3:-.setup/python}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "error: Python 3.11 or later is needed, found: $("$python" --version 2>&1 || true). Name another with: make PYTHON=python3.12 ..." >&2
  exit 1
fi

# The same requirements need other wheels under another Python.
stamp=$({ cat "$requirements"; "$python" -c 'import sys, platform; print(sys.implementation.cache_tag, platform.machine())'; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$target/.stamp" 2>/dev/null || true)" = "$stamp" ]; then
  echo "Python packages in $target: all present."
  exit 0
fi

if ! "$python" -m pip --version >/dev/null 2>&1; then
  echo "error: $python has no pip. On Debian: apt-get install python3-pip" >&2
  exit 1
fi

echo "== Python packages into $target"
# Installed into a temporary folder and moved, so that an interrupted run leaves nothing incomplete. PIP_USER
# and --target exclude each other, and PYTHONPATH must not show pip the packages of an earlier run.
rm -rf "$target.new"
mkdir -p .setup
if ! env -u PYTHONPATH PIP_USER=0 "$python" -m pip install \
  --target "$target.new" --require-hashes --only-binary=:all: \
  --no-warn-conflicts --root-user-action=ignore --disable-pip-version-check --no-input \
  --requirement "$requirements"; then
  rm -rf "$target.new"
  echo "error: pip could not install $requirements (the reason is above). Check the network or the proxy, then run this again. If a pinned wheel does not exist for this Python, name another: make PYTHON=python3.11 ..." >&2
  exit 1
fi
echo "$stamp" >"$target.new/.stamp"
rm -rf "$target"
mv "$target.new" "$target"
