#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs a clip through dmheadpose and leaves an annotated video, the poses and two pictures in demo/.
# `make demo` calls it with the environment set. Argument: the Python to use.
# CLIP=file takes another video than the fetched one.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
clip=${CLIP:-.setup/clips/WolfgangLanger_Pexels.mp4}
video=demo/annotated.mp4
poses=demo/poses.jsonl
plot=demo/poses.png
sheet=demo/contact-sheet.png

fail() {
  echo "error: $1" >&2
  exit 1
}

# As a line that can be copied to a shell, folded between elements, quoted where the shell needs it.
show() {
  local part line
  line=$(printf '  GST_PLUGIN_PATH=%q gst-launch-1.0' "${GST_PLUGIN_PATH:-}")
  echo
  for part in "$@"; do
    [[ $part != *[\ \(\)\;\&\$]* ]] || part=$(printf '%q' "$part")
    # A branch of the tee begins a line; so does an element when the line is long.
    if [[ $part == *. || ($part == ! && ${#line} -gt 80) ]]; then
      printf '%s \\\n' "$line"
      line="    $part"
    else
      line="$line $part"
    fi
  done
  printf '%s\n\n' "$line"
}

# Shows and runs a pipeline and sets `seconds` to the time it took.
launch() {
  local log=.setup/demo.log
  show "$@"
  gst-launch-1.0 --no-position "$@" >"$log" 2>&1 || fail "the pipeline stopped with status $?:
$(cat "$log")"
  grep -A2 '^WARNING' "$log" || true
  seconds=$(sed -n 's/^Execution ended after \([0-9]*\):\([0-9]*\):\([0-9.]*\)$/\1 \2 \3/p' "$log" | awk '{ print $1 * 3600 + $2 * 60 + $3 }')
  [ -n "$seconds" ] || fail "the pipeline did not end by itself:
$(cat "$log")"
}

[ -s "$clip" ] || fail "no video at $clip: run 'make clips' (or 'make demo', which does)"
# Not --exists: it asks for a plugin of GStreamer's own version.
gst-inspect-1.0 dmheadpose >/dev/null ||
  fail "GStreamer does not find the element dmheadpose in '${GST_PLUGIN_PATH:-}': run 'make build' (or 'make demo', which does)"
rm -f "$video" "$video.part" "$poses" "$plot" "$sheet"

echo "Annotate $clip: heads as boxes (blue front, red rear), axes and angles; the poses as JSON lines."
# zerolatency: an encoder that looks ahead wants many frames before its first output, and until then
# the other branch's sink, which waits for the pipeline to preroll, would block the tee.
launch filesrc location="$clip" ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose tracking=true overlay=box+axes+labels ! tee name=t \
  t. ! queue ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency pass=qual quantizer=20 \
  ! video/x-h264,profile=high ! h264parse ! mp4mux ! filesink location="$video.part" \
  t. ! queue ! dmheadposejson ! filesink location="$poses"
annotated_in=$seconds

echo "The same once more without drawing and encoding, for the speed."
launch filesrc location="$clip" ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose ! fakesink sync=false
plain_in=$seconds

# The index to the front, so that a browser plays the file while it loads. Not done above: there it
# would hold back all output until the end.
gst-launch-1.0 -q filesrc location="$video.part" ! qtdemux ! h264parse ! mp4mux faststart=true ! filesink location="$video" ||
  fail "$video.part could not be rewritten"
rm -f "$video.part"

for file in "$video" "$poses"; do
  [ -s "$file" ] || fail "$file is empty"
done
echo "Plot and contact sheet."
summary=$("$python" demo/plots.py "$poses" "$video" "$plot" "$sheet")
for file in "$plot" "$sheet"; do
  [ -s "$file" ] || fail "$file is empty"
done

frames=$(wc -l <"$poses")
rate() { awk -v frames="$frames" -v seconds="$1" 'BEGIN { printf "%.1f", frames / seconds }'; }
echo
echo "$summary"
echo "fps     $(rate "$plain_in") decoding and dmheadpose; $(rate "$annotated_in") with overlay, JSON and H.264 encoding (on $(nproc) CPUs)"
echo
for file in "$video" "$poses" "$plot" "$sheet"; do
  printf '%s\t%s\n' "$file" "$(du -h --apparent-size "$file" | cut -f1)"
done | expand -t 26
