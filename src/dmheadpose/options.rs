// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties, as GObject types, and what they mean to the estimator.

use gst::glib;

use crate::estimator::catalog::{Mode, modes};
use crate::estimator::detector::{DetectorFamily, Scaling, detector_families, scalings};
use crate::estimator::geometry::CropMode;
use crate::estimator::onnx::ExecutionProvider;
use crate::estimator::onnx::provider::execution_providers;
use crate::estimator::pose::{PoseFamily, pose_families};
use crate::property::{enum_property, flags_property};

/// The property of an enumeration of the estimator: its GObject type, and what its values mean there.
macro_rules! choice_property {
    (
        $property:ident, $type_name:literal, $own:ident:
        $($(#[$attr:meta])* $variant:ident, $nick:literal, $summary:literal;)*
    ) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
        #[enum_type(name = $type_name)]
        #[repr(i32)]
        pub enum $property {
            $($(#[$attr])* #[enum_value(name = $summary, nick = $nick)] $variant,)*
        }

        impl From<$property> for $own {
            fn from(value: $property) -> Self {
                match value {
                    $($property::$variant => Self::$variant,)*
                }
            }
        }

        enum_property!($property);
    };
}

modes!(choice_property, DmHeadPoseMode, "GstDmHeadPoseMode");
scalings!(choice_property, DmHeadPoseScaling, "GstDmHeadPoseScaling");
execution_providers!(
    choice_property,
    DmHeadPoseExecutionProvider,
    "GstDmHeadPoseExecutionProvider"
);

/// The property of a table of families: its GObject type, and what its values mean to the estimator.
macro_rules! family_property {
    ($property:ident, $type_name:literal, $family:ident: $($variant:ident, $name:literal, $summary:literal;)*) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
        #[enum_type(name = $type_name)]
        #[repr(i32)]
        pub enum $property {
            #[default]
            #[enum_value(name = "Recognised by the graph's inputs and outputs", nick = "auto")]
            Auto,
            $(#[enum_value(name = $summary, nick = $name)] $variant,)*
        }

        impl From<$property> for $family {
            fn from(family: $property) -> Self {
                match family {
                    $property::Auto => Self::Auto,
                    $($property::$variant => Self::$variant,)*
                }
            }
        }

        enum_property!($property);
    };
}

macro_rules! detector_property {
    ($($variant:ident, $contract:path, $name:literal, $summary:literal;)*) => {
        family_property! {
            DmHeadPoseDetectorFamily, "GstDmHeadPoseDetectorFamily", DetectorFamily:
            $($variant, $name, $summary;)*
        }
    };
}
detector_families!(detector_property);

macro_rules! pose_property {
    ($($variant:ident, $contract:path, $name:literal, $summary:literal;)*) => {
        family_property! {
            DmHeadPosePoseFamily, "GstDmHeadPosePoseFamily", PoseFamily:
            $($variant, $name, $summary;)*
        }
    };
}
pose_families!(pose_property);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseCropMode")]
#[repr(i32)]
pub enum DmHeadPoseCropMode {
    #[default]
    #[enum_value(name = "What each model was made for", nick = "auto")]
    Auto,
    #[enum_value(
        name = "DMHead's margins: 20 % left, 24 % right, 10 % above, 11 % below",
        nick = "upstream"
    )]
    Upstream,
    #[enum_value(name = "crop-margin on each side", nick = "symmetric")]
    Symmetric,
    #[enum_value(
        name = "A square of the longer side and crop-margin on each side",
        nick = "square"
    )]
    Square,
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseHeadsFrom")]
#[repr(i32)]
pub enum DmHeadPoseHeadsFrom {
    #[default]
    #[enum_value(name = "Found by detector-model", nick = "detector")]
    Detector,
    #[enum_value(
        name = "Found upstream: regions of interest and, from GStreamer 1.24 on, analytics objects",
        nick = "roi-meta"
    )]
    RoiMeta,
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseWhenLate")]
#[repr(i32)]
pub enum DmHeadPoseWhenLate {
    #[default]
    #[enum_value(name = "Wait for the inference all the same", nick = "infer")]
    Infer,
    #[enum_value(name = "Let it go on in time with the last result", nick = "hold")]
    Hold,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseOnError")]
#[repr(i32)]
pub enum DmHeadPoseOnError {
    #[default]
    #[enum_value(name = "End the stream with an error", nick = "stop")]
    Stop,
    #[enum_value(
        name = "Warn once and reuse the last result, until it works again",
        nick = "hold"
    )]
    Hold,
}

enum_property!(
    DmHeadPoseCropMode,
    DmHeadPoseHeadsFrom,
    DmHeadPoseWhenLate,
    DmHeadPoseOnError
);
flags_property!(DmHeadPoseMetaFormat);
