#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Tells after `make install` what is left to set, if anything. Arguments: the folder of the plugin,
# the folder of the models.
set -euo pipefail
plugins=$1
models=$2

searched=$(pkg-config --variable=pluginsdir gstreamer-1.0)
if [ "$(realpath -m "$plugins")" = "$(realpath -m "$searched")" ]; then
  echo "Installed. Try: gst-inspect-1.0 dmheadpose"
else
  echo "Installed. GStreamer searches $searched only, so tell it of the other folder:"
  echo "  export GST_PLUGIN_PATH=$plugins"
fi
echo "Models: $models (when they are not found: export DMHEADPOSE_MODELS_DIR=$models)"
