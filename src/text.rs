// SPDX-License-Identifier: MPL-2.0
//! Strings of other code. In C they are bytes, which need not be UTF-8, and the bindings panic where they are not.

use std::ffi::CStr;
use std::path::PathBuf;

use gst::glib;

/// The string of a value, which may be none.
///
/// # Errors
/// Its bytes, made readable, where they are not UTF-8.
pub(crate) fn of(value: &glib::Value) -> Result<Option<String>, String> {
    // Paths are bytes for the bindings, too: any string can be taken as one.
    let bytes = value.get::<Option<PathBuf>>().ok().flatten();
    match bytes.map(|bytes| bytes.into_os_string().into_string()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(bytes)) => Err(bytes.display().to_string()),
    }
}

/// The text that a property is to have; an empty one is none. `None` where it is not UTF-8: then the property
/// keeps what it has, and a warning says so.
pub(crate) fn of_property(value: &glib::Value, pspec: &glib::ParamSpec) -> Option<Option<String>> {
    match of(value) {
        Ok(text) => Some(text.filter(|text| !text.is_empty())),
        Err(found) => {
            gst::warning!(
                gst::CAT_RUST,
                "{}: expected text in UTF-8, found {found}. The property keeps its value",
                pspec.name()
            );
            None
        }
    }
}

/// The text of a quark that others made; `None` for 0 and for what is not UTF-8.
pub(crate) fn of_quark(quark: glib::ffi::GQuark) -> Option<&'static str> {
    // SAFETY: the text of a quark other than 0 is a C string that lives for ever.
    let text = (quark != 0).then(|| unsafe { CStr::from_ptr(glib::ffi::g_quark_to_string(quark)) });
    text?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use gst::prelude::*;

    use super::*;

    #[test]
    fn strings_are_text_or_refused() {
        let odd = Path::new(OsStr::from_bytes(b"caf\xe9")).to_value();
        assert_eq!(of(&odd), Err("caf\u{fffd}".into()));
        assert_eq!(of(&"café".to_value()), Ok(Some("café".into())));
        assert_eq!(of(&None::<String>.to_value()), Ok(None));
        assert_eq!(of(&7.to_value()), Ok(None), "no string at all");
    }

    #[test]
    fn quarks_have_a_text_or_none() {
        let quark = |text: &CStr| {
            // SAFETY: a C string, which GLib copies.
            unsafe { glib::ffi::g_quark_from_string(text.as_ptr()) }
        };
        assert_eq!(of_quark(quark(c"head")), Some("head"));
        assert_eq!(of_quark(quark(c"t\xeate")), None);
        assert_eq!(of_quark(0), None);
    }
}
