// SPDX-License-Identifier: MPL-2.0
//! The properties: what an application sets, with defaults and documentation.

use std::sync::{Arc, LazyLock};

use gst::glib;
use gst::prelude::*;

use super::tags::Tags;
use crate::text;

/// What an application sets. Cloned for every frame, so texts are shared.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub add_empty: bool,
    pub add_timestamp: bool,
    pub source_name: Option<Arc<str>>,
    pub tags: Arc<Tags>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            add_empty: true,
            add_timestamp: false,
            source_name: None,
            tags: Arc::default(),
        }
    }
}

impl Settings {
    /// Sets the property `pspec` of [`specs`]; GObject has checked the type of `value`.
    ///
    /// # Errors
    /// What is wrong with the value, which is set all the same.
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) -> Result<(), String> {
        match pspec.name() {
            "add-empty" => self.add_empty = value.get().unwrap_or(self.add_empty),
            "add-timestamp" => self.add_timestamp = value.get().unwrap_or(self.add_timestamp),
            "source-name" => {
                if let Some(name) = text::of_property(value, pspec) {
                    self.source_name = name.map(Arc::from);
                }
            }
            "tags" => {
                if let Some(tags) = text::of_property(value, pspec) {
                    self.tags = Arc::new(Tags::new(tags.as_deref()));
                    return self.tags.check();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The value of the property `pspec`.
    pub fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        Some(match pspec.name() {
            "add-empty" => self.add_empty.to_value(),
            "add-timestamp" => self.add_timestamp.to_value(),
            "source-name" => self.source_name.as_deref().to_value(),
            "tags" => self.tags.text().to_value(),
            _ => return None,
        })
    }
}

pub(super) fn specs() -> &'static [glib::ParamSpec] {
    static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let defaults = Settings::default();
        vec![
            glib::ParamSpecBoolean::builder("add-empty")
                .nick("Add Empty")
                .blurb("Write a line with an empty list for a frame in which no head was found")
                .default_value(defaults.add_empty)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("add-timestamp")
                .nick("Add Timestamp")
                .blurb(
                    "Write the time of day at which the frame was captured (live) or is due (from \
                     a file), UTC, as timestamp",
                )
                .default_value(defaults.add_timestamp)
                .mutable_playing()
                .build(),
            glib::ParamSpecString::builder("source-name")
                .nick("Source Name")
                .blurb("Name of the camera or file, written as source_name (unset = not written)")
                .mutable_playing()
                .build(),
            glib::ParamSpecString::builder("tags")
                .nick("Tags")
                .blurb("A JSON object that is written as tags (unset = not written)")
                .mutable_playing()
                .build(),
        ]
    });
    &SPECS
}
