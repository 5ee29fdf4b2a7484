// SPDX-License-Identifier: MPL-2.0
//! The contract that gst-inspect-1.0 shows: every property has a name, a description, a default
//! that it starts with, a range that it accepts to its ends, and states when it may change.

use std::cmp::Ordering;
use std::collections::HashSet;

use gst::glib;
use gst::prelude::*;

use crate::common;

const ELEMENTS: [&str; 3] = ["dmheadpose", "dmheadposejson", "dmheadposeoverlay"];

fn make(element: &str) -> gst::Element {
    common::init();
    gst::ElementFactory::make(element).build().unwrap()
}

/// The element's own properties, without those of its base classes.
pub fn own(element: &gst::Element) -> Vec<glib::ParamSpec> {
    let mut own = element.list_properties().to_vec();
    own.retain(|property| property.owner_type() == element.type_());
    assert!(!own.is_empty());
    own
}

#[test]
fn nicks_are_unique_and_blurbs_are_phrases() {
    for name in ELEMENTS {
        let mut seen = HashSet::new();
        let own = own(&make(name));
        for property in &own {
            let (name, nick) = (property.name(), property.nick());
            assert!(nick != name && seen.insert(nick), "{name}: {nick}");
            let blurb = property.blurb().unwrap_or_default();
            assert!(blurb.len() > 10 && !blurb.ends_with('.'), "{name}: {blurb}");
        }
    }
}

/// Values that a property must accept: the ends of its range and its default, or all of them.
pub fn values(property: &glib::ParamSpec) -> Vec<glib::Value> {
    macro_rules! range {
        ($($kind:ty),*) => {$(
            if let Some(spec) = property.downcast_ref::<$kind>() {
                let (least, most) = (spec.minimum(), spec.maximum());
                assert!(least < most, "{}", property.name());
                return vec![least.to_value(), most.to_value(), property.default_value().clone()];
            }
        )*};
    }
    range!(
        glib::ParamSpecUInt,
        glib::ParamSpecInt,
        glib::ParamSpecUInt64,
        glib::ParamSpecFloat,
        glib::ParamSpecDouble
    );
    if property.downcast_ref::<glib::ParamSpecBoolean>().is_some() {
        return vec![true.to_value(), false.to_value()];
    }
    if property.downcast_ref::<glib::ParamSpecString>().is_some() {
        let texts = ["/a path/with ünicode", "#{id}", "head,face"].map(|text| text.to_value());
        return [&texts[..], &[None::<String>.to_value()]].concat();
    }
    if let Some(class) = glib::EnumClass::with_type(property.value_type()) {
        let values = class.values().iter();
        return values.map(|value| value.to_value(&class)).collect();
    }
    if let Some(class) = glib::FlagsClass::with_type(property.value_type()) {
        let flags = class.values().iter().map(|flag| flag.value());
        let all = flags.fold(class.builder(), |builder, flag| builder.set(flag));
        return vec![all.build().unwrap(), class.builder().build().unwrap()];
    }
    panic!("no values for {property:?}");
}

#[test]
fn each_starts_with_its_default_and_takes_its_whole_range() {
    for element in ELEMENTS.map(make) {
        for property in own(&element) {
            let name = property.name();
            assert!(
                property.flags().contains(glib::ParamFlags::READABLE),
                "{name}"
            );
            if !property.flags().contains(glib::ParamFlags::WRITABLE) {
                continue;
            }
            let assert_is = |value: &glib::Value| {
                let found = element.property_value(name);
                let compared = found.compare(value);
                assert_eq!(
                    compared,
                    Some(Ordering::Equal),
                    "{name}: {found:?}, not {value:?}"
                );
            };
            assert_is(property.default_value());
            for value in values(&property) {
                element.set_property_from_value(name, &value);
                assert_is(&value);
            }
        }
    }
}

#[test]
fn an_empty_path_is_no_path() {
    let element = make("dmheadpose");
    for name in [
        "detector-model",
        "pose-model",
        "models-dir",
        "onnxruntime-library",
    ] {
        element.set_property(name, "/some/where");
        element.set_property(name, "");
        assert_eq!(element.property::<Option<String>>(name), None, "{name}");
    }
}
