// SPDX-License-Identifier: MPL-2.0
//! Properties in one table: [`settings`] makes a struct of it, with its defaults, and what GObject needs to describe,
//! read and write each field.

use std::ops::{Bound, RangeBounds};
use std::path::PathBuf;

use gst::glib;
use gst::prelude::*;

use crate::text;

/// Takes effect at the next start.
pub(crate) const READY: glib::ParamFlags = gst::PARAM_FLAG_MUTABLE_READY;
/// Takes effect at the next frame.
pub(crate) const PLAYING: glib::ParamFlags = gst::PARAM_FLAG_MUTABLE_PLAYING;

/// How a property is called and described.
pub(crate) struct About<'a> {
    pub name: &'a str,
    pub nick: &'a str,
    pub blurb: &'a str,
    /// [`READY`] or [`PLAYING`].
    pub changes: glib::ParamFlags,
}

impl About<'_> {
    pub fn flags(&self) -> glib::ParamFlags {
        glib::ParamFlags::READWRITE | self.changes
    }
}

/// A type that properties may have.
pub(crate) trait Property: Sized {
    /// `range` counts for numbers alone.
    fn spec(about: &About<'_>, range: impl RangeBounds<Self>, default: &Self) -> glib::ParamSpec;

    /// Takes a value whose type and range GObject has checked.
    fn assign(&mut self, value: &glib::Value, pspec: &glib::ParamSpec);
}

/// Implements [`Property`] for a type, given how its specification is built.
macro_rules! property {
    ($type:ty, |$about:ident, $range:ident, $default:ident| $spec:expr) => {
        impl $crate::property::Property for $type {
            fn spec(
                $about: &$crate::property::About<'_>,
                $range: impl std::ops::RangeBounds<Self>,
                $default: &Self,
            ) -> gst::glib::ParamSpec {
                use gst::glib::prelude::ParamSpecBuilderExt;
                $spec
                    .nick($about.nick)
                    .blurb($about.blurb)
                    .flags($about.flags())
                    .build()
            }

            fn assign(&mut self, value: &gst::glib::Value, _: &gst::glib::ParamSpec) {
                if let Ok(value) = value.get() {
                    *self = value;
                }
            }
        }
    };
}
pub(crate) use property;

/// Declares an enumeration as a GObject type and a property: of each value the variant, the nick, and the summary that
/// gst-inspect-1.0 shows.
macro_rules! enum_property {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $type_name:literal {
            $($(#[$attr:meta])* $variant:ident, $nick:literal, $summary:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, gst::glib::Enum)]
        #[enum_type(name = $type_name)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$attr])* #[enum_value(name = $summary, nick = $nick)] $variant,)*
        }

        $crate::property::property!($name, |about, _range, default| {
            gst::glib::ParamSpecEnum::builder_with_default(about.name, *default)
        });
    };
}
pub(crate) use enum_property;

macro_rules! number_property {
    ($type:ty, $spec:ident) => {
        property!($type, |about, range, default| {
            let (least, largest) = limits(&range, <$type>::MIN, <$type>::MAX);
            glib::$spec::builder(about.name)
                .minimum(least)
                .maximum(largest)
                .default_value(*default)
        });
    };
}

number_property!(u32, ParamSpecUInt);
number_property!(i32, ParamSpecInt);
number_property!(u64, ParamSpecUInt64);
number_property!(f32, ParamSpecFloat);
property!(bool, |about, _range, default| {
    glib::ParamSpecBoolean::builder(about.name).default_value(*default)
});

fn limits<T: Copy>(range: &impl RangeBounds<T>, min: T, max: T) -> (T, T) {
    let limit = |bound, otherwise| match bound {
        Bound::Included(&limit) => limit,
        Bound::Excluded(_) | Bound::Unbounded => otherwise,
    };
    (
        limit(range.start_bound(), min),
        limit(range.end_bound(), max),
    )
}

/// Text; an empty one is none.
impl Property for Option<String> {
    fn spec(about: &About<'_>, _: impl RangeBounds<Self>, default: &Self) -> glib::ParamSpec {
        string_spec(about, default.as_deref())
    }

    fn assign(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        if let Some(text) = text::of_property(value, pspec) {
            *self = text;
        }
    }
}

/// A path, whatever its bytes; an empty one is none.
impl Property for Option<PathBuf> {
    fn spec(about: &About<'_>, _: impl RangeBounds<Self>, _: &Self) -> glib::ParamSpec {
        string_spec(about, None)
    }

    fn assign(&mut self, value: &glib::Value, _: &glib::ParamSpec) {
        if let Ok(path) = value.get::<Self>() {
            *self = path.filter(|path| !path.as_os_str().is_empty());
        }
    }
}

fn string_spec(about: &About<'_>, default: Option<&str>) -> glib::ParamSpec {
    glib::ParamSpecString::builder(about.name)
        .nick(about.nick)
        .blurb(about.blurb)
        .flags(about.flags())
        .default_value(default)
        .build()
}

/// Declares a struct with one field for each property, and fields `beside` them. Each row has the field, its type and
/// default; the property's name, its nick, when it changes ([`READY`] or [`PLAYING`]), its range and its blurb.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $visible:vis struct $name:ident
        beside { $($own:ident: $own_type:ty = $own_default:expr,)* }
        $(
            $field:ident: $type:ty = $default:expr,
            $property:literal, $nick:literal, $changes:ident, $range:expr,
            $blurb:expr;
        )*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $visible struct $name {
            $(pub $field: $type,)*
            $(pub $own: $own_type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    $($own: $own_default,)*
                }
            }
        }

        impl $name {
            /// The specifications of the properties, whose defaults are in `self`.
            pub(crate) fn own_specs(&self) -> Vec<gst::glib::ParamSpec> {
                use $crate::property::{About, Property};
                vec![$({
                    let about = About {
                        name: $property,
                        nick: $nick,
                        blurb: &$blurb,
                        changes: $crate::property::$changes,
                    };
                    <$type as Property>::spec(&about, $range, &self.$field)
                },)*]
            }

            /// Sets a property; whether it is one of the table.
            pub(crate) fn set_own(&mut self, value: &gst::glib::Value, pspec: &gst::glib::ParamSpec) -> bool {
                use $crate::property::Property;
                match pspec.name() {
                    $($property => self.$field.assign(value, pspec),)*
                    _ => return false,
                }
                true
            }

            /// The value of a property, if it is one of the table.
            pub(crate) fn get_own(&self, pspec: &gst::glib::ParamSpec) -> Option<gst::glib::Value> {
                use gst::glib::value::ToValue;
                Some(match pspec.name() {
                    $($property => self.$field.to_value(),)*
                    _ => return None,
                })
            }
        }
    };
}
pub(crate) use settings;
