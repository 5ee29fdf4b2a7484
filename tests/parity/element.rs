// SPDX-License-Identifier: MPL-2.0
//! The whole element: its buffers carry the estimator's results for the same frame, also when the
//! caps set matrix and range.

use gst::prelude::*;
use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrame, VideoInfo};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::image::frame::{FrameView, PixelFormat};
use gstdmheadpose::headposemeta::{HeadPoses, Source};

use crate::common::{fetched, load, toys};
use crate::estimate::SETTINGS;
use crate::fetched::{WHENET, YUNET, picture};
use crate::yuv::{MATRICES, YuvFrame};

const PICTURE: &str = "multi_face.png";

fn expected(frame: &FrameView<'_>) -> Vec<Head> {
    let mut estimator = load(&fetched(YUNET), &fetched(WHENET), None);
    let heads = estimator.process(frame, None, &SETTINGS).unwrap().to_vec();
    assert!(heads.len() >= 5, "{PICTURE} has five heads: {heads:?}");
    heads
}

/// A buffer with the rows of `planes`, each with its stride, laid out as in `info`.
fn buffer(info: &VideoInfo, planes: &[(&[u8], usize)]) -> gst::Buffer {
    let buffer = gst::Buffer::with_size(info.size()).unwrap();
    let mut frame = VideoFrame::from_buffer_writable(buffer, info).unwrap();
    for (index, (bytes, stride)) in planes.iter().enumerate() {
        let target = info.stride()[index] as usize;
        let rows = frame.plane_data_mut(index as u32).unwrap();
        for (to, from) in rows.chunks_mut(target).zip(bytes.chunks(*stride)) {
            let n = to.len().min(from.len());
            to[..n].copy_from_slice(&from[..n]);
        }
    }
    frame.into_buffer()
}

fn poses_behind_the_element(info: &VideoInfo, mut buffer: gst::Buffer) -> HeadPoses {
    let element = toys::make("dmheadpose", "");
    element.set_property("detector-model", fetched(YUNET).to_str());
    element.set_property("pose-model", fetched(WHENET).to_str());
    let mut h = toys::harness(&element, &info.to_caps().unwrap());
    toys::number(&mut buffer, 0);
    toys::poses(&h.push_and_pull(buffer).unwrap())
}

fn check(info: &VideoInfo, planes: &[(&[u8], usize)], frame: &FrameView<'_>) {
    let poses = poses_behind_the_element(info, buffer(info, planes));
    assert_eq!((poses.width, poses.height), (info.width(), info.height()));
    assert_eq!(poses.source, Source::Inferred);
    assert_eq!(poses.heads, expected(frame), "{info:?}");
}

#[test]
fn the_element_attaches_what_the_estimator_finds_by_the_colorimetry_of_the_caps() {
    use gst_video::{VideoColorPrimaries, VideoColorimetry, VideoTransferFunction};
    let picture = picture(PICTURE);
    let (width, height) = (picture.size.width, picture.size.height);
    let info = VideoInfo::builder(VideoFormat::Bgr, width, height).build();
    let planes = [(picture.bgr.as_slice(), width as usize * 3)];
    check(&info.unwrap(), &planes, &picture.view());
    for matrix in &MATRICES {
        let range = match matrix.colorimetry.full_range {
            true => VideoColorRange::Range0_255,
            false => VideoColorRange::Range16_235,
        };
        let coefficients = match matrix.name.starts_with("BT.709") {
            true => VideoColorMatrix::Bt709,
            false => VideoColorMatrix::Bt601,
        };
        let colorimetry = VideoColorimetry::new(
            range,
            coefficients,
            VideoTransferFunction::Bt709,
            VideoColorPrimaries::Bt709,
        );
        let info = VideoInfo::builder(VideoFormat::Nv12, width, height).colorimetry(&colorimetry);
        let frame = YuvFrame::new(&picture, PixelFormat::Nv12, matrix);
        let planes = frame.planes.iter();
        let planes: Vec<_> = planes.map(|(bytes, s)| (&bytes[..], *s)).collect();
        check(&info.build().unwrap(), &planes, &frame.view());
    }
}
