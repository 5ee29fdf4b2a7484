// SPDX-License-Identifier: MPL-2.0
//! The experiments: which subjects run on which frames.

use std::cell::RefCell;

use gst_video::VideoFormat;
use gstdmheadpose::estimator::angles::Angles;

use crate::Arguments;
use crate::clip::Clip;
use crate::noise;
use crate::results::{Results, Subject, median};
use crate::subjects::{self, Cost, Element, Floor, Models, Upstream};

const FRAMES_IN_CLIP: usize = 12;

/// Frames per turn when two subjects with little difference are compared: during a longer turn the load of the
/// machine changes. With several frames in flight, filling and draining the queue would count too much.
const SHORT_TURN: usize = 8;

fn subject<'a>(name: &str, work: impl FnMut() -> Cost + 'a) -> Subject<'a> {
    (name.into(), Box::new(work))
}

/// Upstream's loop in each of its threadings.
fn loops<'a>(upstream: &'a RefCell<&mut Upstream>, frames: usize) -> [Subject<'a>; 3] {
    [
        ("its defaults", 0, true),
        ("1 thread", 1, true),
        ("no spinning", 0, false),
    ]
    .map(|(name, threads, spinning)| {
        let run = move || upstream.borrow_mut().run(frames, threads, spinning);
        subject(&format!("upstream's loop, {name}"), run)
    })
}

fn title(text: &str) {
    println!("\n== {text}\n(milliseconds a frame; x: ratio to the first line of its group)");
    noise::warn();
}

/// The element's overhead on its networks at 1280x720, one to four heads.
pub fn floor(arguments: &Arguments, results: &mut Results) {
    for heads in [1, 2, 4] {
        title(&format!("1280x720, {heads} heads"));
        let clip = Clip::new(&arguments.clip, heads, 1280, 720, FRAMES_IN_CLIP);
        for format in [VideoFormat::I420, VideoFormat::Nv12] {
            let case = format!("{format}, {heads} heads");
            against_floor(arguments, results, "floor", &case, &clip.converted(format));
        }
    }
}

/// Floor and element, interleaved.
fn against_floor(
    arguments: &Arguments,
    results: &mut Results,
    experiment: &str,
    case: &str,
    clip: &Clip,
) {
    let models = arguments.models();
    let mut floor = Floor::new(&models, clip, 0);
    let mut element = Element::new(&models, clip, &[("pipeline-depth", "1")]);
    let rounds = arguments.rounds * arguments.frames.div_ceil(SHORT_TURN);
    results.run(
        experiment,
        case,
        rounds,
        &mut [
            subject("ONNX Runtime alone", || floor.run(SHORT_TURN)),
            subject("element, depth 1", || element.run(SHORT_TURN)),
        ],
    );
}

/// Element and upstream's loop at 1280x720, with one to four heads, a setting that DMHead was made for.
pub fn upstream(arguments: &Arguments, results: &mut Results) {
    let models = arguments.models();
    let frames = arguments.frames;
    let mut upstream = Upstream::new(&arguments.python, &models);
    for heads in [1, 2, 4] {
        title(&format!("1280x720, {heads} heads"));
        let clip = Clip::new(&arguments.clip, heads, 1280, 720, FRAMES_IN_CLIP);
        let bgr = clip.converted(VideoFormat::Bgr);
        upstream.load(&bgr, &arguments.output);
        same_heads(&models, &bgr, &mut upstream);
        let mut serial = Element::new(&models, &clip, &[("pipeline-depth", "1")]);
        let mut two = Element::new(&models, &clip, &[("pipeline-depth", "2")]);
        let mut three = Element::new(&models, &clip, &[("pipeline-depth", "3")]);
        let upstream = RefCell::new(&mut upstream);
        let mut subjects = vec![
            subject("element, depth 1", || serial.run(frames)),
            subject("element, depth 2", || two.run(frames)),
            subject("element, depth 3", || three.run(frames)),
        ];
        subjects.extend(loops(&upstream, frames));
        let case = format!("I420, {heads} heads");
        results.run("upstream", &case, arguments.rounds, &mut subjects);
    }
}

/// The default models at 1280x720: the element with and without tracking, and a loop as upstream's that runs a front and a
/// rear network on each head of each frame, 3DDFA_V2 and WHENet.
pub fn pair(arguments: &Arguments, results: &mut Results) {
    let models = arguments.default_models();
    let frames = arguments.frames;
    let mut upstream = Upstream::new(
        &arguments.python,
        &Models {
            rear: Some(arguments.pose_model.clone()),
            ..models.clone()
        },
    );
    for heads in [1, 2, 4] {
        title(&format!("The default models, 1280x720, {heads} heads"));
        let clip = Clip::at_rate(&arguments.clip, heads, (1280, 720), 2 * FRAMES_IN_CLIP, 25);
        let bgr = clip.converted(VideoFormat::Bgr);
        upstream.load(&bgr, &arguments.output);
        let cases = [
            ("1", true),
            ("2", true),
            ("3", true),
            ("1", false),
            ("2", false),
            ("3", false),
        ];
        let mut elements = cases.map(|(depth, tracked)| {
            let tracking = if tracked { "true" } else { "false" };
            let element = Element::new(
                &models,
                &clip,
                &[("pipeline-depth", depth), ("tracking", tracking)],
            );
            let name = if tracked { "tracking" } else { "no tracking" };
            (format!("element, {name}, depth {depth}"), element)
        });
        let ours: usize = elements[3].1.heads().iter().map(Vec::len).sum();
        let theirs: usize = upstream.heads().iter().map(Vec::len).sum();
        println!("{ours} heads in the element, {theirs} in the loop");
        let upstream = RefCell::new(&mut upstream);
        let mut subjects: Vec<_> = elements
            .iter_mut()
            .map(|(name, element)| subject(name, || element.run(frames)))
            .collect();
        subjects.extend(loops(&upstream, frames));
        let case = format!("I420, {heads} heads");
        results.run("pair", &case, arguments.rounds, &mut subjects);
        drop(subjects);
        for (name, element) in [&elements[0], &elements[3]] {
            println!(
                "{name}: pose networks {:.2} ms a frame",
                element.pose_stage()
            );
        }
        let whenet = arguments.models();
        let mut alone = Floor::new(&whenet, &clip, 0);
        let costs: Vec<_> = (0..arguments.rounds)
            .map(|_| alone.run_pose(SHORT_TURN).wall)
            .collect();
        println!(
            "WHENet alone on the same heads: {:.2} ms a frame",
            median(costs)
        );
    }
}

/// Compares the heads that element and loop find in the same BGR frames.
fn same_heads(models: &Models, clip: &Clip, upstream: &mut Upstream) {
    for depth in ["1", "2"] {
        let mut element = Element::new(models, clip, &[("pipeline-depth", depth)]);
        let (mut count, mut most) = (0, 0.0f64);
        let both = element.heads().into_iter().zip(upstream.heads());
        for (frame, (ours, mut theirs)) in both.enumerate() {
            let mut ours: Vec<[f64; 7]> = ours
                .iter()
                .map(|head| {
                    let (rect, angles) = (head.rect, head.angles);
                    let corners = [rect.x, rect.y, rect.right(), rect.bottom()];
                    let [x0, y0, x1, y1] = corners.map(f64::from);
                    let [yaw, pitch, roll] = [angles.yaw, angles.pitch, angles.roll].map(f64::from);
                    [x0, y0, x1, y1, yaw, pitch, roll]
                })
                .collect();
            let order =
                |a: &[f64; 7], b: &[f64; 7]| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1]));
            ours.sort_by(order);
            theirs.sort_by(order);
            assert_eq!(ours.len(), theirs.len(), "heads in frame {frame}");
            count += ours.len();
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours[..4], theirs[..4], "boxes in frame {frame}");
                let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
                most = differences.fold(most, f64::max);
            }
        }
        assert!(most < 0.01, "angles differ by {most} degrees");
        println!(
            "depth {depth}: the same {count} heads in BGR as upstream's loop, angles within {most:.5} degrees"
        );
    }
}

/// The angle of the rotation between two poses, in degrees.
fn between(a: &Angles, b: &Angles) -> f64 {
    let (a, b) = (a.rotation(), b.rotation());
    let trace: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
    ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
}

/// What intervals for detection and pose save, and what they cost in accuracy, on the unmodified clip: one head.
pub fn intervals(arguments: &Arguments, results: &mut Results) {
    title("Intervals, 640x360 I420, 25 frames a second, one head");
    let models = arguments.models();
    let clip = Clip::at_rate(&arguments.clip, 1, (640, 360), 150, 25);
    let cases: [(&str, &[(&str, &str)]); 3] = [
        ("every frame", &[]),
        ("detection-interval=5", &[("detection-interval", "5")]),
        (
            "detection-interval=5 pose-interval=3",
            &[("detection-interval", "5"), ("pose-interval", "3")],
        ),
    ];
    let mut elements = cases.map(|(name, properties)| {
        let properties = [&[("pipeline-depth", "1")], properties].concat();
        (name, Element::new(&models, &clip, &properties))
    });
    let every = elements[0].1.heads();
    for (name, element) in &mut elements[1..] {
        let frames = element.heads();
        let pairs = frames.iter().flatten().zip(every.iter().flatten());
        let angles = pairs.map(|(a, b)| between(&a.angles, &b.angles));
        let angles: Vec<f64> = angles.collect();
        let heads = (angles.len(), every.iter().flatten().count());
        let most = angles.iter().copied().fold(0.0, f64::max);
        println!(
            "{name}: {} of {} heads, poses differ by {:.2} degrees (median), {most:.1} at most",
            heads.0,
            heads.1,
            median(angles)
        );
    }
    let frames = arguments.frames.max(60);
    let mut subjects: Vec<Subject<'_>> = elements
        .iter_mut()
        .map(|(name, element)| subject(name, || element.run(frames)))
        .collect();
    results.run("intervals", "I420, 1 head", arguments.rounds, &mut subjects);
}

/// How the cost scales.
pub fn sweeps(arguments: &Arguments, results: &mut Results) {
    let models = arguments.default_models();
    let rounds = arguments.rounds.min(5);
    let frames = arguments.frames.min(20);
    let clip =
        |heads, width, height| Clip::new(&arguments.clip, heads, width, height, FRAMES_IN_CLIP);
    title("Heads, 1920x1080 I420");
    for heads in [1, 2, 4, 9, 16, 25] {
        let case = format!("{heads} heads");
        let clip = clip(heads, 1920, 1080);
        against_floor(arguments, results, "heads", &case, &clip);
    }

    title("Formats, 1280x720, two heads");
    let two = clip(2, 1280, 720);
    for format in [
        VideoFormat::I420,
        VideoFormat::Nv12,
        VideoFormat::Yuy2,
        VideoFormat::Rgb,
        VideoFormat::Bgrx,
        VideoFormat::Gray8,
    ] {
        let (case, clip) = (format.to_string(), two.converted(format));
        against_floor(arguments, results, "formats", &case, &clip);
    }

    title("Frame sizes, I420, two heads");
    let sizes = [
        (1280, 720),
        (320, 240),
        (640, 360),
        (1920, 1080),
        (3840, 2160),
    ];
    let clips = sizes.map(|(width, height)| clip(2, width, height));
    let mut elements = clips
        .each_ref()
        .map(|clip| Element::new(&models, clip, &[("pipeline-depth", "1")]));
    let mut subjects: Vec<Subject<'_>> = sizes
        .iter()
        .zip(&mut elements)
        .map(|((width, height), element)| {
            subject(&format!("{width}x{height}"), move || element.run(frames))
        })
        .collect();
    results.run("sizes", "I420, 2 heads", rounds, &mut subjects);
    drop(subjects);

    title("Start: models loaded, one frame analysed, 1280x720, two heads");
    results.run(
        "start",
        "I420, 2 heads",
        rounds,
        &mut [
            subject("estimator alone", || subjects::load_and_run(&models, &two)),
            subject("element", || Element::start_up(&models, &two)),
        ],
    );

    title("Threads and frames in flight, 1280x720 I420, two heads");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut elements = Vec::new();
    for threads in (1..=cores.min(4)).rev() {
        for depth in 1..=cores.min(4) + 1 {
            let (threads, depth) = (threads.to_string(), depth.to_string());
            let properties = [
                ("intra-op-threads", threads.as_str()),
                ("pipeline-depth", &depth),
            ];
            let element = Element::new(&models, &two, &properties);
            elements.push((format!("{threads} threads, depth {depth}"), element));
        }
    }
    let mut subjects: Vec<Subject<'_>> = elements
        .iter_mut()
        .map(|(name, element)| subject(name, || element.run(frames)))
        .collect();
    results.run("schedule", "I420, 2 heads", rounds, &mut subjects);
    drop(subjects);
    drop(elements);

    title("Streams, 1280x720 I420, two heads; milliseconds a frame of any stream");
    let mut fleets = Vec::new();
    for streams in [1, 2, 4, 8, 16] {
        for share in ["false", "true"] {
            let properties = [("pipeline-depth", "1"), ("share-models", share)];
            let fleet: Vec<_> = (0..streams)
                .map(|_| Element::new(&models, &two, &properties))
                .collect();
            let kind = if share == "true" { "shared" } else { "own" };
            fleets.push((format!("{streams} streams, {kind} models"), fleet));
        }
    }
    let mut subjects: Vec<Subject<'_>> = fleets
        .iter_mut()
        .map(|(name, fleet)| subject(name, || Element::run_all(fleet, frames)))
        .collect();
    results.run("streams", "I420, 2 heads", rounds, &mut subjects);
}
