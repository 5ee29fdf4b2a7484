// SPDX-License-Identifier: MPL-2.0
//! The inner loops over pixels: plain Rust that compilers vectorise, compiled for the baseline of the
//! machine and for AVX2, chosen at run time.

use multiversion::multiversion;

/// R, G, B and an unused byte: four bytes load and multiply faster than three.
pub(super) type Pixel = [u8; 4];

/// A pixel after the horizontal pass of a resize: 7 fractional bits a channel.
pub(super) type WidePixel = [i16; 4];

/// Pixels of three bytes, R G B or, `REVERSED`, B G R.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn pixels_of_three<const REVERSED: bool>(pixels: &[[u8; 3]], out: &mut [Pixel]) {
    let order = |pixel: u32| match REVERSED {
        true => (pixel.swap_bytes() >> 8).to_le_bytes(),
        false => pixel.to_le_bytes(),
    };
    let (fours, rest) = pixels[..out.len()].as_chunks::<4>();
    let (out_fours, out_rest) = out.as_chunks_mut::<4>();
    for (out, four) in out_fours.iter_mut().zip(fours) {
        let (words, _) = four.as_flattened().as_chunks::<4>();
        let [a, b, c] = [0, 1, 2].map(|n| u32::from_le_bytes(words[n]));
        *out = [a, a >> 24 | b << 8, b >> 16 | c << 16, c >> 8].map(order);
    }
    for (out, &[r, g, b]) in out_rest.iter_mut().zip(rest) {
        *out = order(u32::from_le_bytes([r, g, b, 0]));
    }
}

/// Pixels of four bytes, in reversed order or not, then without the first `SHIFT` bits.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn pixels_of_four<const REVERSED: bool, const SHIFT: u32>(
    pixels: &[[u8; 4]],
    out: &mut [Pixel],
) {
    for (out, pixel) in out.iter_mut().zip(pixels) {
        let pixel = u32::from_le_bytes(*pixel);
        let ordered = if REVERSED { pixel.swap_bytes() } else { pixel };
        *out = (ordered >> SHIFT).to_le_bytes();
    }
}

#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn pick<const STEP: usize>(chunks: &[[u8; STEP]], offset: usize, out: &mut [u8]) {
    for (out, chunk) in out.iter_mut().zip(chunks) {
        *out = chunk[offset % STEP];
    }
}

/// Fixed-point factors from YUV to RGB, see [`super::pixels`].
///
/// A product of 16-bit numbers keeps its high half: luma is scaled by 2^7 and chroma by 2^8 before, so
/// that sums carry `FRACTION` fractional bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct YuvFactors {
    pub luma_offset: i16,
    pub luma: i16,
    pub red_v: i16,
    pub green_u: i16,
    pub green_v: i16,
    pub blue_u: i16,
}

/// Fractional bits of the sums of [`yuv_to_rgb`].
pub(super) const FRACTION: u32 = 5;

#[inline(always)]
fn high_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

/// Converts samples of equal number, 16-bit lanes all the way.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn yuv_to_rgb(factors: &YuvFactors, y: &[u8], u: &[u8], v: &[u8], out: &mut [Pixel]) {
    // Half a level to round, and what cutting the low halves of the products lost on average.
    const ROUND: i16 = (1 << (FRACTION - 1)) + 1;
    let level = |sum: i16| (sum >> FRACTION).clamp(0, 255) as u8;
    for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
        let luma = high_half((i16::from(y) - factors.luma_offset) << 7, factors.luma) + ROUND;
        let u = (i16::from(u) - 128) << 8;
        let v = (i16::from(v) - 128) << 8;
        let red = luma + high_half(v, factors.red_v);
        let green = luma + high_half(u, factors.green_u) + high_half(v, factors.green_v);
        let blue = luma + high_half(u, factors.blue_u);
        *out = [level(red), level(green), level(blue), 0];
    }
}

/// Chroma samples at the height of one of the two rows that share them, in eighths: the sample and the slope
/// from the row of samples behind to the one before. The sample lies `offset` bytes into each chunk.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn slope_rows<const STEP: usize>(
    [behind, at, before]: [&[[u8; STEP]]; 3],
    offset: usize,
    out: &mut [i16],
) {
    for (((out, behind), at), before) in out.iter_mut().zip(behind).zip(at).zip(before) {
        let [behind, at, before] = [behind, at, before].map(|s| i16::from(s[offset % STEP]));
        *out = 8 * at + behind - before;
    }
}

/// The two pixels of each chroma sample but the first and the last, which are neighbours only: the sample
/// and the slope through its neighbours. Samples are in eighths.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn slope_pairs(samples: &[i16], out: &mut [[u8; 2]]) {
    let level = |sum: i16| ((sum + 32) >> 6).clamp(0, 255) as u8;
    let (at, right) = (&samples[1..], &samples[2..]);
    for (((out, left), at), right) in out.iter_mut().zip(samples).zip(at).zip(right) {
        let (at, slope) = (8 * at, left - right);
        *out = [level(at + slope), level(at - slope)];
    }
}

/// A column of a resize's output: a source pixel, counted from the first that was read, and the weights of
/// its four channels and of those of its right neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColumnTap {
    pub first: u32,
    pub weights: [i32; 8],
}

/// The horizontal pass of a resize: weights of 11 bits, cut to 7 fractional bits. Each tap needs its pixel
/// and the next one in `source`.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn mix_columns(source: &[Pixel], taps: &[ColumnTap], out: &mut [WidePixel]) {
    for (out, tap) in out.iter_mut().zip(taps) {
        let first = tap.first as usize;
        let Some(&[left, right]) = source.get(first..).and_then(|s| s.first_chunk::<2>()) else {
            return;
        };
        let mut products = [0i32; 8];
        for c in 0..4 {
            products[c] = i32::from(left[c]) * tap.weights[c];
            products[c + 4] = i32::from(right[c]) * tap.weights[c + 4];
        }
        for c in 0..4 {
            out[c] = ((products[c] + products[c + 4]) >> 4) as i16;
        }
    }
}

/// The vertical pass of a resize: weights of 11 bits, two roundings as OpenCV's.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn mix_rows(
    above: &[WidePixel],
    below: &[WidePixel],
    [w0, w1]: [i16; 2],
    out: &mut [Pixel],
) {
    for ((out, above), below) in out.iter_mut().zip(above).zip(below) {
        for c in 0..4 {
            let sum = high_half(above[c], w0) + high_half(below[c], w1);
            out[c] = ((sum + 2) >> 2).clamp(0, 255) as u8;
        }
    }
}

/// The rounded mean of 2x2 pixels.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn mean_of_four(upper: &[[Pixel; 2]], lower: &[[Pixel; 2]], out: &mut [Pixel]) {
    for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
        for c in 0..4 {
            let sum = [upper[0], upper[1], lower[0], lower[1]].map(|p| u16::from(p[c]));
            out[c] = ((sum.iter().sum::<u16>() + 2) >> 2) as u8;
        }
    }
}

/// The rounded mean of 2x2 samples.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn mean_of_four_samples(upper: &[[u8; 2]], lower: &[[u8; 2]], out: &mut [u8]) {
    for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
        let sum = [upper[0], upper[1], lower[0], lower[1]].map(u16::from);
        *out = ((sum.iter().sum::<u16>() + 2) >> 2) as u8;
    }
}

/// Prefetches bytes that will be read soon into the cache.
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has SSE, and this reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// One channel of pixels as `level * scale + bias`.
#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2+fma"))]
pub(super) fn channel_to_f32(
    pixels: &[Pixel],
    channel: usize,
    scale: f32,
    bias: f32,
    out: &mut [f32],
) {
    let shift = 8 * (channel as u32 & 3);
    for (out, pixel) in out.iter_mut().zip(pixels) {
        let level = (u32::from_le_bytes(*pixel) >> shift) & 255;
        *out = level as i32 as f32 * scale + bias;
    }
}
