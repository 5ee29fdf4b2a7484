// SPDX-License-Identifier: MPL-2.0
//! The contract that gst-inspect-1.0 shows: every property has a name, a description, a default
//! that it starts with, a range that it accepts to its ends, and states when it may change.

use std::cmp::Ordering;
use std::collections::HashSet;

use gst::glib;
use gst::prelude::*;

use crate::common::toys;

const ELEMENTS: [&str; 3] = ["dmheadpose", "dmheadposejson", "dmheadposeoverlay"];

fn make(element: &str) -> gst::Element {
    toys::init();
    gst::ElementFactory::make(element).build().unwrap()
}

/// The element's own properties, without those of its base classes.
pub fn own(element: &gst::Element) -> Vec<glib::ParamSpec> {
    let mut own = element.list_properties().to_vec();
    own.retain(|property| property.owner_type() == element.type_());
    assert!(!own.is_empty());
    own
}

fn is_writable(property: &glib::ParamSpec) -> bool {
    property.flags().contains(glib::ParamFlags::WRITABLE)
}

/// Asserts for each own property of each element.
fn each(check: impl Fn(&gst::Element, &glib::ParamSpec)) {
    for name in ELEMENTS {
        let element = make(name);
        for property in own(&element) {
            check(&element, &property);
        }
    }
}

#[test]
fn each_starts_with_its_default() {
    each(|element, property| {
        let name = property.name();
        let is_readable = property.flags().contains(glib::ParamFlags::READABLE);
        assert!(is_readable, "{name}");
        if is_writable(property) {
            let value = element.property_value(name);
            let compared = value.compare(property.default_value());
            assert_eq!(compared, Some(Ordering::Equal), "{name} is {value:?}");
        }
    });
}

#[test]
fn nicks_are_titles_and_unique() {
    for name in ELEMENTS {
        let element = make(name);
        let mut seen = HashSet::new();
        for property in own(&element) {
            let nick = property.nick();
            assert_ne!(nick, property.name(), "{nick} has no nick");
            assert!(seen.insert(nick.to_string()), "{nick} is there twice");
            for word in nick.split(' ') {
                let title = word.starts_with(|c: char| c.is_uppercase());
                assert!(title, "{nick}: {word} has no capital");
            }
        }
    }
}

#[test]
fn blurbs_are_phrases() {
    each(|_, property| {
        let name = property.name();
        let blurb = property.blurb().unwrap_or_default().to_string();
        assert!(blurb.len() > 10, "{name}: {blurb:?}");
        assert!(!blurb.ends_with('.'), "{name}: {blurb}");
        let is_one_line = !blurb.contains("  ") && !blurb.contains('\n');
        let is_capital = blurb.starts_with(|c: char| c.is_uppercase());
        assert!(is_one_line && is_capital, "{name}: {blurb}");
    });
}

#[test]
fn each_says_when_it_may_change() {
    #[rustfmt::skip]
    const AT_LOAD: &[&str] = &[
        "detector-model", "pose-model", "models-dir", "rear-model", "mode", "detector-family", "pose-family",
        "detector-size", "onnxruntime-library", "heads-from", "intra-op-threads", "execution-provider", "device-id",
        "cache-dir", "share-models", "max-batch", "pipeline-depth", "async",
    ];
    each(|element, property| {
        let name = property.name();
        let flags = property.flags();
        let at_load = flags.contains(gst::PARAM_FLAG_MUTABLE_READY);
        let playing = flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING);
        let is_ours = element.factory().unwrap().name() == "dmheadpose";
        assert_eq!(at_load, is_ours && AT_LOAD.contains(&name), "{name}");
        assert_eq!(playing, is_writable(property) && !at_load, "{name}");
    });
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
        let all = class
            .values()
            .iter()
            .fold(class.builder(), |builder, flag| builder.set(flag.value()));
        return vec![all.build().unwrap(), class.builder().build().unwrap()];
    }
    panic!("no values for {property:?}");
}

#[test]
fn each_takes_its_whole_range() {
    each(|element, property| {
        if !is_writable(property) {
            return;
        }
        let name = property.name();
        for value in values(property) {
            element.set_property_from_value(name, &value);
            let got = element.property_value(name);
            let compared = got.compare(&value);
            assert_eq!(
                compared,
                Some(Ordering::Equal),
                "{name}: {got:?}, not {value:?}"
            );
        }
    });
}

#[test]
fn names_of_choices_are_words() {
    each(|_, property| {
        let kind = property.value_type();
        let mut names = Vec::new();
        if let Some(class) = glib::EnumClass::with_type(kind) {
            let values = class.values().iter();
            names.extend(values.map(|v| (v.nick().to_string(), v.name().to_string())));
        }
        if let Some(class) = glib::FlagsClass::with_type(kind) {
            let values = class.values().iter();
            names.extend(values.map(|v| (v.nick().to_string(), v.name().to_string())));
        }
        for (nick, meaning) in names {
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(nick.chars().all(word), "{}: {nick}", property.name());
            let is_phrase = meaning.contains(' ') && !meaning.ends_with('.');
            assert!(is_phrase, "{nick}: {meaning}");
        }
    });
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
