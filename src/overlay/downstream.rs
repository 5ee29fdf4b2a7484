// SPDX-License-Identifier: MPL-2.0
//! Whether downstream draws compositions, so that the pixels need not be changed.
//!
//! A composition must never get lost, so both of GStreamer's queries have to confirm it: the caps feature
//! `meta:GstVideoOverlayComposition` is accepted (a scaler, a converter or an encoder that works on the
//! pixels refuses it), and the ALLOCATION query lists the meta (a sink that accepts any caps does not).
//! The base class negotiates the caps as they come from upstream, and on the first buffer to draw on they
//! are sent again with the feature if so: not earlier, as elements answer ALLOCATION queries only once
//! they have caps.

use std::sync::atomic::{AtomicU8, Ordering};

use gst::prelude::*;
use gst_base::prelude::*;
use gst_video::VideoOverlayCompositionMeta;

use super::CAT;
use crate::video;

const UNKNOWN: u8 = 0;
const ASKING: u8 = 1;
const DRAWS: u8 = 2;
const IGNORES: u8 = 3;

/// What is known about downstream.
#[derive(Debug, Default)]
pub(crate) struct Downstream(AtomicU8);

impl Downstream {
    /// To be called with new caps and with a RECONFIGURE event.
    pub fn forget(&self) {
        self.0.store(UNKNOWN, Ordering::SeqCst);
    }

    /// Whether compositions on the buffers of `element` will be drawn. To be called in the
    /// streaming thread, between buffers, with no lock held: queues downstream drain before they answer.
    ///
    /// The element has to pass caps on unchanged.
    pub fn draws_compositions(&self, element: &impl IsA<gst_base::BaseTransform>) -> bool {
        match self.0.load(Ordering::SeqCst) {
            DRAWS => true,
            IGNORES => false,
            _ => self.ask(element.upcast_ref()),
        }
    }

    fn ask(&self, element: &gst_base::BaseTransform) -> bool {
        let src = element.src_pad();
        let Some(plain) = element.sink_pad().current_caps() else {
            return false;
        };
        self.0.store(ASKING, Ordering::SeqCst);
        let featured = video::with_composition(&plain);
        let draws = accepts(src, &featured) && lists_meta(src, &featured);
        if src.pad_flags().contains(gst::PadFlags::FLUSHING) {
            // Nothing is linked: there is no answer, and the buffer goes nowhere.
            self.forget();
            return false;
        }
        let caps = if draws { featured } else { plain };
        if src.current_caps().as_ref() != Some(&caps)
            && !src.push_event(gst::event::Caps::new(&caps))
        {
            gst::warning!(
                CAT,
                obj = element,
                "Downstream accepted {caps} and refuses them now"
            );
            self.forget();
            return false;
        }
        gst::debug!(
            CAT,
            obj = element,
            "Overlay {}",
            if draws {
                "left to downstream"
            } else {
                "blended here"
            }
        );
        // Unless it was forgotten meanwhile.
        let answer = if draws { DRAWS } else { IGNORES };
        let _ = self
            .0
            .compare_exchange(ASKING, answer, Ordering::SeqCst, Ordering::SeqCst);
        draws
    }
}

/// Queries the caps as well: a scaler accepts everything in its template, although it can only pass the feature on,
/// not scale with it.
fn accepts(src: &gst::Pad, caps: &gst::Caps) -> bool {
    src.peer_query_accept_caps(caps) && src.peer_query_caps(Some(caps)).can_intersect(caps)
}

fn lists_meta(src: &gst::Pad, caps: &gst::Caps) -> bool {
    let mut query = gst::query::Allocation::new(Some(caps), false);
    src.peer_query(&mut query)
        && query
            .find_allocation_meta::<VideoOverlayCompositionMeta>()
            .is_some()
}
