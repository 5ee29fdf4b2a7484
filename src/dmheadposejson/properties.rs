// SPDX-License-Identifier: MPL-2.0
//! The properties: what an application sets, with defaults and documentation.

use gst::glib;
use serde_json::value::RawValue;

use super::tags;
use crate::property::settings;

settings! {
    /// What an application sets.
    pub(super) struct Settings
    beside {
        // `tags`, parsed.
        object: Result<Option<Box<RawValue>>, String> = Ok(None),
    }

    add_empty: bool = true,
        "add-empty", "Add Empty", PLAYING, ..,
        "Write a line with an empty list for a frame in which no head was found";
    add_timestamp: bool = false,
        "add-timestamp", "Add Timestamp", PLAYING, ..,
        "Write the time of day at which the frame was captured (live) or is due (from \
         a file), UTC, as timestamp";
    source_name: Option<String> = None,
        "source-name", "Source Name", PLAYING, ..,
        "Name of the camera or file, written as source_name (unset = not written)";
    tags: Option<String> = None,
        "tags", "Tags", PLAYING, ..,
        "A JSON object that is written as tags (unset = not written)";
}

impl Settings {
    /// Sets a property; GObject has checked the type of `value`.
    ///
    /// # Errors
    /// What is wrong with the value, which is set all the same.
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) -> Result<(), String> {
        self.set_own(value, pspec);
        if pspec.name() != "tags" {
            return Ok(());
        }
        self.object = self.tags.as_deref().map(tags::parse).transpose();
        self.check()
    }

    /// # Errors
    /// What was expected, when `tags` is no JSON object.
    pub fn check(&self) -> Result<(), String> {
        self.object.as_ref().map(drop).map_err(Clone::clone)
    }
}
