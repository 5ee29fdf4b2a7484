// SPDX-License-Identifier: MPL-2.0
//! The buffer meta that carries head poses: the public contract between this plugin and everybody.
//!
//! One [`GstCustomMeta`](gst::meta::CustomMeta) named [`NAME`] rides on each processed buffer, also when no
//! head was found. Its structure is plain, so that C, Python and Rust read it without this crate:
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `version` | int | [`VERSION`]; grows only when a reader of the old one would be misled |
//! | `width`, `height` | int | the frame that the boxes refer to, in pixels |
//! | `source` | string | `inferred` from this frame, `tracked` (boxes followed, poses kept) or `held` |
//! | `age` | guint64 | ns since the frame that the poses were inferred from, 0 when it is this one; `GST_CLOCK_TIME_NONE`: unknown |
//! | `inference-time` | guint64 | ns that inference took for that frame; `GST_CLOCK_TIME_NONE`: unknown |
//! | `n` | int | number of heads |
//! | `head-0` ... | structure | one a head, named `head` |
//!
//! Fields of a head: `id` (guint64, 0 = untracked), `x`, `y`, `w`, `h` (doubles, pixels of the buffer
//! that carries the meta), `score` (double, 0..1), `yaw`, `pitch`, `roll` (doubles, degrees, signs as
//! in [`Angles`]), `rotation` (array of 9 doubles, row-major, see [`Angles::rotation`]), `rear`,
//! `truncated`, `seam`, `predicted` (booleans). Every number is finite, also as a 32-bit one. `uncertainty`
//! (double, degrees, 0 or more), the standard deviation of the pose's rotation angle, is there where the pose
//! model states one.
//!
//! # What is broken
//! This element writes no broken meta, but others can. All readers (this one, `include/dmheadpose.h`,
//! `examples/python/dmheadpose.py`) agree: a structure of another version, without one of the fields of the
//! first table, with one of another type, a size below one or a negative `n` is no poses. A head that is
//! missing, or lacks a field, or has one of another type, a number that is not finite, not 9 in `rotation` or an
//! `uncertainty` below 0 is left out. An `n` larger than the structure has fields counts as their number.
//!
//! # Behind other elements
//! The meta survives whatever keeps or copies whole buffers (queues, tees, encoders and decoders, as
//! far as they pass metas on at all) and colour conversion. Behind a scaler the boxes follow. A crop,
//! mirroring or turning is followed where GStreamer announces it (matrix transforms, from 1.28):
//! boxes move and are cut, heads outside are dropped, mirroring negates yaw and roll. Where it does
//! not, and for anything that cannot be followed, the meta is dropped rather than left wrong:
//! - crops, flips and turns before 1.28;
//! - scaling before 1.28 that changes the display aspect ratio by more than rounding, because the
//!   scaler may have added borders and does not say so;
//! - a copy of a part of a buffer's memory.

mod mapping;
mod registration;

use gst::glib;

use crate::estimator::Head;
use crate::estimator::angles::Angles;
use crate::estimator::geometry::{Rect, Size};
use crate::log::{Category, category};

pub use registration::register;

/// The name the meta is registered under, also that of its structure.
pub const NAME: &str = "DmHeadPoseMeta";

/// The version of the structure's layout that this crate writes and reads.
pub const VERSION: i32 = 1;

static CAT: Category = Category::new(|| category("dmheadposemeta", "Head pose meta"));

/// Where the heads of a buffer come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Detected and estimated in this frame.
    #[default]
    Inferred,
    /// Boxes followed from an earlier frame.
    Tracked,
    /// Taken over unchanged from an earlier frame.
    Held,
}

impl Source {
    const ALL: [Self; 3] = [Self::Inferred, Self::Tracked, Self::Held];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inferred => "inferred",
            Self::Tracked => "tracked",
            Self::Held => "held",
        }
    }
}

/// The heads of one buffer: what the meta says, typed.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadPoses {
    /// Size of the frame that the boxes refer to, in pixels.
    pub width: u32,
    pub height: u32,
    pub source: Source,
    /// Time since the frame that the poses were inferred from; `None`: unknown.
    pub age: Option<gst::ClockTime>,
    /// Time that inference took for that frame; `None`: unknown.
    pub inference_time: Option<gst::ClockTime>,
    pub heads: Vec<Head>,
}

impl HeadPoses {
    /// What the buffer's meta says; `None` when it has none or one of an unknown layout.
    ///
    /// Heads whose fields are missing or not finite are left out.
    pub fn from_buffer(buffer: &gst::BufferRef) -> Option<Self> {
        let meta = gst::meta::CustomMeta::from_buffer(buffer, NAME).ok()?;
        Self::from_structure(meta.structure())
    }

    /// Puts the poses on the buffer, in the place of those it may already carry: the newest win.
    ///
    /// Heads with a number that is not finite are left out.
    ///
    /// # Errors
    /// When the frame size is no size of a video frame, or when the meta cannot be registered.
    pub fn attach(&self, buffer: &mut gst::BufferRef) -> Result<(), glib::BoolError> {
        register()?;
        let size = self.frame_size()?;
        while let Ok(old) = gst::meta::CustomMeta::from_mut_buffer(buffer, NAME) {
            old.remove()?;
        }
        let mut meta = gst::meta::CustomMeta::add(buffer, NAME)?;
        self.fill(size, meta.mut_structure());
        Ok(())
    }

    /// The structure as the [module](self) describes it.
    ///
    /// # Errors
    /// When the frame size is no size of a video frame.
    pub fn to_structure(&self) -> Result<gst::Structure, glib::BoolError> {
        let mut structure = gst::Structure::new_empty(NAME);
        self.fill(self.frame_size()?, &mut structure);
        Ok(structure)
    }

    /// Width and height as the structure has them.
    fn frame_size(&self) -> Result<[i32; 2], glib::BoolError> {
        let side = |v: u32| i32::try_from(v).ok().filter(|v| *v > 0);
        match (side(self.width), side(self.height)) {
            (Some(width), Some(height)) => Ok([width, height]),
            _ => Err(glib::bool_error!(
                "expected a frame of at least 1x1 pixels, found {}",
                self.size()
            )),
        }
    }

    fn fill(&self, [width, height]: [i32; 2], structure: &mut gst::StructureRef) {
        structure.set("version", VERSION);
        structure.set("width", width);
        structure.set("height", height);
        structure.set("source", self.source.as_str());
        structure.set("age", time_to_field(self.age));
        structure.set("inference-time", time_to_field(self.inference_time));
        let mut n = 0;
        for head in self.heads.iter().filter(|head| is_finite(head)) {
            structure.set(format!("head-{n}"), head_to_structure(head));
            n += 1;
        }
        structure.set("n", n);
    }

    /// The reverse of [`to_structure`](Self::to_structure); `None` when the layout is unknown.
    pub fn from_structure(s: &gst::StructureRef) -> Option<Self> {
        if s.get::<i32>("version").ok()? != VERSION {
            return None;
        }
        let size = |name| {
            u32::try_from(s.get::<i32>(name).ok()?)
                .ok()
                .filter(|v| *v > 0)
        };
        let time = |name| s.get::<u64>(name).ok().map(time_from_field);
        // Neither a number of heads that are not there costs time, nor one that is missing those behind it.
        let n = usize::try_from(s.get::<i32>("n").ok()?).ok()?;
        let heads = (0..n.min(s.n_fields()))
            .filter_map(|i| s.get::<&gst::StructureRef>(format!("head-{i}")).ok())
            .filter_map(head_from_structure)
            .collect();
        Some(Self {
            width: size("width")?,
            height: size("height")?,
            source: source_from_field(s)?,
            age: time("age")?,
            inference_time: time("inference-time")?,
            heads,
        })
    }

    pub(crate) fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    fn mapped(&self, size: Size, mapping: &mapping::Mapping) -> Self {
        let heads = self.heads.iter().filter_map(|head| mapping.apply(head));
        Self {
            width: size.width,
            height: size.height,
            heads: heads.collect(),
            ..*self
        }
    }
}

fn is_finite(head: &Head) -> bool {
    let Rect { x, y, w, h } = head.rect;
    [x, y, w, h, head.score].iter().all(|v| v.is_finite())
        && head.angles.is_finite()
        && head.uncertainty.is_none_or(is_uncertainty)
}

fn is_uncertainty(degrees: f32) -> bool {
    degrees.is_finite() && degrees >= 0.0
}

fn head_to_structure(head: &Head) -> gst::Structure {
    gst::Structure::builder("head")
        .field("id", head.id)
        .field("x", f64::from(head.rect.x))
        .field("y", f64::from(head.rect.y))
        .field("w", f64::from(head.rect.w))
        .field("h", f64::from(head.rect.h))
        .field("score", f64::from(head.score))
        .field("yaw", f64::from(head.angles.yaw))
        .field("pitch", f64::from(head.angles.pitch))
        .field("roll", f64::from(head.angles.roll))
        .field("rotation", gst::Array::new(head.angles.rotation()))
        .field("rear", head.rear)
        .field("truncated", head.truncated)
        .field("seam", head.seam)
        .field("predicted", head.predicted)
        .field_if_some("uncertainty", head.uncertainty.map(f64::from))
        .build()
}

fn head_from_structure(s: &gst::StructureRef) -> Option<Head> {
    let number = |name| s.get::<f64>(name).ok().and_then(finite);
    let flag = |name| s.get::<bool>(name).ok();
    // The angles say the same, but a reader that uses this one is not to see other heads.
    let rotation = s.get::<gst::ArrayRef>("rotation").ok()?;
    let is_finite = |v: &glib::SendValue| v.get::<f64>().is_ok_and(|v| finite(v).is_some());
    if rotation.as_slice().len() != 9 || !rotation.as_slice().iter().all(is_finite) {
        return None;
    }
    // Before it is made a 32-bit number: -1e-50 would become -0, which is none below 0.
    let stated = || s.get("uncertainty").ok().filter(|v| *v >= 0.0);
    let uncertainty = match s.has_field("uncertainty") {
        true => Some(stated().and_then(finite)?),
        false => None,
    };
    Some(Head {
        id: s.get("id").ok()?,
        rect: Rect::new(number("x")?, number("y")?, number("w")?, number("h")?),
        score: number("score")?,
        angles: Angles::new(number("yaw")?, number("pitch")?, number("roll")?),
        rear: flag("rear")?,
        truncated: flag("truncated")?,
        seam: flag("seam")?,
        predicted: flag("predicted")?,
        uncertainty,
    })
}

/// The number in 32 bits, if it fits into them.
fn finite(number: f64) -> Option<f32> {
    // NaN is not within either.
    (number.abs() <= f64::from(f32::MAX)).then_some(number as f32)
}

fn time_to_field(time: Option<gst::ClockTime>) -> u64 {
    time.map_or(gst::ffi::GST_CLOCK_TIME_NONE, gst::ClockTime::nseconds)
}

/// `ClockTime::from_nseconds()` alone panics at the number that stands for none.
fn time_from_field(nseconds: u64) -> Option<gst::ClockTime> {
    let is_time = nseconds != gst::ffi::GST_CLOCK_TIME_NONE;
    is_time.then(|| gst::ClockTime::from_nseconds(nseconds))
}

/// Not as `&str`, which panics at a text that is not UTF-8.
fn source_from_field(s: &gst::StructureRef) -> Option<Source> {
    let found = s.get::<std::path::PathBuf>("source").ok()?;
    let mut all = Source::ALL.into_iter();
    all.find(|source| found.to_str() == Some(source.as_str()))
}

#[cfg(test)]
mod tests;
