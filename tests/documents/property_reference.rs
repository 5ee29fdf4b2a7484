// SPDX-License-Identifier: MPL-2.0
//! docs/properties.md is generated from the elements by `DMHEADPOSE_WRITE_DOCS=1 cargo test --test documents`; this
//! test fails when it is stale.

use std::collections::BTreeMap;
use std::fmt::Write;

use gst::glib;
use gst::glib::Type;
use gst::glib::translate::{FromGlib, FromGlibContainer, IntoGlib};
use gst::prelude::*;

use crate::common;

const ELEMENTS: [&str; 3] = ["dmheadpose", "dmheadposejson", "dmheadposeoverlay"];

const HEAD: &str = "\
# Properties

Written from the elements by `DMHEADPOSE_WRITE_DOCS=1 cargo test --test documents`; `make test` fails
when it is not what `gst-inspect-1.0` would show. The [README](../README.md#properties-of-dmheadpose)
has the same in short.

A property changes *while playing*: it takes effect at the next frame; or *when stopped*: it is read when the
element goes from READY to PAUSED. Flags are joined by `+`.
";

/// The enumerations and flags used in the tables, listed once at the end.
type Choices = BTreeMap<String, Vec<(String, String)>>;

#[test]
fn the_property_reference_is_up_to_date() {
    common::init();
    let mut choices = Choices::new();
    let mut text = String::from(HEAD);
    for name in ELEMENTS {
        describe(&mut text, name, &mut choices);
    }
    text.push_str("\n## Values\n");
    for (name, values) in &choices {
        write!(text, "\n### `{name}`\n\n| value | |\n|---|---|\n").unwrap();
        for (nick, what) in values {
            writeln!(text, "| `{nick}` | {} |", cell(what)).unwrap();
        }
    }

    let path = common::in_repository("docs/properties.md");
    if std::env::var_os("DMHEADPOSE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let mut pairs = text.lines().zip(found.lines());
    let differs = pairs.find(|(new, old)| new != old);
    assert!(
        found == text,
        "docs/properties.md is not what the elements say (expected, found: {differs:?}). Write it again: \
         DMHEADPOSE_WRITE_DOCS=1 cargo test --test documents"
    );
}

fn describe(text: &mut String, name: &str, choices: &mut Choices) {
    let element = gst::ElementFactory::make(name).build().unwrap();
    let factory = element.factory().unwrap();
    let of = |key| factory.metadata(key).unwrap_or_default().to_string();
    let (about, class) = (of("description"), of("klass"));
    write!(text, "\n## `{name}`\n\n{about}. Class `{class}`.\n\n").unwrap();

    let mut pads: Vec<(String, String)> = Vec::new();
    for pad in factory.static_pad_templates() {
        let caps = pad.caps();
        let caps = caps.iter_with_features().map(|(s, f)| media(s, f));
        let caps: Vec<_> = caps.collect();
        let (name, caps) = (format!("`{}`", pad.name_template()), caps.join(", or "));
        match pads.iter_mut().find(|(_, known)| *known == caps) {
            Some((names, _)) => *names = format!("{names} and {name}"),
            None => pads.push((name, caps)),
        }
    }
    for (names, caps) in pads {
        writeln!(text, "- {names}: {caps}.").unwrap();
    }

    text.push_str(
        "\n| property | type | default | range | changes | |\n|---|---|---|---|---|---|\n",
    );
    let mut own = element.list_properties().to_vec();
    own.retain(|property| property.owner_type() == element.type_());
    for property in &own {
        let (default, range) = default_and_range(property, choices);
        let flags = property.flags();
        let changes = if !flags.contains(glib::ParamFlags::WRITABLE) {
            "read-only"
        } else if flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING) {
            "while playing"
        } else {
            "when stopped"
        };
        writeln!(
            text,
            "| `{}` | {} | {default} | {range} | {changes} | {} |",
            property.name(),
            type_name(property.value_type()),
            cell(property.blurb().unwrap_or_default()),
        )
        .unwrap();
    }

    for signal in signals(element.type_()) {
        let arguments = signal.param_types().iter();
        let arguments: Vec<_> = arguments.map(|t| type_name(Type::from(*t))).collect();
        let (name, arguments) = (signal.signal_name(), arguments.join(", "));
        let result = type_name(Type::from(signal.return_type()));
        writeln!(text, "\nSignal `{name}` ({arguments}), returns {result}.").unwrap();
    }
}

/// One alternative of a pad's caps: the media type, its features and its formats.
fn media(structure: &gst::StructureRef, features: &gst::CapsFeaturesRef) -> String {
    let mut text = format!("`{}", structure.name());
    let usual = gst::CAPS_FEATURE_MEMORY_SYSTEM_MEMORY;
    let special = features.iter().map(|feature| feature.as_str());
    let special: Vec<_> = special.filter(|feature| *feature != usual).collect();
    if features.is_any() {
        text.push_str("(ANY)");
    } else if !special.is_empty() {
        write!(text, "({})", special.join(", ")).unwrap();
    }
    text.push('`');
    match structure.get::<gst::List>("format") {
        Ok(formats) => {
            let names = formats
                .iter()
                .filter_map(|format| format.get::<String>().ok());
            let names: Vec<_> = names.collect();
            format!("{text}: {}", names.join(", "))
        }
        Err(_) => text,
    }
}

fn default_and_range(property: &glib::ParamSpec, choices: &mut Choices) -> (String, String) {
    fn limits<T: std::fmt::Display + PartialEq>(low: T, high: T, largest: T) -> String {
        if high == largest {
            format!("{low} and more")
        } else {
            format!("{low} to {high}")
        }
    }
    fn from_table<'a>(
        choices: &mut Choices,
        type_: Type,
        values: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let name = type_.name();
        let values = values.map(|(nick, what)| (nick.into(), what.into()));
        choices.insert(name.into(), values.collect());
        format!("[`{name}`](#{})", name.to_lowercase())
    }

    macro_rules! number {
        ($($spec:ident: $kind:ident),*) => {$(
            if let Some(p) = property.downcast_ref::<glib::$spec>() {
                let default = match property.name().ends_with("color") {
                    true => format!("0x{:08x}", p.default_value() as u32),
                    false => p.default_value().to_string(),
                };
                return (default, limits(p.minimum(), p.maximum(), $kind::MAX));
            }
        )*};
    }
    number!(ParamSpecInt: i32, ParamSpecUInt: u32, ParamSpecUInt64: u64, ParamSpecFloat: f32, ParamSpecDouble: f64);

    if let Some(p) = property.downcast_ref::<glib::ParamSpecBoolean>() {
        (p.default_value().to_string(), String::new())
    } else if let Some(p) = property.downcast_ref::<glib::ParamSpecString>() {
        let default = p.default_value().filter(|text| !text.is_empty());
        let default = default.map_or("unset".into(), |text| format!("`{text}`"));
        (default, String::new())
    } else if let Some(p) = property.downcast_ref::<glib::ParamSpecEnum>() {
        let class = p.enum_class();
        let values = class.values().iter().map(|v| (v.nick(), v.name()));
        let default = class.value(p.default_value_as_i32()).unwrap();
        let default = format!("`{}`", default.nick());
        (default, from_table(choices, class.type_(), values))
    } else if let Some(p) = property.downcast_ref::<glib::ParamSpecFlags>() {
        let class = p.flags_class();
        let values = class.values().iter().map(|v| (v.nick(), v.name()));
        let set = class.values().iter();
        let set = set.filter(|v| v.value() & p.default_value_as_u32() != 0);
        let set: Vec<_> = set.map(|v| v.nick().to_string()).collect();
        let default = if set.is_empty() {
            "none".into()
        } else {
            format!("`{}`", set.join("+"))
        };
        (default, from_table(choices, class.type_(), values))
    } else {
        (String::new(), String::new())
    }
}

fn type_name(type_: Type) -> String {
    match type_ {
        Type::BOOL => "boolean".into(),
        Type::STRING => "string".into(),
        Type::I32 => "integer".into(),
        Type::U32 => "unsigned integer".into(),
        Type::U64 => "unsigned integer, 64 bits".into(),
        Type::F32 => "float".into(),
        Type::F64 => "double".into(),
        Type::UNIT => "nothing".into(),
        type_ if type_.is_a(Type::ENUM) => "enumeration".into(),
        type_ if type_.is_a(Type::FLAGS) => "flags".into(),
        type_ => format!("`{}`", type_.name()),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn signals(type_: Type) -> Vec<glib::subclass::SignalQuery> {
    let mut n = 0;
    // SAFETY: g_signal_list_ids returns an array of `n` numbers that the caller frees.
    let ids: Vec<u32> = unsafe {
        let ids = glib::gobject_ffi::g_signal_list_ids(type_.into_glib(), &mut n);
        FromGlibContainer::from_glib_full_num(ids, n as usize)
    };
    let query = |id| {
        // SAFETY: a signal id from the line above.
        let id = unsafe { glib::subclass::SignalId::from_glib(id) };
        id.query()
    };
    ids.into_iter().map(query).collect()
}
