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

/// Declares the enumeration of the families in a table, and the table as a constant.
macro_rules! families {
    (
        $(#[$meta:meta])*
        pub enum $name:ident of $contract_type:ty:
        $($variant:ident, $nick:literal, $summary:literal, $contract:path;)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            /// Recognised by the graph's inputs and outputs.
            #[default]
            Auto,
            $(#[doc = $summary] $variant,)*
        }

        const FAMILIES: &[($name, &str, $contract_type)] =
            &[$(($name::$variant, $nick, $contract),)*];
    };
}
pub(crate) use families;
