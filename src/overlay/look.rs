// SPDX-License-Identifier: MPL-2.0
//! The properties of drawing, shared by the elements that draw.

use std::sync::Arc;

use gst::glib;

use super::CAT;
use super::options::{
    DmHeadPoseBlurFallback, DmHeadPoseBlurHeads, DmHeadPoseColorBy, DmHeadPoseOverlayFlags,
};
use crate::draw::{BoxColor, Color, Label, Style};
use crate::estimator::Head;
use crate::headposemeta::{HeadPoses, Source};
use crate::property::settings;

settings! {
    /// What is drawn, and how.
    pub(crate) struct Look
    beside {
        // `label`, parsed.
        template: Option<Arc<Label>> = None,
    }

    parts: DmHeadPoseOverlayFlags = DmHeadPoseOverlayFlags::empty(),
        "overlay", "Overlay", PLAYING, ..,
        "What to draw onto the frames";
    color_by: DmHeadPoseColorBy = DmHeadPoseColorBy::default(),
        "color-by", "Color By", PLAYING, ..,
        "What the colour of a head's box shows";
    box_color: u32 = 0xff00_ff00,
        "box-color", "Box Color", PLAYING, ..,
        "Colour of all boxes with color-by=none, as 0xAARRGGBB";
    label_color: u32 = Style::default().label_color.0,
        "label-color", "Label Color", PLAYING, ..,
        "Colour of the text above boxes, as 0xAARRGGBB";
    label: Option<String> = None,
        "label", "Label", PLAYING, ..,
        "Text of the labels with placeholders {id}, {yaw}, {pitch}, {roll}, {score}, {uncertainty}; \
         {yaw:+.1} has a sign and one decimal, {newline} begins a line, {tab} moves the \
         rest of it to the right (unset = yaw, pitch and roll in a line each)";
    line_width: f32 = Style::default().line_width,
        "line-width", "Line Width", PLAYING, 0.5..=20.0,
        "Width of the overlay's lines in pixels of a 640x480 frame; grows with the frame";
    font_scale: f32 = Style::default().font_scale,
        "font-scale", "Font Scale", PLAYING, 0.2..=10.0,
        "Size of the overlay's text; at 1, a capital is 9 pixels high in a 640x480 frame; grows with the frame";
    expire: u64 = 1_000_000_000,
        "expire-overlay", "Expire Overlay", PLAYING, ..,
        "Heads are not drawn when the frame that their poses were inferred from is older, \
         in nanoseconds";
    blur_heads: DmHeadPoseBlurHeads = DmHeadPoseBlurHeads::default(),
        "blur-heads", "Blur Heads", PLAYING, ..,
        "Hide each head that was found, with the margins of its box, in the picture \
         itself; a head that the detector misses stays visible";
    blur_fallback: DmHeadPoseBlurFallback = DmHeadPoseBlurFallback::default(),
        "blur-fallback", "Blur Fallback", PLAYING, ..,
        "What blur-heads does with a frame that has no result of its own: with async, when late, \
         when the inference failed, and where there is no meta";
}

/// What has to be hidden in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Nothing,
    Heads,
    Picture,
}

impl Look {
    pub fn new(parts: DmHeadPoseOverlayFlags) -> Self {
        Self {
            parts,
            ..Self::default()
        }
    }

    /// Whether anything is drawn. Hiding heads does not count.
    pub fn draws(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Every frame waits for its own result.
    pub fn waits_for_heads(&self) -> bool {
        self.blur_heads != DmHeadPoseBlurHeads::None
            && self.blur_fallback == DmHeadPoseBlurFallback::Wait
    }

    /// What to hide in a frame with this result. Everything if there is none: a failed inference must not reveal heads
    /// that are to be hidden.
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

    /// The heads that are not too old to be drawn. A result of unknown age is too old.
    pub fn shown<'a>(&self, poses: &'a HeadPoses) -> &'a [Head] {
        if self.is_expired(poses) {
            &[]
        } else {
            &poses.heads
        }
    }

    /// The line of statistics, if enabled.
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

    /// Sets the property if it is one of drawing.
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        if !self.set_own(value, pspec) || pspec.name() != "label" {
            return;
        }
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
