// SPDX-License-Identifier: MPL-2.0
//! Fields of the application's own, which every line carries as they are.

use std::collections::HashMap;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// What the application set, and the JSON object that it is.
#[derive(Debug)]
pub(super) struct Tags {
    text: Option<String>,
    object: Result<Option<Box<RawValue>>, String>,
}

impl Default for Tags {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Tags {
    pub fn new(text: Option<&str>) -> Self {
        Self {
            text: text.map(String::from),
            object: text.map(parse).transpose(),
        }
    }

    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// `None` also when what was set is no JSON object.
    pub fn object(&self) -> Option<&RawValue> {
        self.object.as_ref().ok()?.as_deref()
    }

    /// # Errors
    /// What was expected, when what was set is no JSON object.
    pub fn check(&self) -> Result<(), String> {
        self.object.as_ref().map(|_| ()).map_err(Clone::clone)
    }
}

/// The JSON object in `text`, number for number and key for key as it was written, but on one line.
fn parse(text: &str) -> Result<Box<RawValue>, String> {
    serde_json::from_str::<HashMap<String, IgnoredAny>>(text)
        // Inside of strings JSON has no bare line ends: these are all between the tokens.
        .and_then(|_| RawValue::from_string(text.replace(['\n', '\r'], " ")))
        .map_err(|err| {
            format!(
                r#"tags: expected a JSON object such as {{"site":"gate"}}, found {text} ({err}). Lines have no tags until that is mended"#
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_as_written() {
        for text in [
            "{}",
            r#"{"b":1.10,"a":[null,{"c":"line\nend"}],"n":123456789012345678901234567890}"#,
        ] {
            assert_eq!(parse(text).unwrap().get(), text);
        }
    }

    #[test]
    fn line_ends_are_gone() {
        let tags = parse("{\n\t\"a\": 1,\r\n\t\"b\": 2\n}\n").unwrap();
        assert_eq!(tags.get(), "{ \t\"a\": 1,  \t\"b\": 2 }");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "1",
            "[1]",
            "\"a\"",
            "{a:1}",
            "{\"a\":1}}",
            "{\"a\":\"\n\"}",
            "{\"a\":nan}",
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with("tags: expected a JSON object"),
                "{text}: {error}"
            );
        }
    }
}
