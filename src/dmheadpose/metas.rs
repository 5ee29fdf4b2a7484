// SPDX-License-Identifier: MPL-2.0
//! The metas on buffers: heads are read from those of other vendors' elements, and poses are written in the formats
//! that those elements read.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use super::options::DmHeadPoseMetaFormat as Format;
use crate::analytics::{Analytics, LIBRARY, Object};
use crate::estimator::detector::Detection;
use crate::estimator::geometry::{Rect, Size};
use crate::headposemeta::HeadPoses;
use crate::roi;

/// Warns the application once, as `warned` notes, if one of the `formats` is not available.
pub(super) fn warn_of_missing(formats: Format, element: &gst::Element, warned: &AtomicBool) {
    if formats.contains(Format::ANALYTICS)
        && let Err(found) = Analytics::get()
        && !warned.swap(true, Ordering::Relaxed)
    {
        gst::element_warning!(
            element,
            gst::LibraryError::Settings,
            ("meta-format: no analytics metas are attached. Expected GStreamer 1.24 or newer with its \
                 library {LIBRARY}, found: {found}. The other formats are not affected")
        );
    }
}

/// How many tracks keep their time of first sight.
const TRACKS: usize = 1024;

/// Boxes with a larger intersection over union are of the same object.
const SAME_IOU: f32 = 0.5;

/// A head that an element upstream has found.
#[derive(Clone, Copy, Debug, PartialEq)]
struct KnownHead {
    detection: Detection,
    /// Which of the buffer's regions of interest it is.
    region: Option<usize>,
    /// The analytics object that it is.
    object: Option<Object>,
    track: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct KnownHeads {
    heads: Vec<KnownHead>,
    detections: Vec<Detection>,
}

impl KnownHeads {
    /// The regions and objects on the buffer whose type is among `classes`, separated by commas; `None`: all.
    pub fn read(buffer: &gst::BufferRef, classes: Option<&str>) -> Self {
        let objects = match Analytics::get() {
            Ok(analytics) => analytics.objects(buffer),
            Err(_) => Vec::new(),
        };
        let is_wanted = |class: Option<&str>| {
            classes.is_none_or(|classes| {
                let mut classes = classes.split(',');
                class.is_some_and(|class| classes.any(|wanted| wanted.trim() == class))
            })
        };
        Self::new(merge(roi::regions(buffer), objects, is_wanted))
    }

    fn new(heads: Vec<KnownHead>) -> Self {
        let detections = heads.iter().map(|head| head.detection).collect();
        Self { heads, detections }
    }

    pub fn detections(&self) -> &[Detection] {
        &self.detections
    }

    /// Removes and returns the upstream head that best overlaps `rect`: the estimator leaves heads out, changes their
    /// order and cuts boxes to the frame.
    fn take(&mut self, rect: Rect, frame: Size) -> Option<KnownHead> {
        let overlap = |head: &KnownHead| head.detection.rect.truncated(frame).iou(&rect);
        let overlaps = self.heads.iter().map(overlap).enumerate().rev();
        let (index, overlap) = overlaps.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        (overlap > SAME_IOU).then(|| self.heads.remove(index))
    }
}

/// Regions and objects of the wanted classes; a region and its object count once.
fn merge(
    regions: impl Iterator<Item = roi::Region>,
    objects: Vec<Object>,
    is_wanted: impl Fn(Option<&str>) -> bool,
) -> Vec<KnownHead> {
    let is_twin = |region: &roi::Region, object: &Object| {
        i64::from(region.object) == i64::from(object.id) && region.rect.iou(&object.rect) > SAME_IOU
    };
    let detection = |rect, confidence: f32| Detection {
        rect,
        score: if confidence.is_finite() {
            confidence
        } else {
            1.0
        },
    };
    let mut objects: Vec<Option<Object>> = objects.into_iter().map(Some).collect();
    let mut known = Vec::new();
    for (index, region) in regions.enumerate() {
        let twin = objects
            .iter_mut()
            .find_map(|object| object.take_if(|object| is_twin(&region, object)));
        if !is_wanted(region.class) {
            continue;
        }
        let confidence = region.confidence.map(|confidence| confidence as f32);
        let confidence = confidence.or(twin.map(|object| object.confidence));
        known.push(KnownHead {
            detection: detection(region.rect, confidence.unwrap_or(1.0)),
            region: Some(index),
            object: twin,
            track: twin.and_then(|object| object.track).or(region.track),
        });
    }
    let objects = objects.into_iter().flatten();
    known.extend(
        objects
            .filter(|object| is_wanted(object.class))
            .map(|object| KnownHead {
                detection: detection(object.rect, object.confidence),
                region: None,
                object: Some(object),
                track: object.track,
            }),
    );
    known
}

/// Writes poses as metas, in the formats that are asked for.
#[derive(Debug, Default)]
pub(super) struct MetaWriter {
    /// When each track was first seen, in running time.
    first_seen: VecDeque<(u64, gst::ClockTime)>,
}

impl MetaWriter {
    /// Attaches `poses` to `buffer`, which has this running time, in each of the `formats`. Heads that other elements
    /// have found keep their regions and objects, which get the pose; heads that are not tracked here take over the
    /// number of their track.
    pub fn attach(
        &mut self,
        poses: &mut HeadPoses,
        mut known: KnownHeads,
        formats: Format,
        time: Option<gst::ClockTime>,
        buffer: &mut gst::BufferRef,
    ) -> Result<(), gst::glib::BoolError> {
        let frame = poses.size();
        let analytics = formats.contains(Format::ANALYTICS);
        let analytics = analytics.then(Analytics::get).and_then(Result::ok);
        for head in &mut poses.heads {
            let (region, known_object, track) = match known.take(head.rect, frame) {
                Some(known) => (known.region, known.object, known.track),
                None => (None, None, None),
            };
            if head.id == 0 {
                head.id = track.unwrap_or_default();
            }
            let mut object = known_object.map(|object| object.id);
            if let Some(analytics) = analytics {
                // Before the region, which names the object.
                object = object
                    .or_else(|| analytics.add_object(buffer, roi::HEAD, head.rect, head.score));
                let has_track = known_object.is_some_and(|object| object.track.is_some());
                if let (Some(object), false, 1..) = (object, has_track, head.id) {
                    let (first, now) = self.seen(head.id, time);
                    analytics.add_track(buffer, object, head.id, first, now);
                }
            }
            if formats.contains(Format::ROI) {
                match region {
                    Some(index) => roi::annotate(buffer, index, head, frame, object),
                    None => roi::add(buffer, head, frame, object),
                }
            }
        }
        if formats.contains(Format::CUSTOM) {
            poses.attach(buffer)?;
        }
        Ok(())
    }

    /// The times of the track's first sight and of this one.
    fn seen(&mut self, id: u64, time: Option<gst::ClockTime>) -> (gst::ClockTime, gst::ClockTime) {
        let now = time.unwrap_or(gst::ClockTime::ZERO);
        if let Some((_, first)) = self.first_seen.iter().find(|(known, _)| *known == id) {
            return (*first, now);
        }
        if self.first_seen.len() == TRACKS {
            self.first_seen.pop_front();
        }
        self.first_seen.push_back((id, now));
        (now, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Rect = Rect::new(10.0, 10.0, 20.0, 20.0);
    const ELSEWHERE: Rect = Rect::new(50.0, 10.0, 20.0, 20.0);

    fn region(object: i32, rect: Rect) -> roi::Region {
        roi::Region {
            class: Some("face"),
            object,
            rect,
            confidence: None,
            track: Some(3),
        }
    }

    fn object(id: u32, rect: Rect) -> Object {
        Object {
            id,
            class: Some("face"),
            rect,
            confidence: 0.5,
            track: Some(4),
        }
    }

    fn known(
        rect: Rect,
        score: f32,
        region: Option<usize>,
        object: Option<Object>,
        track: u64,
    ) -> KnownHead {
        KnownHead {
            detection: Detection { rect, score },
            region,
            object,
            track: Some(track),
        }
    }

    fn merged(regions: &[roi::Region], objects: &[Object]) -> Vec<KnownHead> {
        merge(regions.iter().copied(), objects.to_vec(), |class| {
            class == Some("face")
        })
    }

    #[test]
    fn twins_count_once_with_what_either_knows() {
        let regions = [region(0, ELSEWHERE), region(1, BOX)];
        // A scaler has rounded otherwise.
        let rounded = Rect::new(11.0, 10.0, 19.0, 20.0);
        let merged = merged(&regions, &[object(0, ELSEWHERE), object(1, rounded)]);
        let wanted = [
            known(ELSEWHERE, 0.5, Some(0), Some(object(0, ELSEWHERE)), 4),
            known(BOX, 0.5, Some(1), Some(object(1, rounded)), 4),
        ];
        assert_eq!(merged, wanted);
    }

    #[test]
    fn a_number_or_a_box_alone_make_no_twins() {
        let other_place = merged(&[region(0, BOX)], &[object(0, ELSEWHERE)]);
        let wanted = [
            known(BOX, 1.0, Some(0), None, 3),
            known(ELSEWHERE, 0.5, None, Some(object(0, ELSEWHERE)), 4),
        ];
        assert_eq!(other_place, wanted);
        assert_eq!(merged(&[region(-1, BOX)], &[object(0, BOX)]).len(), 2);
    }

    #[test]
    fn what_is_not_wanted_is_left_out_and_still_counted() {
        let dog = Some("dog");
        let regions = [
            roi::Region {
                class: dog,
                ..region(0, ELSEWHERE)
            },
            region(-1, BOX),
        ];
        let objects = [Object {
            class: dog,
            ..object(0, ELSEWHERE)
        }];
        assert_eq!(
            merged(&regions, &objects),
            [known(BOX, 1.0, Some(1), None, 3)]
        );
    }

    #[test]
    fn a_head_is_taken_for_what_it_overlaps_most() {
        let frame = Size::new(64, 64);
        let nearby = Rect::new(13.0, 10.0, 20.0, 20.0);
        let regions = [BOX, nearby, BOX, ELSEWHERE].map(|rect| region(-1, rect));
        let mut known = KnownHeads::new(merged(&regions, &[]));
        let mut take = |rect| known.take(rect, frame).and_then(|known| known.region);
        assert_eq!(take(BOX), Some(0));
        // As the estimator cuts it.
        assert_eq!(take(Rect::new(50.0, 10.0, 14.0, 20.0)), Some(3));
        // A box that was smoothed.
        assert_eq!(take(Rect::new(12.5, 10.5, 20.0, 20.0)), Some(1));
        assert_eq!(take(BOX), Some(2));
        assert_eq!(take(BOX), None);
    }

    #[test]
    fn the_first_sight_of_a_track_is_remembered_but_not_for_ever() {
        let mut writer = MetaWriter::default();
        let at = |time| Some(gst::ClockTime::from_nseconds(time));
        let times = |a, b| {
            (
                gst::ClockTime::from_nseconds(a),
                gst::ClockTime::from_nseconds(b),
            )
        };
        assert_eq!(writer.seen(1, at(5)), times(5, 5));
        assert_eq!(writer.seen(1, at(9)), times(5, 9));
        for id in 2..=TRACKS as u64 + 1 {
            writer.seen(id, at(id));
        }
        assert_eq!(writer.first_seen.len(), TRACKS);
        assert_eq!(writer.seen(2, at(7000)), times(2, 7000));
        assert_eq!(writer.seen(1, at(7001)), times(7001, 7001));
    }
}
