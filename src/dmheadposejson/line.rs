// SPDX-License-Identifier: MPL-2.0
//! The layout of a line: what `docs/pose-line.schema.json` describes.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::estimator::Head;
use crate::estimator::angles::Angles;
use crate::estimator::geometry::{Rect, Size};
use crate::headposemeta::HeadPoses;

/// What a line tells besides the poses.
#[derive(Clone, Copy, Default)]
pub(super) struct Context<'a> {
    pub pts: Option<gst::ClockTime>,
    pub running_time: Option<gst::ClockTime>,
    /// RFC 3339.
    pub timestamp: Option<&'a str>,
    pub source_name: Option<&'a str>,
    /// A JSON object.
    pub tags: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Line<'a> {
    pts: Option<u64>,
    running_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a RawValue>,
    frame: Size,
    source: &'static str,
    age: Option<u64>,
    inference_time: Option<u64>,
    heads: Vec<HeadLine>,
}

#[derive(Serialize)]
struct HeadLine {
    id: u64,
    score: f32,
    r#box: Rect,
    #[serde(flatten)]
    angles: Angles,
    rotation: [f64; 9],
    rear: bool,
    truncated: bool,
    seam: bool,
    predicted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    uncertainty: Option<f32>,
}

impl From<&Head> for HeadLine {
    fn from(head: &Head) -> Self {
        Self {
            id: head.id,
            score: head.score,
            r#box: head.rect,
            angles: head.angles,
            // In full, as everything else: what is read back is what the meta says.
            rotation: head.angles.rotation(),
            rear: head.rear,
            truncated: head.truncated,
            seam: head.seam,
            predicted: head.predicted,
            uncertainty: head.uncertainty,
        }
    }
}

/// The JSON object for a frame, with the newline that ends it.
///
/// Every number has as many digits as it takes to read the very same one back.
pub(super) fn format(poses: &HeadPoses, context: &Context) -> Result<Vec<u8>, serde_json::Error> {
    let line = Line {
        pts: context.pts.map(gst::ClockTime::nseconds),
        running_time: context.running_time.map(gst::ClockTime::nseconds),
        timestamp: context.timestamp,
        source_name: context.source_name,
        tags: context.tags,
        frame: poses.size(),
        source: poses.source.as_str(),
        age: poses.age.map(gst::ClockTime::nseconds),
        inference_time: poses.inference_time.map(gst::ClockTime::nseconds),
        heads: poses.heads.iter().map(HeadLine::from).collect(),
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headposemeta::Source;

    fn poses(heads: Vec<Head>) -> HeadPoses {
        HeadPoses {
            width: 640,
            height: 360,
            source: Source::Inferred,
            age: Some(gst::ClockTime::ZERO),
            inference_time: Some(gst::ClockTime::from_mseconds(9)),
            heads,
        }
    }

    fn head(rect: Rect, score: f32, angles: Angles) -> Head {
        Head {
            rect,
            score,
            angles,
            truncated: true,
            ..Head::default()
        }
    }

    fn text(poses: &HeadPoses, context: &Context) -> String {
        String::from_utf8(format(poses, context).unwrap()).unwrap()
    }

    #[test]
    fn line_is_short_and_ends_with_a_newline() {
        let turned = Angles::new(0.0, 0.0, -12.3);
        let [cos, sin] = [0, 1].map(|i| turned.rotation()[i]);
        let head = head(Rect::new(10.0, 20.5, 100.0, 0.1), 0.9, turned);
        let context = Context {
            pts: Some(gst::ClockTime::from_mseconds(40)),
            running_time: Some(gst::ClockTime::from_mseconds(20)),
            ..Context::default()
        };
        let written = text(&poses(vec![head]), &context);
        let start = concat!(
            r#"{"pts":40000000,"running_time":20000000,"frame":{"width":640,"height":360},"#,
            r#""source":"inferred","age":0,"inference_time":9000000,"heads":["#,
            r#"{"id":0,"score":0.9,"box":{"x":10.0,"y":20.5,"w":100.0,"h":0.1},"#,
            r#""yaw":0.0,"pitch":0.0,"roll":-12.3,"rotation":["#
        );
        assert!(
            written.starts_with(&format!("{start}{cos},{sin},")),
            "{written}"
        );
        let end = "],\"rear\":false,\"truncated\":true,\"seam\":false,\"predicted\":false}]}\n";
        assert!(written.ends_with(end), "{written}");
    }

    #[test]
    fn numbers_are_read_back_to_the_bit() {
        // A linear congruential generator: every float there is, but for NaN and infinities.
        let mut state = 1u32;
        let mut any = || loop {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let float = f32::from_bits(state.rotate_left(16));
            if float.is_finite() {
                return float;
            }
        };
        for _ in 0..2000 {
            let rect = Rect::new(any(), any(), any(), any());
            let angles = Angles::new(any() % 180.0, any() % 180.0, any() % 180.0);
            let head = head(rect, any(), angles);
            let line = format(&poses(vec![head]), &Context::default()).unwrap();
            let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let read = &line["heads"][0];
            let number = |value: &serde_json::Value| value.as_f64().unwrap() as f32;
            for (name, exact) in [("x", rect.x), ("y", rect.y), ("w", rect.w), ("h", rect.h)] {
                assert_eq!(number(&read["box"][name]), exact, "{name}");
            }
            for (name, exact) in [
                ("score", head.score),
                ("yaw", angles.yaw),
                ("pitch", angles.pitch),
                ("roll", angles.roll),
            ] {
                assert_eq!(number(&read[name]), exact, "{name}");
            }
            let rotation = read["rotation"].as_array().unwrap();
            let rotation: Vec<_> = rotation.iter().filter_map(|v| v.as_f64()).collect();
            assert_eq!(rotation, angles.rotation());
        }
    }
}
