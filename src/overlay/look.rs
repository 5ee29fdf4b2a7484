// SPDX-License-Identifier: MPL-2.0
//! The properties that say what is drawn, shared by the elements that draw.

use std::sync::Arc;

use gst::glib;
use gst::prelude::*;

use super::CAT;
use super::options::{
    DmHeadPoseBlurFallback, DmHeadPoseBlurHeads, DmHeadPoseColorBy, DmHeadPoseOverlayFlags,
};
use crate::draw::{BoxColor, Color, Label, Style};
use crate::estimator::Head;
use crate::headposemeta::{HeadPoses, Source};
use crate::text;

/// What is drawn, and how.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    parts: DmHeadPoseOverlayFlags,
    color_by: DmHeadPoseColorBy,
    box_color: u32,
    label_color: u32,
    label: Option<String>,
    /// `label` as it is read.
    template: Option<Arc<Label>>,
    line_width: f32,
    font_scale: f32,
    expire: u64,
    blur_heads: DmHeadPoseBlurHeads,
    blur_fallback: DmHeadPoseBlurFallback,
}

/// What has to be hidden of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Nothing,
    Heads,
    Picture,
}

impl Look {
    pub fn new(parts: DmHeadPoseOverlayFlags) -> Self {
        let Style {
            line_width,
            font_scale,
            label_color,
            ..
        } = Style::default();
        Self {
            parts,
            color_by: DmHeadPoseColorBy::default(),
            box_color: 0xff00_ff00,
            label_color: label_color.0,
            label: None,
            template: None,
            line_width,
            font_scale,
            expire: 1_000_000_000,
            blur_heads: DmHeadPoseBlurHeads::default(),
            blur_fallback: DmHeadPoseBlurFallback::default(),
        }
    }

    /// Whether anything is drawn at all. Hiding heads is no drawing.
    pub fn draws(&self) -> bool {
        !self.parts.is_empty()
    }

    /// How heads are hidden.
    pub fn blur_heads(&self) -> DmHeadPoseBlurHeads {
        self.blur_heads
    }

    /// No frame goes on before its own heads are known.
    pub fn waits_for_heads(&self) -> bool {
        self.blur_heads != DmHeadPoseBlurHeads::None
            && self.blur_fallback == DmHeadPoseBlurFallback::Wait
    }

    /// What to hide of a frame of which this is known. All of it where its heads are not: who hides heads must not
    /// show one because nothing was found out.
    pub(super) fn hidden(&self, poses: Option<&HeadPoses>) -> Hidden {
        let is_usable = |poses: &HeadPoses| {
            let is_last = self.blur_fallback == DmHeadPoseBlurFallback::Last;
            poses.source != Source::Held || (is_last && !self.is_expired(poses))
        };
        if self.blur_heads == DmHeadPoseBlurHeads::None {
            Hidden::Nothing
        } else if poses.is_some_and(is_usable) {
            Hidden::Heads
        } else {
            Hidden::Picture
        }
    }

    fn is_expired(&self, poses: &HeadPoses) -> bool {
        poses.age.is_none_or(|age| age.nseconds() > self.expire)
    }

    /// The heads that are not too old to be drawn. What may be of any age is too old.
    pub fn shown<'a>(&self, poses: &'a HeadPoses) -> &'a [Head] {
        if self.is_expired(poses) {
            &[]
        } else {
            &poses.heads
        }
    }

    /// The line of statistics, if it is wanted.
    pub fn stats(&self, poses: &HeadPoses) -> Option<String> {
        let wanted = self.parts.contains(DmHeadPoseOverlayFlags::STATS);
        wanted.then(|| {
            let heads = format!("{} heads", poses.heads.len());
            match poses.inference_time {
                Some(time) => format!("{heads}  {:.1} ms", time.nseconds() as f64 / 1e6),
                None => heads,
            }
        })
    }

    pub fn style(&self) -> Style {
        let has = |part| self.parts.contains(part);
        Style {
            boxes: has(DmHeadPoseOverlayFlags::BOX),
            axes: has(DmHeadPoseOverlayFlags::AXES),
            cube: has(DmHeadPoseOverlayFlags::CUBE),
            labels: has(DmHeadPoseOverlayFlags::LABELS),
            ids: has(DmHeadPoseOverlayFlags::ID),
            box_color: match self.color_by {
                DmHeadPoseColorBy::Yaw => BoxColor::Yaw,
                DmHeadPoseColorBy::Id => BoxColor::Id,
                DmHeadPoseColorBy::None => BoxColor::Fixed(Color(self.box_color)),
            },
            label: self.template.clone(),
            label_color: Color(self.label_color),
            line_width: self.line_width,
            font_scale: self.font_scale,
        }
    }

    /// The specifications of the properties whose defaults are in `self`.
    pub fn specs(&self) -> Vec<glib::ParamSpec> {
        vec![
            glib::ParamSpecFlags::builder::<DmHeadPoseOverlayFlags>("overlay")
                .nick("Overlay")
                .blurb("What to draw onto the frames")
                .default_value(self.parts)
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("color-by", self.color_by)
                .nick("Color By")
                .blurb("What the colour of a head's box tells")
                .mutable_playing()
                .build(),
            color_spec(
                "box-color",
                "Box Color",
                "Colour of all boxes with color-by=none, as 0xAARRGGBB",
                self.box_color,
            ),
            color_spec(
                "label-color",
                "Label Color",
                "Colour of the text above boxes, as 0xAARRGGBB",
                self.label_color,
            ),
            glib::ParamSpecString::builder("label")
                .nick("Label")
                .blurb(
                    "Text of the labels with placeholders {id}, {yaw}, {pitch}, {roll}, {score}, {uncertainty}; \
                     {yaw:+.1} has a sign and one decimal, {newline} begins a line, {tab} moves the \
                     rest of it to the right (unset = yaw, pitch and roll in a line each)",
                )
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("line-width")
                .nick("Line Width")
                .blurb("Width of the overlay's lines in pixels of a 640x480 frame; grows with the frame")
                .minimum(0.5)
                .maximum(20.0)
                .default_value(self.line_width)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("font-scale")
                .nick("Font Scale")
                .blurb("Size of the overlay's text; 1 is 9 pixels a capital of a 640x480 frame and grows with the frame")
                .minimum(0.2)
                .maximum(10.0)
                .default_value(self.font_scale)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("expire-overlay")
                .nick("Expire Overlay")
                .blurb(
                    "Heads are not drawn when the frame that their poses were inferred from is older, \
                     in nanoseconds",
                )
                .default_value(self.expire)
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("blur-heads", self.blur_heads)
                .nick("Blur Heads")
                .blurb(
                    "Hide each head that was found, with the margins of its box, in the picture \
                     itself; a head that the detector misses stays visible",
                )
                .mutable_playing()
                .build(),
            glib::ParamSpecEnum::builder_with_default("blur-fallback", self.blur_fallback)
                .nick("Blur Fallback")
                .blurb(
                    "What blur-heads does with a frame that has no result of its own: with async, when late, \
                     when the inference failed, and where there is no meta",
                )
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property if it is one of [`Look::specs`].
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        match pspec.name() {
            "overlay" => self.parts = value.get().unwrap_or(self.parts),
            "color-by" => self.color_by = value.get().unwrap_or(self.color_by),
            "box-color" => self.box_color = value.get().unwrap_or(self.box_color),
            "label-color" => self.label_color = value.get().unwrap_or(self.label_color),
            "label" => {
                if let Some(label) = text::of_property(value, pspec) {
                    self.set_label(label);
                }
            }
            "line-width" => self.line_width = value.get().unwrap_or(self.line_width),
            "font-scale" => self.font_scale = value.get().unwrap_or(self.font_scale),
            "expire-overlay" => self.expire = value.get().unwrap_or(self.expire),
            "blur-heads" => self.blur_heads = value.get().unwrap_or(self.blur_heads),
            "blur-fallback" => self.blur_fallback = value.get().unwrap_or(self.blur_fallback),
            _ => {}
        }
    }

    fn set_label(&mut self, label: Option<String>) {
        self.label = label;
        self.template = self.label.as_deref().map(|label| {
            let template = Label::new(label);
            for unknown in template.unknown() {
                gst::warning!(
                    CAT,
                    "label: {{{unknown}}} is drawn as it stands: expected id, yaw, pitch, roll, score, \
                     newline or tab, the numbers also with a form such as {{yaw:+.1}}"
                );
            }
            Arc::new(template)
        });
    }

    /// The property's value if it is one of [`Look::specs`].
    pub fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        Some(match pspec.name() {
            "overlay" => self.parts.to_value(),
            "color-by" => self.color_by.to_value(),
            "box-color" => self.box_color.to_value(),
            "label-color" => self.label_color.to_value(),
            "label" => self.label.to_value(),
            "line-width" => self.line_width.to_value(),
            "font-scale" => self.font_scale.to_value(),
            "expire-overlay" => self.expire.to_value(),
            "blur-heads" => self.blur_heads.to_value(),
            "blur-fallback" => self.blur_fallback.to_value(),
            _ => return None,
        })
    }
}

fn color_spec(name: &str, nick: &str, blurb: &str, default: u32) -> glib::ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_playing()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(source: Source, age: gst::ClockTime) -> HeadPoses {
        HeadPoses {
            width: 32,
            height: 24,
            source,
            age: Some(age),
            inference_time: Some(gst::ClockTime::ZERO),
            heads: Vec::new(),
        }
    }

    #[test]
    fn what_is_not_known_is_hidden() {
        use DmHeadPoseBlurFallback::{Last, Picture, Wait};
        let mut look = Look::new(DmHeadPoseOverlayFlags::empty());
        assert_eq!(look.hidden(None), Hidden::Nothing);
        look.blur_heads = DmHeadPoseBlurHeads::Fill;
        let second = gst::ClockTime::SECOND;
        for fallback in [Picture, Wait, Last] {
            look.blur_fallback = fallback;
            let hidden = |source, age| look.hidden(Some(&result(source, age)));
            assert_eq!(look.hidden(None), Hidden::Picture, "{fallback:?}");
            for own in [Source::Inferred, Source::Tracked] {
                assert_eq!(hidden(own, gst::ClockTime::ZERO), Hidden::Heads);
            }
            let expected = match fallback {
                Last => Hidden::Heads,
                Picture | Wait => Hidden::Picture,
            };
            assert_eq!(hidden(Source::Held, second), expected, "{fallback:?}");
            let old = second + gst::ClockTime::NSECOND;
            assert_eq!(hidden(Source::Held, old), Hidden::Picture, "{fallback:?}");
        }
    }
}
