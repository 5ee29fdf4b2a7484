// SPDX-License-Identifier: MPL-2.0
//! Who draws: downstream, if it accepts compositions, else the element itself. One of them always draws.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_video::{
    VideoFormat, VideoFrame, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta,
};

use crate::common::toys::{
    self, bytes, caps, collect, harness, number, picture, pipeline, quick, replace, run,
};

const FEATURE: &str = "meta:GstVideoOverlayComposition";

/// The estimating element, which draws these parts.
fn drawing(parts: &str) -> gst::Element {
    let element = quick();
    element.set_property_from_str("overlay", parts);
    element
}

fn overlay(parts: &str) -> gst::Element {
    toys::init();
    let element = gst::ElementFactory::make("dmheadposeoverlay").build();
    let element = element.unwrap();
    element.set_property_from_str("overlay", parts);
    element
}

/// Makes downstream of `pad` reply, while `answers` is set, that it draws compositions.
fn draw_behind(pad: &gst::Pad, answers: &Arc<AtomicBool>) {
    let answers = answers.clone();
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, info| {
        let Some(query) = info.query_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        match query.view_mut() {
            gst::QueryViewMut::Allocation(query) if answers.load(Ordering::SeqCst) => {
                query.add_allocation_meta::<VideoOverlayCompositionMeta>(None);
                gst::PadProbeReturn::Handled
            }
            _ => gst::PadProbeReturn::Ok,
        }
    });
}

/// Makes the sink of this name accept compositions.
fn let_sink_draw(pipeline: &gst::Pipeline, sink: &str) {
    let sink = pipeline.by_name(sink).unwrap();
    let pad = sink.static_pad("sink").unwrap();
    draw_behind(&pad, &Arc::new(AtomicBool::new(true)));
}

fn composition(buffer: &gst::BufferRef) -> Option<VideoOverlayComposition> {
    let meta = buffer.meta::<VideoOverlayCompositionMeta>()?;
    Some(meta.overlay_owned())
}

/// The pixels as shown by a sink that draws compositions.
fn shown(buffer: &gst::Buffer, format: VideoFormat, (width, height): (u32, u32)) -> Vec<u8> {
    let info = VideoInfo::builder(format, width, height).build().unwrap();
    let mut frame = VideoFrame::from_buffer_writable(buffer.copy_deep().unwrap(), &info).unwrap();
    if let Some(composition) = composition(buffer) {
        let mut frame = frame.as_mut_video_frame_ref();
        composition.blend(&mut frame).unwrap();
    }
    bytes(&frame.into_buffer())
}

/// Largest difference of two pictures.
fn difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

fn has_feature(caps: &gst::Caps) -> bool {
    caps.features(0).unwrap().contains(FEATURE)
}

/// Sends black frames through the element and `between` to a sink that draws compositions, or does not.
/// Returns the buffers that arrive and whether their caps have the feature.
fn play(between: &str, element: &gst::Element, sink_draws: bool) -> (Vec<gst::Buffer>, bool) {
    let line = format!(
        "videotestsrc num-buffers=3 pattern=black ! video/x-raw,format=RGB,width=320,height=240 \
         ! identity name=here ! {between} fakesink name=sink async=false"
    );
    let pipeline = pipeline(&line, element);
    if sink_draws {
        let_sink_draw(&pipeline, "sink");
    }
    let buffers = collect(&pipeline, "sink");
    let featured = Arc::new(AtomicBool::new(false));
    let seen = featured.clone();
    let pad = pipeline.by_name("sink").unwrap().static_pad("sink");
    pad.unwrap()
        .add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(gst::EventView::Caps(event)) = info.event().map(|event| event.view()) {
                seen.store(has_feature(&event.caps_owned()), Ordering::SeqCst);
            }
            gst::PadProbeReturn::Ok
        });
    run(&pipeline);
    let buffers = std::mem::take(&mut *buffers.lock().unwrap());
    assert_eq!(buffers.len(), 3, "{between}");
    (buffers, featured.load(Ordering::SeqCst))
}

#[test]
fn a_sink_that_draws_gets_the_composition_and_untouched_pixels() {
    for between in [
        "",
        "queue !",
        "identity ! queue !",
        "video/x-raw(ANY) !",
        "videoconvert !",
        "tee ! queue !",
    ] {
        let (buffers, featured) = play(between, &drawing("box+axes+labels"), true);
        let (blended, _) = play(between, &drawing("box+axes+labels"), false);
        assert!(featured, "{between}");
        for (buffer, blended) in buffers.iter().zip(&blended) {
            let composition = composition(buffer).unwrap_or_else(|| panic!("{between}: no meta"));
            assert!(composition.n_rectangles() > 8, "{between}");
            assert!(bytes(buffer).iter().all(|&byte| byte == 0), "{between}");
            let off = difference(
                &shown(buffer, VideoFormat::Rgb, (320, 240)),
                &bytes(blended),
            );
            assert!(off <= 1, "{between}: {off}");
        }
    }
}

#[test]
fn everybody_else_gets_the_drawing_in_the_pixels() {
    for (between, sink_draws) in [
        ("", false),
        ("queue !", false),
        ("videoconvert !", false),
        ("tee ! queue !", false),
        // An element that processes the pixels would lose the composition or misplace it.
        ("videoscale ! video/x-raw,width=160,height=120 !", true),
        ("videoconvert ! video/x-raw,format=I420 !", true),
        ("videocrop left=8 !", true),
        // An encoder's caps have no such feature.
        ("video/x-raw !", true),
    ] {
        let (buffers, featured) = play(between, &drawing("box+axes"), sink_draws);
        assert!(!featured, "{between}");
        for buffer in buffers {
            assert!(composition(&buffer).is_none(), "{between}");
            assert!(bytes(&buffer).iter().any(|&byte| byte > 50), "{between}");
        }
    }
}

#[test]
fn a_tee_with_a_branch_that_does_not_draw_gets_pixels() {
    let line = "videotestsrc num-buffers=2 pattern=black \
         ! video/x-raw,format=RGB,width=320,height=240 ! identity name=here ! tee name=t \
         t. ! queue ! fakesink name=draws async=false \
         t. ! queue ! fakesink name=plain async=false";
    let pipeline = pipeline(line, &drawing("box"));
    let_sink_draw(&pipeline, "draws");
    let both = [collect(&pipeline, "draws"), collect(&pipeline, "plain")];
    run(&pipeline);
    for buffers in both {
        for buffer in buffers.lock().unwrap().iter() {
            assert!(composition(buffer).is_none());
            assert!(bytes(buffer).iter().any(|&byte| byte > 50));
        }
    }
}

/// A frame that another branch holds too is not copied.
#[test]
fn behind_a_tee_the_pixels_are_shared() {
    let line = "videotestsrc num-buffers=5 ! video/x-raw,format=I420,width=320,height=240 \
         ! identity name=here ! tee name=t \
         t. ! queue ! identity name=draw ! fakesink name=drawn async=false \
         t. ! queue ! fakesink name=plain async=false";
    for draws in [true, false] {
        let pipeline = pipeline(line, &quick());
        replace(&pipeline, "draw", &overlay("box+axes+labels"));
        if draws {
            let_sink_draw(&pipeline, "drawn");
        }
        let (drawn, plain) = (collect(&pipeline, "drawn"), collect(&pipeline, "plain"));
        run(&pipeline);
        let (drawn, plain) = (drawn.lock().unwrap(), plain.lock().unwrap());
        assert_eq!((drawn.len(), plain.len()), (5, 5));
        for (drawn, plain) in drawn.iter().zip(plain.iter()) {
            assert_eq!(drawn.pts(), plain.pts());
            let memories = [drawn, plain].map(|buffer| buffer.peek_memory(0).as_ptr());
            assert_eq!(memories[0] == memories[1], draws);
            assert_eq!(composition(drawn).is_some(), draws);
            assert!(composition(plain).is_none());
        }
    }
}

#[test]
fn what_two_elements_draw_adds_up() {
    for sink_draws in [true, false] {
        let line = "videotestsrc num-buffers=2 pattern=black \
             ! video/x-raw,format=RGB,width=320,height=240 \
             ! identity name=here ! identity name=draw ! fakesink name=sink async=false";
        let pipeline = pipeline(line, &drawing("box"));
        replace(&pipeline, "draw", &overlay("labels"));
        if sink_draws {
            let_sink_draw(&pipeline, "sink");
        }
        let buffers = collect(&pipeline, "sink");
        run(&pipeline);
        let (once, _) = play("", &drawing("box+labels"), sink_draws);
        for (buffer, once) in buffers.lock().unwrap().iter().zip(&once) {
            let metas = buffer.iter_meta::<VideoOverlayCompositionMeta>().count();
            assert_eq!(metas, usize::from(sink_draws));
            let count = |buffer| composition(buffer).map(|c| c.n_rectangles());
            assert_eq!(count(buffer), count(once));
            let both = [buffer, once].map(|buffer| shown(buffer, VideoFormat::Rgb, (320, 240)));
            assert!(difference(&both[0], &both[1]) <= 1);
        }
    }
}

#[test]
fn anothers_composition_is_kept_where_we_blend() {
    let mut h = harness(&drawing("box"), &caps(VideoFormat::Rgb, 320, 240));
    let mut other = harness(&drawing("labels"), &caps(VideoFormat::Rgb, 320, 240));
    let src = other.element().unwrap().static_pad("src").unwrap();
    draw_behind(&src, &Arc::new(AtomicBool::new(true)));
    let buffer = other
        .push_and_pull(picture(320, 240, |_, _| [0; 3]))
        .unwrap();
    let before = composition(&buffer).unwrap().n_rectangles();
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!(composition(&out).unwrap().n_rectangles(), before);
    assert!(bytes(&out).iter().any(|&byte| byte > 50), "the box");
}

/// A harness whose downstream draws while the flag is set.
fn switchable(element: &gst::Element) -> (gst_check::Harness, Arc<AtomicBool>) {
    let answers = Arc::new(AtomicBool::new(false));
    draw_behind(&element.static_pad("src").unwrap(), &answers);
    let h = harness(element, &caps(VideoFormat::Rgb, 320, 240));
    (h, answers)
}

/// Pushes a black frame and returns who draws on it; the caps have to agree.
fn downstream_draws(h: &mut gst_check::Harness, n: u64, size: (u32, u32)) -> bool {
    let mut frame = picture(size.0, size.1, |_, _| [0; 3]);
    number(&mut frame, n);
    let out = h.push_and_pull(frame).unwrap();
    let composed = composition(&out).is_some();
    let drawn = bytes(&out).iter().any(|&byte| byte > 50);
    assert!(composed != drawn, "drawn {drawn}, composed {composed}");
    let src = h.element().unwrap().static_pad("src").unwrap();
    let caps = src.current_caps().unwrap();
    assert_eq!(has_feature(&caps), composed, "{caps}");
    assert_eq!(VideoInfo::from_caps(&caps).unwrap().width(), size.0);
    composed
}

#[test]
fn the_answer_is_asked_for_again_when_downstream_changes() {
    for element in [drawing("box"), {
        // Draws from the meta that the frame must carry already.
        let bin = gst::parse::bin_from_description(
            "identity name=here ! dmheadposeoverlay overlay=box",
            true,
        );
        let bin = bin.unwrap();
        let (old, estimating) = (bin.by_name("here").unwrap(), quick());
        let next = old.static_pad("src").unwrap().peer().unwrap();
        let ghost = bin.static_pad("sink").unwrap();
        bin.remove(&old).unwrap();
        bin.add(&estimating).unwrap();
        estimating.static_pad("src").unwrap().link(&next).unwrap();
        let ghost = ghost.downcast::<gst::GhostPad>().unwrap();
        ghost
            .set_target(estimating.static_pad("sink").as_ref())
            .unwrap();
        bin.upcast()
    }] {
        let (mut h, answers) = switchable(&element);
        let size = (320, 240);
        for (n, draws) in [false, true, true, false, true].into_iter().enumerate() {
            let n = 10 * n as u64;
            answers.store(draws, Ordering::SeqCst);
            assert!(h.push_upstream_event(gst::event::Reconfigure::new()));
            assert_eq!(downstream_draws(&mut h, n, size), draws);
            assert_eq!(downstream_draws(&mut h, n + 1, size), draws);
            // Nothing was reported as changed, so there is no new query.
            answers.store(!draws, Ordering::SeqCst);
            assert_eq!(downstream_draws(&mut h, n + 2, size), draws);
        }
    }
}

#[test]
fn new_caps_and_flushes_do_not_change_who_draws() {
    for draws in [true, false] {
        let (mut h, answers) = switchable(&drawing("box"));
        answers.store(draws, Ordering::SeqCst);
        for (n, size) in [(320, 240), (640, 480), (640, 480), (320, 240)]
            .into_iter()
            .enumerate()
        {
            h.set_src_caps(caps(VideoFormat::Rgb, size.0, size.1));
            assert_eq!(downstream_draws(&mut h, 2 * n as u64, size), draws);
            toys::flush(&mut h);
            assert_eq!(downstream_draws(&mut h, 2 * n as u64 + 1, size), draws);
        }
    }
}

#[test]
fn nothing_is_asked_or_attached_until_something_is_drawn() {
    let element = quick();
    let (mut h, answers) = switchable(&element);
    answers.store(true, Ordering::SeqCst);
    let frame = || picture(320, 240, |_, _| [0; 3]);
    let src = element.static_pad("src").unwrap();
    let out = h.push_and_pull(frame()).unwrap();
    assert!(composition(&out).is_none() && !has_feature(&src.current_caps().unwrap()));
    element.set_property_from_str("overlay", "box");
    assert!(downstream_draws(&mut h, 1, (320, 240)));
    // No head: nothing to draw.
    element.set_property("score-threshold", 0.99f32);
    assert!(composition(&h.push_and_pull(frame()).unwrap()).is_none());
}

#[test]
fn hidden_heads_are_hidden_in_the_pixels_also_where_downstream_draws() {
    let element = drawing("box");
    element.set_property_from_str("blur-heads", "fill");
    let (mut h, answers) = switchable(&element);
    answers.store(true, Ordering::SeqCst);
    let out = h.push_and_pull(picture(320, 240, |_, _| [255; 3])).unwrap();
    assert!(composition(&out).is_some());
    let pixels = bytes(&out);
    // The middle of the first head is at 8/32 of the width and 10/32 of the height.
    assert_eq!(pixels[(75 * 320 + 80) * 3..][..3], [0; 3]);
    assert_eq!(pixels[..3], [255; 3]);
}
