// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties, as GObject types, and what they mean to the estimator.

use gst::glib;

use crate::estimator::catalog::Mode;
use crate::estimator::detector::{DetectorFamily, Scaling, detector_families};
use crate::estimator::geometry::CropMode;
use crate::estimator::onnx::ExecutionProvider;
use crate::estimator::pose::{PoseFamily, pose_families};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseMode")]
#[repr(i32)]
pub enum DmHeadPoseMode {
    #[default]
    #[enum_value(
        name = "The first that is there: nomask, 3DDFA_V2 in front of WHENet, whenet, mask",
        nick = "auto"
    )]
    Auto,
    #[enum_value(name = "DMHead for faces with masks", nick = "mask")]
    Mask,
    #[enum_value(name = "DMHead for faces without masks", nick = "nomask")]
    NoMask,
    #[enum_value(name = "WHENet alone, all around", nick = "whenet")]
    WheNet,
}

impl From<DmHeadPoseMode> for Mode {
    fn from(mode: DmHeadPoseMode) -> Self {
        match mode {
            DmHeadPoseMode::Auto => Self::Auto,
            DmHeadPoseMode::Mask => Self::Mask,
            DmHeadPoseMode::NoMask => Self::NoMask,
            DmHeadPoseMode::WheNet => Self::WheNet,
        }
    }
}

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
#[enum_type(name = "GstDmHeadPoseScaling")]
#[repr(i32)]
pub enum DmHeadPoseScaling {
    #[default]
    #[enum_value(name = "As the detector's family was made for", nick = "auto")]
    Auto,
    #[enum_value(name = "Fill the detector's input", nick = "stretch")]
    Stretch,
    #[enum_value(name = "Keep the aspect ratio, pad the rest", nick = "letterbox")]
    Letterbox,
}

impl From<DmHeadPoseScaling> for Scaling {
    fn from(scaling: DmHeadPoseScaling) -> Self {
        match scaling {
            DmHeadPoseScaling::Auto => Self::Auto,
            DmHeadPoseScaling::Stretch => Self::Stretch,
            DmHeadPoseScaling::Letterbox => Self::Letterbox,
        }
    }
}

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
#[enum_type(name = "GstDmHeadPoseExecutionProvider")]
#[repr(i32)]
pub enum DmHeadPoseExecutionProvider {
    #[enum_value(name = "CUDA if it is there and works, else the CPU", nick = "auto")]
    Auto,
    #[default]
    #[enum_value(name = "The CPU", nick = "cpu")]
    Cpu,
    #[enum_value(name = "NVIDIA CUDA", nick = "cuda")]
    Cuda,
    #[enum_value(name = "NVIDIA TensorRT", nick = "tensorrt")]
    TensorRt,
    #[enum_value(name = "Intel OpenVINO", nick = "openvino")]
    OpenVino,
    #[enum_value(name = "AMD MIGraphX", nick = "migraphx")]
    MiGraphX,
    #[enum_value(name = "XNNPACK, for Arm and mobile CPUs", nick = "xnnpack")]
    Xnnpack,
}

impl From<DmHeadPoseExecutionProvider> for ExecutionProvider {
    fn from(provider: DmHeadPoseExecutionProvider) -> Self {
        use DmHeadPoseExecutionProvider as Property;
        match provider {
            Property::Auto => Self::Auto,
            Property::Cpu => Self::Cpu,
            Property::Cuda => Self::Cuda,
            Property::TensorRt => Self::TensorRt,
            Property::OpenVino => Self::OpenVino,
            Property::MiGraphX => Self::MiGraphX,
            Property::Xnnpack => Self::Xnnpack,
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
        name = "A GstVideoRegionOfInterestMeta a head, as DL Streamer reads it",
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
        name = "Warn once and let the last result hold, until it works again",
        nick = "hold"
    )]
    Hold,
}
