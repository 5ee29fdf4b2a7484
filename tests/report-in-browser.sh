#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Opens the attention report in a headless Chromium at desktop and phone width, in light and dark mode, and
# prints it: no console messages, no requests, nothing cut off or faint, bars in the right places.
# Not part of `make test`: it needs a browser (CHROMIUM overrides the one found). The screenshots
# are written to target/report/. A recording of `make attention` is shown, too.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$browser" ]; then
  echo "error: no Chromium found. On Debian: apt-get install --no-install-recommends chromium" >&2
  exit 1
fi
recordings=()
if [ -e demo/attention.jsonl ]; then
  recordings=(demo/attention.jsonl)
fi
PYTHONDONTWRITEBYTECODE=1 exec timeout 120 "${PYTHON:-python3}" tests/report_in_browser.py \
  "$browser" "${CARGO_TARGET_DIR:-target}/report" "${recordings[@]}"
