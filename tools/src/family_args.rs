// SPDX-License-Identifier: MPL-2.0
//! The options that name a model's contract if its signature is ambiguous, spelled like the element's
//! properties.

use gst::glib;
use gst::prelude::*;
use gstdmheadpose::dmheadpose::{DmHeadPoseDetectorFamily, DmHeadPosePoseFamily};
use gstdmheadpose::estimator::detector::DetectorFamily;
use gstdmheadpose::estimator::pose::PoseFamily;

#[derive(Clone, Copy, Debug, clap::Args)]
pub struct FamilyArgs {
    /// Contract of a detector, as the element's property detector-family
    #[arg(long, value_name = "FAMILY", default_value = "auto", value_parser = by_nick::<DmHeadPoseDetectorFamily>)]
    detector_family: DmHeadPoseDetectorFamily,
    /// Contract of a pose model, as the element's property pose-family
    #[arg(long, value_name = "FAMILY", default_value = "auto", value_parser = by_nick::<DmHeadPosePoseFamily>)]
    pose_family: DmHeadPosePoseFamily,
}

impl FamilyArgs {
    pub fn detector(&self) -> DetectorFamily {
        self.detector_family.into()
    }

    pub fn pose(&self) -> PoseFamily {
        self.pose_family.into()
    }
}

/// The pose family with this name in the element's property pose-family.
///
/// # Errors
/// The known names, if this is none of them.
pub fn pose_family(nick: &str) -> Result<PoseFamily, String> {
    by_nick::<DmHeadPosePoseFamily>(nick).map(PoseFamily::from)
}

/// The value of a GObject enumeration with this nick.
fn by_nick<T>(nick: &str) -> Result<T, String>
where
    T: StaticType + for<'v> glib::value::FromValue<'v>,
{
    let class = glib::EnumClass::with_type(T::static_type()).ok_or("not an enumeration")?;
    let value = class.to_value_by_nick(nick);
    value.and_then(|value| value.get().ok()).ok_or_else(|| {
        let nicks: Vec<&str> = class.values().iter().map(|value| value.nick()).collect();
        format!("expected one of {}", nicks.join(", "))
    })
}
