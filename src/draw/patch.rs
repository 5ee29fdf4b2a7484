// SPDX-License-Identifier: MPL-2.0
//! Patches: small pictures to be blended onto the frame, and the store that reuses them.

use crate::estimator::geometry::Size;

/// A box of whole pixels; the far corner is outside it. Signed, because it may extend beyond the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Area {
    pub x: i32,
    pub y: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    pub fn new(x: i32, y: i32, width: i32, height: i32) -> Self {
        let (right, bottom) = (x.saturating_add(width), y.saturating_add(height));
        Self {
            x,
            y,
            right,
            bottom,
        }
    }

    pub fn width(&self) -> i32 {
        self.right - self.x
    }

    pub fn height(&self) -> i32 {
        self.bottom - self.y
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right
            && other.x < self.right
            && self.y < other.bottom
            && other.y < self.bottom
    }

    /// Moved as little as possible to lie within the frame; an area that is too large begins at the frame's
    /// top left.
    pub fn moved_into(&self, frame: Size) -> Self {
        let fit = |start: i32, length: i32, room: u32| {
            let last = i32::try_from(room)
                .unwrap_or(i32::MAX)
                .saturating_sub(length);
            start.min(last).max(0)
        };
        let (width, height) = (self.width(), self.height());
        let x = fit(self.x, width, frame.width);
        Self::new(x, fit(self.y, height, frame.height), width, height)
    }

    pub fn clipped(&self, frame: Size) -> Option<Self> {
        let end = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let clipped = Self {
            x: self.x.max(0),
            y: self.y.max(0),
            right: self.right.min(end(frame.width)),
            bottom: self.bottom.min(end(frame.height)),
        };
        (clipped.x < clipped.right && clipped.y < clipped.bottom).then_some(clipped)
    }
}

/// A picture and its position. It lies entirely within the frame.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    /// Four bytes a pixel, rows without padding: blue, green, red, alpha; colours premultiplied.
    pub pixels: Vec<u8>,
    /// Two patches of one painter with the same number have the same size and pixels; their positions may
    /// differ.
    pub generation: u64,
    /// The parts with visible pixels, as x, y, width and height within the patch; everything between them is
    /// transparent.
    pub inked: Vec<[u32; 4]>,
    fingerprint: u64,
}

/// The patches of one frame, kept for the next, so that memory and unchanged pictures are reused.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    patches: Vec<Patch>,
    used: usize,
    generation: u64,
}

impl Sheet {
    pub fn clear(&mut self) {
        self.used = 0;
    }

    pub fn patches(&self) -> &[Patch] {
        &self.patches[..self.used]
    }

    /// Adds a patch. Returns its pixels, all transparent, to be painted; `None` when the pixels that this slot
    /// had in the previous frame are still valid.
    ///
    /// `fingerprint` is a hash of everything that the pixels depend on besides their size.
    pub fn place(&mut self, area: Area, fingerprint: u64) -> Option<&mut [u8]> {
        let (width, height) = (area.width().max(0) as u32, area.height().max(0) as u32);
        if self.used == self.patches.len() {
            self.patches.push(Patch::default());
        }
        let patch = &mut self.patches[self.used];
        self.used += 1;
        (patch.x, patch.y) = (area.x, area.y);
        let same = (patch.width, patch.height, patch.fingerprint) == (width, height, fingerprint);
        if same && patch.generation != 0 {
            return None;
        }
        self.generation += 1;
        patch.generation = self.generation;
        patch.fingerprint = fingerprint;
        (patch.width, patch.height) = (width, height);
        patch.inked.clear();
        patch.inked.push([0, 0, width, height]);
        patch.pixels.clear();
        patch.pixels.resize(width as usize * height as usize * 4, 0);
        Some(&mut patch.pixels)
    }

    /// Call it after painting a patch that stays mostly transparent.
    pub fn find_ink(&mut self) {
        if let Some(patch) = self.patches[..self.used].last_mut() {
            patch.find_ink();
        }
    }
}

impl Patch {
    /// Finds the tiles of `pixels` that are not wholly transparent, joined along rows.
    fn find_ink(&mut self) {
        const TILE: usize = 8;
        self.inked.clear();
        let (width, height) = (self.width as usize, self.height as usize);
        for top in (0..height).step_by(TILE) {
            let bottom = (top + TILE).min(height);
            let band = &self.pixels[top * width * 4..bottom * width * 4];
            let mut open = None;
            // One tile more, without a column, ends what is open at the right border.
            for left in (0..width + TILE).step_by(TILE) {
                let left = left.min(width);
                let columns = left * 4..(left + TILE).min(width) * 4;
                let mut rows = band.chunks_exact(width * 4);
                let ink = rows.any(|row| row[columns.clone()].iter().fold(0, |a, b| a | b) != 0);
                match (ink, open) {
                    (true, None) => open = Some(left),
                    (false, Some(start)) => {
                        self.inked
                            .push([start, top, left - start, bottom - top].map(|v| v as u32));
                        open = None;
                    }
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_clipped_to_the_frame() {
        let frame = Size::new(10, 8);
        assert_eq!(
            Area::new(-3, 5, 6, 6).clipped(frame),
            Some(Area::new(0, 5, 3, 3))
        );
        assert_eq!(Area::new(10, 0, 5, 5).clipped(frame), None);
        assert_eq!(Area::new(-5, 0, 5, 5).clipped(frame), None);
        assert_eq!(Area::new(2, 2, 0, 4).clipped(frame), None);
        assert_eq!(Area::new(i32::MAX - 1, 0, i32::MAX, 5).clipped(frame), None);
    }

    #[test]
    fn a_slot_is_repainted_only_when_its_content_changes() {
        let mut sheet = Sheet::default();
        let area = Area::new(1, 2, 3, 4);
        assert_eq!(sheet.place(area, 7).map(|p| p.len()), Some(3 * 4 * 4));
        let first = sheet.patches()[0].generation;

        sheet.clear();
        assert!(
            sheet.place(Area::new(5, 6, 3, 4), 7).is_none(),
            "moved only"
        );
        assert_eq!(sheet.patches()[0].generation, first);
        assert_eq!((sheet.patches()[0].x, sheet.patches()[0].y), (5, 6));

        sheet.clear();
        assert!(sheet.place(area, 8).is_some(), "other content");
        assert_ne!(sheet.patches()[0].generation, first);

        sheet.clear();
        let pixels = sheet.place(Area::new(1, 2, 3, 5), 8).expect("other size");
        pixels.fill(9);
        sheet.clear();
        let pixels = sheet.place(area, 8).expect("other size");
        assert!(pixels.iter().all(|&p| p == 0), "starts transparent");
    }
}
