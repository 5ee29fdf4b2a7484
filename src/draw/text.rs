// SPDX-License-Identifier: MPL-2.0
//! Text: glyphs of the embedded font, each rasterised once, and panels of text lines.

use std::collections::HashMap;

use ab_glyph::{Font, FontRef, Glyph as Outline, InvalidFont, PxScale, point};

use super::color::Color;

/// Made with fonttools from Debian's fonts-dejavu-core 2.37-6: `pyftsubset DejaVuSans-Bold.ttf
/// --unicodes=U+0020-007E,U+00B0 --layout-features= --no-hinting --name-IDs='*'`
static FONT: &[u8] = include_bytes!("font/DejaVuSans-Bold-ascii.ttf");

/// Height of capitals and digits as a share of the em.
const CAP_HEIGHT: f32 = 0.7291;
/// Opacity of the panel behind the text, 0..=255: dark enough for the text to be readable on white.
const PANEL_ALPHA: u8 = 170;

/// Bounds the memory for glyphs of many sizes.
const MOST_GLYPHS: usize = 2000;

/// Separates a line's name (left) from its value (right).
pub(super) const COLUMN: char = '\t';

struct Glyph {
    advance: f32,
    /// From the pen to the bitmap's left column, and from the baseline to its top row.
    left: i32,
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

/// Distances in whole pixels, derived from the height of a capital letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Metrics {
    pub cap: i32,
    pub line: i32,
    pub pad: i32,
}

impl Metrics {
    /// `cap`: height of a capital letter. Nine pixels give DMHead's fifteen from line to line.
    pub fn new(cap: i32) -> Self {
        Self {
            cap,
            line: (cap * 5 + 1) / 3,
            pad: (cap * 2 + 2) / 5,
        }
    }
}

pub(super) struct Typeface {
    font: FontRef<'static>,
    glyphs: HashMap<(i32, char), Glyph>,
    metrics: Metrics,
}

impl Typeface {
    pub fn new() -> Result<Self, InvalidFont> {
        Ok(Self {
            font: FontRef::try_from_slice(FONT)?,
            glyphs: HashMap::new(),
            metrics: Metrics::new(0),
        })
    }

    pub fn set_cap_height(&mut self, cap: i32) {
        self.metrics = Metrics::new(cap);
        if self.glyphs.len() > MOST_GLYPHS {
            self.glyphs.clear();
        }
    }

    pub fn metrics(&self) -> Metrics {
        self.metrics
    }

    /// Width and height of the panel that holds `text`.
    pub fn measure(&mut self, text: &str) -> (i32, i32) {
        let Metrics { cap, line, pad } = self.metrics;
        // Sized for the longest value, so that panels do not change width as digits come and go.
        let least = self.width("-180°");
        let (mut width, mut lines) = (0, 0);
        for text in text.lines() {
            let needed = match text.split_once(COLUMN) {
                Some((name, value)) => self.width(name) + cap / 2 + self.width(value).max(least),
                None => self.width(text),
            };
            width = width.max(needed);
            lines += 1;
        }
        // Descenders hang about a quarter em, which is a third of a capital's height.
        let height = (lines - 1) * line + cap + pad + pad.max((cap + 2) / 3 + 1);
        // Even, so that every corner can coincide with a chroma sample.
        ((width + 2 * pad + 1) & !1, (height + 1) & !1)
    }

    pub fn width(&mut self, text: &str) -> i32 {
        let width: f32 = text.chars().map(|c| self.glyph(c).advance).sum();
        width.ceil() as i32
    }

    /// Paints the panel, whose size [`Self::measure`] gave, on `canvas`.
    pub fn paint(&mut self, text: &str, panel: (i32, i32), color: Color, canvas: &mut Canvas) {
        let Metrics { cap, line, pad } = self.metrics;
        canvas.rounded_panel(panel, cap as f32 * 0.3);
        for (row, text) in text.lines().enumerate() {
            let baseline = pad + cap + row as i32 * line;
            let (name, value) = text.split_once(COLUMN).unwrap_or((text, ""));
            self.paint_run(name, pad, baseline, color, canvas);
            let x = panel.0 - pad - self.width(value);
            self.paint_run(value, x, baseline, color, canvas);
        }
    }

    fn paint_run(&mut self, text: &str, x: i32, y: i32, color: Color, canvas: &mut Canvas) {
        let mut pen = x as f32;
        for c in text.chars() {
            let glyph = self.glyph(c);
            canvas.stamp(glyph, pen.round() as i32 + glyph.left, y + glyph.top, color);
            pen += glyph.advance;
        }
    }

    fn glyph(&mut self, c: char) -> &Glyph {
        let (font, cap) = (&self.font, self.metrics.cap as f32);
        let entry = self.glyphs.entry((self.metrics.cap, c));
        entry.or_insert_with(|| rasterize(font, c, cap))
    }
}

fn rasterize(font: &FontRef<'static>, c: char, cap: f32) -> Glyph {
    let em = cap / CAP_HEIGHT;
    let units = font.units_per_em().unwrap_or(2048.0);
    let id = font.glyph_id(c);
    let outline = Outline {
        id,
        // `PxScale` counts from ascender to descender, not the em.
        scale: PxScale::from(em * font.height_unscaled() / units),
        position: point(0.0, 0.0),
    };
    let mut glyph = Glyph {
        advance: font.h_advance_unscaled(id) * em / units,
        left: 0,
        top: 0,
        width: 0,
        coverage: Vec::new(),
    };
    if let Some(outlined) = font.outline_glyph(outline) {
        let bounds = outlined.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        glyph.left = bounds.min.x as i32;
        glyph.top = bounds.min.y as i32;
        glyph.width = width;
        glyph.coverage.resize(width * height, 0);
        outlined.draw(|x, y, coverage| {
            if let Some(cell) = glyph.coverage.get_mut(y as usize * width + x as usize) {
                *cell = (coverage * 255.0 + 0.5) as u8;
            }
        });
    }
    glyph
}

/// Premultiplied pixels that show a part of a panel.
pub(super) struct Canvas<'a> {
    pub pixels: &'a mut [u8],
    pub width: i32,
    pub height: i32,
    /// Where the pixels begin, in the panel's coordinates; above 0 where the frame cuts the panel.
    pub x: i32,
    pub y: i32,
}

impl Canvas<'_> {
    fn pixel(&mut self, x: i32, y: i32) -> Option<&mut [u8]> {
        let (x, y) = (x - self.x, y - self.y);
        if x < 0 || y < 0 || x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * 4;
        self.pixels.get_mut(at..at + 4)
    }

    fn rounded_panel(&mut self, (width, height): (i32, i32), radius: f32) {
        for pixel in self.pixels.chunks_exact_mut(4) {
            pixel[3] = PANEL_ALPHA;
        }
        let reach = radius.ceil() as i32;
        for y in 0..reach {
            for x in 0..reach {
                let (dx, dy) = (radius - x as f32 - 0.5, radius - y as f32 - 0.5);
                let inside = (radius + 0.5 - dx.hypot(dy)).clamp(0.0, 1.0);
                let alpha = (inside * f32::from(PANEL_ALPHA)) as u8;
                let (far_x, far_y) = (width - 1 - x, height - 1 - y);
                for (x, y) in [(x, y), (far_x, y), (x, far_y), (far_x, far_y)] {
                    if let Some(pixel) = self.pixel(x, y) {
                        pixel[3] = alpha;
                    }
                }
            }
        }
    }

    fn stamp(&mut self, glyph: &Glyph, x: i32, y: i32, color: Color) {
        if glyph.width == 0 {
            return;
        }
        let [blue, green, red, alpha] = color.bgra();
        for (row, coverage) in glyph.coverage.chunks_exact(glyph.width).enumerate() {
            for (column, &over) in coverage.iter().enumerate() {
                let Some(pixel) = self.pixel(x + column as i32, y + row as i32) else {
                    continue;
                };
                let over = u32::from(over) * u32::from(alpha) / 255;
                for (below, above) in pixel.iter_mut().zip([blue, green, red, 255]) {
                    let mix = u32::from(above) * over + u32::from(*below) * (255 - over);
                    *below = ((mix + 127) / 255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typeface(cap: i32) -> Typeface {
        let mut typeface = Typeface::new().expect("the embedded font is sound");
        typeface.set_cap_height(cap);
        typeface
    }

    #[test]
    fn the_font_has_every_printable_ascii_character_and_the_degree_sign() {
        let typeface = typeface(10);
        for c in (' '..='~').chain(['°']) {
            assert_ne!(typeface.font.glyph_id(c).0, 0, "{c:?} is missing");
        }
    }

    #[test]
    fn capitals_and_figures_are_as_high_as_asked() {
        for cap in [8, 10, 15, 45] {
            let mut typeface = typeface(cap);
            let glyph = typeface.glyph('1');
            assert_eq!(glyph.top, -cap);
            let rows = glyph.coverage.len() / glyph.width;
            assert_eq!(rows as i32, cap);
        }
    }

    #[test]
    fn all_ink_lies_within_the_measured_panel() {
        for (cap, text) in [
            (8, "#7\nroll\t-180°"),
            (10, "yaw\t5°\npitch\t-32°"),
            (45, "gjpqy|_@"),
        ] {
            let mut typeface = typeface(cap);
            let (width, height) = typeface.measure(text);
            let mut pixels = vec![0; (width + 20) as usize * (height + 20) as usize * 4];
            let mut canvas = Canvas {
                pixels: &mut pixels,
                width: width + 20,
                height: height + 20,
                x: -10,
                y: -10,
            };
            typeface.paint(text, (width, height), Color(u32::MAX), &mut canvas);
            for (i, pixel) in pixels.chunks_exact(4).enumerate() {
                let (x, y) = (i as i32 % (width + 20) - 10, i as i32 / (width + 20) - 10);
                if !(0..width).contains(&x) || !(0..height).contains(&y) {
                    assert_eq!(pixel[0], 0, "ink of {text:?} at {x}, {y}");
                }
            }
            assert!(pixels.chunks_exact(4).any(|p| p == [255; 4]));
        }
    }
}
