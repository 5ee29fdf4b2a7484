// SPDX-License-Identifier: MPL-2.0
//! Enumerations that are also properties, each declared once.

/// Declares an enumeration with the spelling of each value and its description, and a macro of the name after `in` that
/// hands this table to another macro, which makes a property of it.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $name:ident in $table:ident {
            $($(#[$attr:meta])* $variant:ident, $nick:literal, $summary:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $summary] $(#[$attr])* $variant,)*
        }

        impl $name {
            /// As the property spells it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $nick,)*
                }
            }
        }

        macro_rules! $table {
            ($define:ident, $property:ident, $type_name:literal) => {
                $define! {
                    $property, $type_name, $name:
                    $($(#[$attr])* $variant, $nick, $summary;)*
                }
            };
        }
        pub(crate) use $table;
    };
}
pub(crate) use choices;
