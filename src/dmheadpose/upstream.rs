// SPDX-License-Identifier: MPL-2.0
//! Requests to the elements upstream, and questions about them.

use gst::glib;
use gst::prelude::*;

/// Makes the pools of `query` larger by `kept` buffers, which are not given back at once.
pub(super) fn ask_for_more(query: &mut gst::query::Allocation, kept: u32) {
    let pools: Vec<_> = query.allocation_pools().collect();
    if pools.is_empty() {
        let (caps, _) = query.get_owned();
        let info = caps.and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok());
        let size = info.and_then(|info| u32::try_from(info.size()).ok());
        query.add_allocation_pool(gst::BufferPool::NONE, size.unwrap_or(0), 1 + kept, 0);
    }
    for (index, (pool, size, min, max)) in (0..).zip(pools) {
        let min = min.max(1).saturating_add(kept);
        // A pool that cannot grow that far is of no use.
        let pool = pool.filter(|_| max == 0 || max >= min);
        let max = if pool.is_some() { max } else { 0 };
        query.set_nth_allocation_pool(index, pool.as_ref(), size, min, max);
    }
}

/// Whether an element upstream of the pad turns the picture by a fixed angle. One that follows the orientation tag
/// changes the tag.
pub(super) fn turns(pad: &gst::Pad) -> bool {
    let mut pads = vec![pad.clone()];
    let mut seen = Vec::new();
    while let Some(pad) = pads.pop() {
        let Some(element) = pad.peer().and_then(|peer| peer.parent_element()) else {
            continue;
        };
        if seen.contains(&element) {
            continue;
        }
        if element.find_property("video-direction").is_some()
            && let Some((_, direction)) =
                glib::EnumValue::from_value(&element.property_value("video-direction"))
            && direction.nick() != "identity"
        {
            return true;
        }
        pads.extend(element.sink_pads());
        seen.push(element);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_asked_to_hold_more() {
        gst::init().unwrap();
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, 32, 32);
        let caps = info.build().unwrap().to_caps().unwrap();
        let asked = |pools: &[(bool, u32, u32)]| {
            let mut query = gst::query::Allocation::new(Some(&caps), true);
            for &(has_pool, min, max) in pools {
                let pool = has_pool.then(gst::BufferPool::new);
                query.add_allocation_pool(pool.as_ref(), 4096, min, max);
            }
            ask_for_more(&mut query, 2);
            let pools = query.allocation_pools();
            pools
                .map(|(pool, size, min, max)| (pool.is_some(), size, min, max))
                .collect::<Vec<_>>()
        };
        assert_eq!(asked(&[]), [(false, 3072, 3, 0)]);
        assert_eq!(asked(&[(true, 2, 0)]), [(true, 4096, 4, 0)]);
        assert_eq!(asked(&[(true, 2, 4)]), [(true, 4096, 4, 4)]);
        // Of no use: it cannot hold as many.
        assert_eq!(asked(&[(true, 2, 3)]), [(false, 4096, 4, 0)]);
        assert_eq!(
            asked(&[(false, 0, 0), (true, 1, 0)]),
            [(false, 4096, 3, 0), (true, 4096, 3, 0)]
        );
    }
}
