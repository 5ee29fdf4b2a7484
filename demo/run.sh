#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Runs clips through dmheadpose and writes an annotated video, the poses and pictures of each to demo/.
# `make demo` calls it with the environment set. Argument: the Python to use.
# CLIP=file uses this video instead of the fetched ones.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
people=.setup/clips/people.avi
face=.setup/clips/WolfgangLanger_Pexels.mp4

fail() {
  echo "error: $1" >&2
  exit 1
}

# Prints a command that can be pasted into a shell, folded between elements, quoted where the shell needs it.
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

# Prints and runs a pipeline and sets `seconds` to the time it took.
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

# Annotates a clip and draws its pictures: demo/NAME.mp4, NAME.jsonl, NAME-sheet.png, NAME-turn.png, NAME-plot.png.
# Sets `frames` and `annotated_in`.
# Arguments: NAME, clip and, to enlarge the picture before it is drawn on, its size as caps.
annotate() {
  local clip=$2 enlarged=${3:-} video=demo/$1.mp4 poses=demo/$1.jsonl file
  local plot=demo/$1-plot.png sheet=demo/$1-sheet.png turn=demo/$1-turn.png
  [ -s "$clip" ] || fail "no video at $clip: run 'make clips people' (or 'make demo', which does)"
  rm -f "$video" "$video.part" "$poses" "$plot" "$sheet" "$turn"
  local draw=(dmheadposeoverlay overlay=box+axes+id)
  [ -z "$enlarged" ] || draw=(videoscale ! "video/x-raw,$enlarged" ! "${draw[@]}")
  echo "Annotate $clip: heads as boxes (blue front, red behind) with axes and numbers; the poses as JSON lines."
  # zerolatency: an encoder that looks ahead needs many frames before its first output. Until then
  # the other branch's sink, which waits for the pipeline to preroll, would block the tee.
  launch filesrc location="$clip" ! decodebin ! videoconvert ! videoflip video-direction=auto \
    ! dmheadpose tracking=true smoothing=true ! tee name=t \
    t. ! queue ! "${draw[@]}" ! videoconvert ! video/x-raw,format=I420 \
    ! x264enc tune=zerolatency speed-preset=veryfast pass=qual quantizer=20 \
    ! video/x-h264,profile=high ! h264parse ! mp4mux ! filesink location="$video.part" \
    t. ! queue ! dmheadposejson ! filesink location="$poses"
  annotated_in=$seconds

  # Moves the index to the front, so that a browser plays the file while it loads. Not done above, where it
  # would hold back all output until the end.
  gst-launch-1.0 -q filesrc location="$video.part" ! qtdemux ! h264parse ! mp4mux faststart=true ! filesink location="$video" ||
    fail "$video.part could not be rewritten (its reason is above)"
  rm -f "$video.part"
  for file in "$video" "$poses"; do
    [ -s "$file" ] || fail "$file is empty"
  done
  frames=$(wc -l <"$poses")
  "$python" demo/plots.py "$poses" "$clip" "$video" "$plot" "$sheet" "$turn"
  for file in "$plot" "$sheet"; do
    [ -s "$file" ] || fail "$file is empty"
  done
  results+=("$sheet")
  [ ! -e "$turn" ] || results+=("$turn")
  results+=("$plot" "$video" "$poses")
}

# Frames per second, from the number of seconds.
rate() { awk -v frames="$frames" -v seconds="$1" 'BEGIN { printf "%.1f", frames / seconds }'; }

# Argument: the clip.
speed() {
  echo
  echo "The same without drawing and encoding, to measure speed."
  launch filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose ! fakesink sync=false
  echo "fps     $(rate "$seconds") decoding and dmheadpose; $(rate "$annotated_in") with tracking, overlay, JSON and H.264 encoding (on $(nproc) CPUs)"
  echo
}

# Not --exists, which expects a plugin of GStreamer's own version.
gst-inspect-1.0 dmheadpose >/dev/null ||
  fail "GStreamer cannot find the element dmheadpose in '${GST_PLUGIN_PATH:-}': run 'make build' (or 'make demo', which does)"

results=()
if [ -n "${CLIP:-}" ]; then
  annotate clip "$CLIP"
  speed "$CLIP"
else
  if [ -s "$people" ]; then
    # Heads of 20 pixels: enlarged, so that the drawing does not hide them.
    annotate people "$people" width=1536,height=1152
  else
    echo "warning: no $people (the reason is above): no heads from behind will be shown"
  fi
  annotate face "$face"
  speed "$face"
fi

for file in "${results[@]}"; do
  printf '%s\t%s\n' "$file" "$(du -h --apparent-size "$file" | cut -f1)"
done | expand -t 26
echo
echo "Look at ${results[0]} first."
