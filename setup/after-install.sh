#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Prints after `make install` which variables are left to set, if any. Arguments: the plugin's folder, the
# models' folder.
set -euo pipefail
plugins=$1
models=$2

searched=$(pkg-config --variable=pluginsdir gstreamer-1.0)
if [ "$(realpath -m "$plugins")" = "$(realpath -m "$searched")" ]; then
  echo "Installed. Try: gst-inspect-1.0 dmheadpose"
else
  echo "Installed. GStreamer searches only $searched, so add this folder:"
  echo "  export GST_PLUGIN_PATH=$plugins"
fi
echo "Models: $models (if they are not found: export DMHEADPOSE_MODELS_DIR=$models)"
