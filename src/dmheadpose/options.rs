// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties, as GObject types, and what they mean to the estimator.

use gst::glib;

use crate::estimator::catalog::{Mode, modes};
use crate::estimator::detector::{DetectorFamily, Scaling, detector_families, scalings};
use crate::estimator::geometry::CropMode;
use crate::estimator::onnx::ExecutionProvider;
use crate::estimator::onnx::provider::execution_providers;
use crate::estimator::pose::{PoseFamily, pose_families};
use crate::property::{enum_property, property};

/// The property of an enumeration of the estimator: its GObject type, and what its values mean there. Rows of a table
/// of families name a contract, too.
macro_rules! choice_property {
    (
        $property:ident, $type_name:literal, $own:ident:
        $($(#[$attr:meta])* $variant:ident, $nick:literal, $summary:literal $(, $contract:path)?;)*
    ) => {
        enum_property! {
            pub enum $property as $type_name {
                $($(#[$attr])* $variant, $nick, $summary;)*
            }
        }

        impl From<$property> for $own {
            fn from(value: $property) -> Self {
                match value {
                    $($property::$variant => Self::$variant,)*
                }
            }
        }
    };
}

modes!(choice_property, DmHeadPoseMode, "GstDmHeadPoseMode");
scalings!(choice_property, DmHeadPoseScaling, "GstDmHeadPoseScaling");
execution_providers!(
    choice_property,
    DmHeadPoseExecutionProvider,
    "GstDmHeadPoseExecutionProvider"
);

detector_families! {
    choice_property DmHeadPoseDetectorFamily, "GstDmHeadPoseDetectorFamily", DetectorFamily:
    #[default]
    Auto, "auto", "Recognised by the graph's inputs and outputs";
}
pose_families! {
    choice_property DmHeadPosePoseFamily, "GstDmHeadPosePoseFamily", PoseFamily:
    #[default]
    Auto, "auto", "Recognised by the graph's inputs and outputs";
}

enum_property! {
    pub enum DmHeadPoseCropMode as "GstDmHeadPoseCropMode" {
        #[default]
        Auto, "auto", "What each model was made for";
        Upstream, "upstream", "DMHead's margins: 20 % left, 24 % right, 10 % above, 11 % below";
        Symmetric, "symmetric", "crop-margin on each side";
        Square, "square", "A square of the longer side and crop-margin on each side";
    }
}

impl DmHeadPoseCropMode {
    /// `None` leaves it to each model.
    pub(super) fn with_margin(self, margin: f32) -> Option<CropMode> {
        match self {
            Self::Auto => None,
            Self::Upstream => Some(CropMode::Upstream),
            Self::Symmetric => Some(CropMode::Symmetric(margin)),
            Self::Square => Some(CropMode::Square(margin)),
        }
    }
}

enum_property! {
    pub enum DmHeadPoseHeadsFrom as "GstDmHeadPoseHeadsFrom" {
        #[default]
        Detector, "detector", "Found by detector-model";
        RoiMeta, "roi-meta", "Found upstream: regions of interest and, from GStreamer 1.24 on, analytics objects";
    }
}

#[glib::flags(name = "GstDmHeadPoseMetaFormat")]
pub enum DmHeadPoseMetaFormat {
    #[flags_value(name = "DmHeadPoseMeta, which has everything", nick = "custom")]
    CUSTOM = 1 << 0,
    #[flags_value(
        name = "A GstVideoRegionOfInterestMeta for each head, as DL Streamer reads it",
        nick = "roi"
    )]
    ROI = 1 << 1,
    #[flags_value(
        name = "GstAnalytics objects and tracks, from GStreamer 1.24 on (no angles)",
        nick = "analytics"
    )]
    ANALYTICS = 1 << 2,
}

enum_property! {
    pub enum DmHeadPoseWhenLate as "GstDmHeadPoseWhenLate" {
        #[default]
        Infer, "infer", "Wait for the inference all the same";
        Hold, "hold", "Let it go on in time with the last result";
    }
}

enum_property! {
    pub enum DmHeadPoseOnError as "GstDmHeadPoseOnError" {
        #[default]
        Stop, "stop", "End the stream with an error";
        Hold, "hold", "Warn once and reuse the last result, until it works again";
    }
}

property!(DmHeadPoseMetaFormat, |about, _range, default| {
    glib::ParamSpecFlags::builder::<DmHeadPoseMetaFormat>(about.name).default_value(*default)
});
