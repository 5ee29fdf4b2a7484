// SPDX-License-Identifier: MPL-2.0
//! The layout of a line: what `docs/pose-line.schema.json` describes.

use serde::Serialize;

use crate::estimator::Head;
use crate::headposemeta::HeadPoses;

#[derive(Serialize)]
struct Line {
    pts: Option<u64>,
    frame: Frame,
    source: &'static str,
    age: u64,
    heads: Vec<HeadLine>,
}

#[derive(Serialize)]
struct Frame {
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct HeadLine {
    id: u64,
    score: f32,
    r#box: BoxLine,
    yaw: f32,
    pitch: f32,
    roll: f32,
    rotation: [f64; 9],
    rear: bool,
    truncated: bool,
    seam: bool,
    predicted: bool,
}

#[derive(Serialize)]
struct BoxLine {
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

impl From<&Head> for HeadLine {
    fn from(head: &Head) -> Self {
        Self {
            id: head.id,
            score: head.score,
            r#box: BoxLine {
                x: head.rect.x,
                y: head.rect.y,
                w: head.rect.w,
                h: head.rect.h,
            },
            yaw: head.angles.yaw,
            pitch: head.angles.pitch,
            roll: head.angles.roll,
            // Six decimals are more than the angles carry; adding zero turns -0 into 0.
            rotation: head
                .angles
                .rotation()
                .map(|v| (v * 1e6).round() / 1e6 + 0.0),
            rear: head.rear,
            truncated: head.truncated,
            seam: head.seam,
            predicted: head.predicted,
        }
    }
}

/// The JSON object for a frame, with the newline that ends it.
pub(super) fn format(
    poses: &HeadPoses,
    pts: Option<gst::ClockTime>,
) -> Result<Vec<u8>, serde_json::Error> {
    let line = Line {
        pts: pts.map(gst::ClockTime::nseconds),
        frame: Frame {
            width: poses.width,
            height: poses.height,
        },
        source: poses.source.as_str(),
        age: poses.age.nseconds(),
        heads: poses.heads.iter().map(HeadLine::from).collect(),
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimator::angles::Angles;
    use crate::estimator::geometry::Rect;
    use crate::headposemeta::Source;

    #[test]
    fn line_is_short_exact_and_ends_with_a_newline() {
        let poses = HeadPoses {
            width: 640,
            height: 360,
            source: Source::Inferred,
            age: gst::ClockTime::ZERO,
            inference_time: gst::ClockTime::from_mseconds(9),
            heads: vec![Head {
                id: 0,
                rect: Rect::new(10.0, 20.5, 100.0, 0.1),
                score: 0.9,
                angles: Angles::new(0.0, 90.0, -12.3),
                rear: false,
                truncated: true,
                seam: false,
                predicted: false,
            }],
        };
        let line = format(&poses, Some(gst::ClockTime::from_mseconds(40))).unwrap();
        assert_eq!(
            std::str::from_utf8(&line).unwrap(),
            concat!(
                r#"{"pts":40000000,"frame":{"width":640,"height":360},"source":"inferred","age":0,"#,
                r#""heads":[{"id":0,"score":0.9,"box":{"x":10.0,"y":20.5,"w":100.0,"h":0.1},"#,
                r#""yaw":0.0,"pitch":90.0,"roll":-12.3,"#,
                r#""rotation":[0.977046,0.21303,0.0,0.0,0.0,-1.0,-0.21303,0.977046,0.0],"#,
                r#""rear":false,"truncated":true,"seam":false,"predicted":false}]}"#,
                "\n"
            )
        );
        let empty = HeadPoses {
            heads: vec![],
            ..poses
        };
        assert_eq!(
            format(&empty, None).unwrap(),
            b"{\"pts\":null,\"frame\":{\"width\":640,\"height\":360},\"source\":\"inferred\",\"age\":0,\
              \"heads\":[]}\n"
        );
    }
}
