// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties, as GObject types, and what they mean to the estimator.

use gst::glib;

use crate::estimator::catalog::Mode;
use crate::estimator::detector::{DetectorFamily, Scaling};
use crate::estimator::geometry::CropMode;
use crate::estimator::pose::PoseFamily;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseMode")]
#[repr(i32)]
pub enum DmHeadPoseMode {
    #[default]
    #[enum_value(name = "The first that is there: nomask, whenet, mask", nick = "auto")]
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseDetectorFamily")]
#[repr(i32)]
pub enum DmHeadPoseDetectorFamily {
    #[default]
    #[enum_value(name = "Recognised by the graph's inputs and outputs", nick = "auto")]
    Auto,
    #[enum_value(
        name = "Scores and boxes: YOLOv4, YOLOv7-tiny of DMHead",
        nick = "post"
    )]
    Post,
    #[enum_value(name = "Rows of 7: YOLOX, Gold-YOLO body-head-hand", nick = "rows")]
    Rows,
    #[enum_value(name = "YuNet faces, grown to heads", nick = "yunet")]
    YuNet,
    #[enum_value(name = "CenterFace faces, grown to heads", nick = "centerface")]
    CenterFace,
}

impl From<DmHeadPoseDetectorFamily> for DetectorFamily {
    fn from(family: DmHeadPoseDetectorFamily) -> Self {
        match family {
            DmHeadPoseDetectorFamily::Auto => Self::Auto,
            DmHeadPoseDetectorFamily::Post => Self::Post,
            DmHeadPoseDetectorFamily::Rows => Self::Rows,
            DmHeadPoseDetectorFamily::YuNet => Self::YuNet,
            DmHeadPoseDetectorFamily::CenterFace => Self::CenterFace,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPosePoseFamily")]
#[repr(i32)]
pub enum DmHeadPosePoseFamily {
    #[default]
    #[enum_value(name = "Recognised by the graph's inputs and outputs", nick = "auto")]
    Auto,
    #[enum_value(
        name = "Three angles a head: DMHead, converted WHENet",
        nick = "dmhead"
    )]
    DmHead,
}

impl From<DmHeadPosePoseFamily> for PoseFamily {
    fn from(family: DmHeadPosePoseFamily) -> Self {
        match family {
            DmHeadPosePoseFamily::Auto => Self::Auto,
            DmHeadPosePoseFamily::DmHead => Self::DmHead,
        }
    }
}

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
    pub(super) fn with_margin(self, margin: f32) -> CropMode {
        match self {
            Self::Upstream => CropMode::Upstream,
            Self::Symmetric => CropMode::Symmetric(margin),
            Self::Square => CropMode::Square(margin),
        }
    }
}
