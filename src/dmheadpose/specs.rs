// SPDX-License-Identifier: MPL-2.0
//! The properties of `dmheadpose` as GObject and gst-inspect-1.0 know them: ranges and documentation.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use super::options::DmHeadPoseMetaFormat;
use super::properties::Settings;
use crate::estimator::detector;

/// Whether a change of the property takes effect only when the element starts again.
pub(super) fn is_load_time(pspec: &glib::ParamSpec) -> bool {
    pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_READY)
}

/// All properties, in the order in which gst-inspect-1.0 is to show them within their kind.
pub(super) fn specs() -> &'static [glib::ParamSpec] {
    static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let mut specs = load_time_specs();
        specs.extend(playing_specs());
        specs.extend(Settings::default().look.specs());
        specs.extend(read_only_specs());
        specs
    });
    &SPECS
}

fn load_time_specs() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let path = |name, nick, blurb| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .mutable_ready()
            .build()
    };
    vec![
        path(
            "detector-model",
            "Detector Model",
            "Path of the head detector, an ONNX file (unset = the best one in models-dir)",
        ),
        path(
            "pose-model",
            "Pose Model",
            "Path of the pose model, an ONNX file (unset = what mode chooses in models-dir, with its rear \
             model if it has one)",
        ),
        path(
            "rear-model",
            "Rear Model",
            "Path of a pose model that knows all sides (WHENet): it looks at every head first, and \
             pose-model then at those not seen from behind (unset = none beside a pose-model that is named, \
             else as mode chooses)",
        ),
        path(
            "models-dir",
            "Models Directory",
            "Folder of the models that are not named (unset = the variable DMHEADPOSE_MODELS_DIR, \
             else dmheadpose/models in the system's and the user's data folders; a plugin that runs \
             from where it was built tries the models folder of its sources first)",
        ),
        glib::ParamSpecEnum::builder_with_default("mode", defaults.mode)
            .nick("Mode")
            .blurb("Which pose models to take from models-dir when pose-model is unset")
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("detector-family", defaults.detector_family)
            .nick("Detector Family")
            .blurb(
                "Output contract of the detector; set it where auto warns that it is not sure",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("pose-family", defaults.pose_family)
            .nick("Pose Family")
            .blurb(
                "Output contract of the pose model; set it where auto warns that it is not sure, and for what \
                 auto does not take: 6drepnet with 6D or renamed angles, 3ddfa, 3ddfa-denormalised",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("detector-size")
            .nick("Detector Size")
            .blurb(&format!(
                "Longer side of the detector's input in pixels, for files that leave it open (0 = the \
                 family's own: {}): larger finds smaller heads and costs more",
                detector::open_sizes()
            ))
            .maximum(4096)
            .default_value(defaults.detector_size)
            .mutable_ready()
            .build(),
        path(
            "onnxruntime-library",
            "ONNX Runtime Library",
            "Path of libonnxruntime.so, 1.17 or newer (unset = the variable ORT_DYLIB_PATH, else \
             beside the plugin, else where the system's loader looks). The first element of a \
             process decides for all",
        ),
        glib::ParamSpecEnum::builder_with_default("heads-from", defaults.heads_from)
            .nick("Heads From")
            .blurb("Who finds the heads; with roi-meta no detector is loaded")
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("intra-op-threads")
            .nick("Intra-op Threads")
            .blurb("Threads that work on one operator of a network (0 = the number of cores, at most 4)")
            .maximum(256)
            .default_value(defaults.intra_op_threads)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("execution-provider", defaults.execution_provider)
            .nick("Execution Provider")
            .blurb(
                "What runs the networks; all but cpu need an ONNX Runtime that was built with it. \
                 active-provider tells what auto has chosen",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("device-id")
            .nick("Device ID")
            .blurb("Which of several devices of the execution provider")
            .default_value(defaults.device_id)
            .mutable_ready()
            .build(),
        path(
            "cache-dir",
            "Cache Directory",
            "Folder where providers that compile the networks for their device (tensorrt, openvino) \
             keep the result (unset = compile at each start)",
        ),
        glib::ParamSpecBoolean::builder("share-models")
            .nick("Share Models")
            .blurb(
                "Share loaded models with all other elements of the process that ask for the same file, \
                 provider and threads: less memory for many streams. They take turns, first come, first \
                 served",
            )
            .default_value(defaults.share_models)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("max-batch")
            .nick("Maximum Batch")
            .blurb("Heads that run through the pose model at once; more take several runs. Bounds the memory")
            .minimum(1)
            .maximum(64)
            .default_value(defaults.max_batch)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("pipeline-depth")
            .nick("Pipeline Depth")
            .blurb(
                "Frames in flight; a frame leaves when so many less one have come after it. They are worked on \
                 at once, each with models of its own; of 3 or more one waits in line, so that no thread has to \
                 wait. 1 = each frame leaves before the next is taken, 0 = 3 for files (not live and seekable), \
                 else 1",
            )
            .maximum(16)
            .default_value(defaults.pipeline_depth)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("async")
            .nick("Asynchronous")
            .blurb(
                "Let every frame go on at once with the newest result and its age, while a thread looks \
                 at the newest frame: no delay, however slow the networks are. pipeline-depth counts for \
                 nothing then",
            )
            .default_value(defaults.is_async)
            .mutable_ready()
            .build(),
    ]
}

fn playing_specs() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    vec![
        glib::ParamSpecFloat::builder("score-threshold")
            .nick("Score Threshold")
            .blurb(&format!(
                "Heads must score above it, 0 to 1 (-1 = the detector family's own: {})",
                detector::score_thresholds()
            ))
            .minimum(-1.0)
            .maximum(1.0)
            .default_value(defaults.score_threshold)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("nms-iou")
            .nick("NMS IoU")
            .blurb(&format!(
                "Of two boxes whose intersection over union is larger only the better one is kept, \
                 0 to 1 (families without NMS inside: {})",
                detector::using_nms_iou()
            ))
            .minimum(0.0)
            .maximum(1.0)
            .default_value(defaults.nms_iou)
            .mutable_playing()
            .build(),
        glib::ParamSpecInt::builder("head-class")
            .nick("Head Class")
            .blurb(
                "Class number of heads among the detector's classes (-1 = that which the file's class names or \
                 its name tell, else the family's own: 1, 0 if there is no other, end2end 0, deim 7, post any)",
            )
            .minimum(-1)
            .default_value(defaults.head_class)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-heads")
            .nick("Maximum Heads")
            .blurb("Heads estimated in a frame at most; of more, those with the best scores")
            .minimum(1)
            .maximum(1024)
            .default_value(defaults.max_heads)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-head-size")
            .nick("Minimum Head Size")
            .blurb("Heads whose shorter side has fewer pixels are left out (0 = none)")
            .maximum(65_536)
            .default_value(defaults.min_head_size)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("scaling", defaults.scaling)
            .nick("Scaling")
            .blurb("How a frame is fitted into the detector's input")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("crop-mode", defaults.crop_mode)
            .nick("Crop Mode")
            .blurb("Margins of the pose models' crops around a head's box")
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("crop-margin")
            .nick("Crop Margin")
            .blurb(
                "Margin on each side as a share of the box's width and height, for crop-mode \
                 symmetric and square",
            )
            .minimum(0.0)
            .maximum(2.0)
            .default_value(defaults.crop_margin)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("activation-angle")
            .nick("Activation Angle")
            .blurb(
                "Largest yaw of the rear model, in degrees to either side, at which pose-model's \
                 answer counts; also where the seam flag is centred (-1 = as was measured for the two: \
                 3DDFA_V2 and WHENet are weighed against each other; 90 for others)",
            )
            .minimum(-1.0)
            .maximum(180.0)
            .default_value(defaults.activation_angle)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("detection-interval")
            .nick("Detection Interval")
            .blurb(
                "Run the detector on every Nth frame; between, boxes are predicted. Above 1, heads \
                 are followed as with tracking",
            )
            .minimum(1)
            .maximum(1000)
            .default_value(defaults.detection_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("pose-interval")
            .nick("Pose Interval")
            .blurb(
                "Estimate the pose of each head on every Nth frame; between, its last pose holds. \
                 Above 1, heads are followed as with tracking",
            )
            .minimum(1)
            .maximum(1000)
            .default_value(defaults.pose_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("rear-interval")
            .nick("Rear Interval")
            .blurb(
                "Of two pose models, run the rear one on each head at least on every Nth frame, where \
                 heads are followed (tracking). Between, the front model answers alone for a head that both saw from \
                 the front, until it nears the profile or is out of sight",
            )
            .minimum(1)
            .maximum(1000)
            .default_value(defaults.rear_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("when-late", defaults.when_late)
            .nick("When Late")
            .blurb(
                "What to do with a frame that would come too late for its inference, by the clock of a live \
                 pipeline or by downstream's QoS events",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("on-error", defaults.on_error)
            .nick("On Error")
            .blurb("What to do when a frame cannot be looked at")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("tracking")
            .nick("Tracking")
            .blurb(
                "Follow heads from frame to frame: each gets a number from 1, and of two pose models the rear one \
                 looks at heads seen from the front at every rear-interval only",
            )
            .default_value(defaults.tracking)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("max-lost-time")
            .nick("Maximum Lost Time")
            .blurb("A head that is not seen for longer is forgotten, in nanoseconds")
            .maximum(60_000_000_000)
            .default_value(defaults.max_lost_time)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("smoothing")
            .nick("Smoothing")
            .blurb(
                "Hold boxes and poses steadier, with a One-Euro filter for each head. Heads are followed \
                 for it, as with tracking",
            )
            .default_value(defaults.smoothing)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-cutoff")
            .nick("Smoothing Cutoff")
            .blurb(
                "Cutoff of the smoothing for a head that is still, in Hz: lower is steadier and takes \
                 longer to come to rest",
            )
            .minimum(0.01)
            .maximum(100.0)
            .default_value(defaults.smoothing_cutoff)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-beta")
            .nick("Smoothing Beta")
            .blurb(
                "By how many Hz the cutoff rises with each degree per second that a head turns: higher \
                 lags less behind and smooths less",
            )
            .minimum(0.0)
            .maximum(10.0)
            .default_value(defaults.smoothing_beta)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("post-messages")
            .nick("Post Messages")
            .blurb(
                "Post an element message named dmheadpose for every inferred frame: the fields of \
                 DmHeadPoseMeta and the frame's timestamp, running-time and stream-time",
            )
            .default_value(defaults.report.post_messages)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("message-interval")
            .nick("Message Interval")
            .blurb(
                "Least running time between the frames of two messages, in nanoseconds (0 = a \
                 message for every inferred frame)",
            )
            .default_value(defaults.report.message_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("object-class")
            .nick("Object Class")
            .blurb(
                "With heads-from=roi-meta, which regions and objects are heads: a list of their types \
                 with commas, such as head,face (unset: all)",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecFlags::builder::<DmHeadPoseMetaFormat>("meta-format")
            .nick("Meta Format")
            .blurb("Metas to attach to each frame")
            .default_value(defaults.metas.format)
            .mutable_playing()
            .build(),
    ]
}

fn read_only_specs() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Since the start: frames, inferred, gaps, heads and front-runs (counts; the last of \
                 heads that pose-model looked at); detector-input, detector, crops, pose, overlay \
                 and total, each with -p50 and -p95 (nanoseconds, of the last 256 frames); \
                 detector-model, pose-model, rear-model, onnxruntime, active-provider (once \
                 started)",
            )
            .read_only()
            .build(),
        glib::ParamSpecString::builder("active-provider")
            .nick("Active Execution Provider")
            .blurb("Execution provider that runs the networks (unset until started)")
            .read_only()
            .build(),
    ]
}
