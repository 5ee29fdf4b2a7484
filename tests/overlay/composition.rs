// SPDX-License-Identifier: MPL-2.0
//! Drawing by downstream, if it accepts compositions, else by the element itself: always by exactly one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_video::{
    VideoFormat, VideoFrame, VideoInfo, VideoOverlayComposition, VideoOverlayCompositionMeta,
};

use crate::common::toys::{
    self, bytes, caps, collect, harness, pipeline, plain, quick, quick_with, replace, run, take,
};

const FEATURE: &str = "meta:GstVideoOverlayComposition";

fn drawing(parts: &str) -> gst::Element {
    quick_with(&format!("overlay={parts}"))
}

fn overlay(parts: &str) -> gst::Element {
    toys::make("dmheadposeoverlay", &format!("overlay={parts}"))
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
    let pad = toys::pad(pipeline, sink, "sink");
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
    let pad = toys::pad(&pipeline, "sink", "sink");
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(event)) = info.event().map(|event| event.view()) {
            seen.store(has_feature(&event.caps_owned()), Ordering::SeqCst);
        }
        gst::PadProbeReturn::Ok
    });
    run(&pipeline);
    let buffers = take(&buffers);
    assert_eq!(buffers.len(), 3, "{between}");
    (buffers, featured.load(Ordering::SeqCst))
}

#[test]
fn a_sink_that_draws_gets_the_composition_and_untouched_pixels() {
    #[rustfmt::skip]
    let kept = ["", "queue !", "identity ! queue !", "tee ! queue !", "video/x-raw(ANY) !", "videoconvert !"];
    let (blended, _) = play("", &drawing("box+axes+labels"), false);
    for between in kept {
        let (buffers, featured) = play(between, &drawing("box+axes+labels"), true);
        assert!(featured, "{between}");
        for (buffer, blended) in buffers.iter().zip(&blended) {
            let composition = composition(buffer).unwrap_or_else(|| panic!("{between}: no meta"));
            assert!(composition.n_rectangles() > 8, "{between}");
            assert!(bytes(buffer).iter().all(|&byte| byte == 0), "{between}");
            let shown = shown(buffer, VideoFormat::Rgb, (320, 240));
            let off = difference(&shown, &bytes(blended));
            assert!(off <= 1, "{between}: {off}");
        }
    }
}

#[test]
fn any_other_downstream_gets_the_drawing_in_the_pixels() {
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
        (
            "tee name=t ! queue ! fakesink async=false t. ! queue !",
            true,
        ),
    ] {
        let (buffers, featured) = play(between, &drawing("box+axes"), sink_draws);
        assert!(!featured, "{between}");
        for buffer in buffers {
            assert!(composition(&buffer).is_none(), "{between}");
            assert!(bytes(&buffer).iter().any(|&byte| byte > 50), "{between}");
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
        let (drawn, plain) = (take(&drawn), take(&plain));
        assert_eq!((drawn.len(), plain.len()), (5, 5));
        for (drawn, plain) in drawn.iter().zip(&plain) {
            assert_eq!(drawn.pts(), plain.pts());
            let memories = [drawn, plain].map(|buffer| buffer.peek_memory(0).as_ptr());
            assert_eq!(memories[0] == memories[1], draws);
            assert_eq!(composition(drawn).is_some(), draws);
            assert!(composition(plain).is_none());
        }
    }
}

#[test]
fn drawings_of_two_elements_add_up() {
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

fn black(n: u64, (width, height): (u32, u32)) -> gst::Buffer {
    plain(width, height, n, [0; 3])
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
    let out = h.push_and_pull(black(n, size)).unwrap();
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
fn downstream_is_queried_again_after_a_reconfigure_event() {
    // The drawing element needs the meta on its frames.
    let (estimating, drawing_only, bin) = (quick(), overlay("box"), gst::Bin::new());
    bin.add_many([&estimating, &drawing_only]).unwrap();
    estimating.link(&drawing_only).unwrap();
    for (element, pad) in [(&estimating, "sink"), (&drawing_only, "src")] {
        let pad = gst::GhostPad::with_target(&element.static_pad(pad).unwrap()).unwrap();
        bin.add_pad(&pad).unwrap();
    }
    for element in [drawing("box"), bin.upcast()] {
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
fn new_caps_and_flushes_do_not_move_the_drawing() {
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
fn no_query_and_no_meta_until_something_is_drawn() {
    let element = quick();
    let (mut h, answers) = switchable(&element);
    answers.store(true, Ordering::SeqCst);
    let frame = || black(0, (320, 240));
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
    let (mut h, answers) = switchable(&quick_with("overlay=box blur-heads=fill"));
    answers.store(true, Ordering::SeqCst);
    let out = h.push_and_pull(plain(320, 240, 0, [255; 3])).unwrap();
    assert!(composition(&out).is_some());
    let pixels = bytes(&out);
    // The middle of the first head is at 8/32 of the width and 10/32 of the height.
    assert_eq!(pixels[(75 * 320 + 80) * 3..][..3], [0; 3]);
    assert_eq!(pixels[..3], [255; 3]);
}
