// SPDX-License-Identifier: MPL-2.0
//! Fields of the application's own, which every line carries as they are.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Levels of objects and lists, the outer object being the first. Readers of JSON give up at 64 (.NET), 128
/// (serde) or 1000 (Python), and the line is one more.
const DEEPEST: usize = 32;

/// Bytes of a wrong text that the error shows.
const SHOWN: usize = 200;

/// The JSON object in `text`, number for number and key for key as it was written, but on one line.
///
/// It is read in full: what the grammar allows and readers refuse (half of a surrogate pair, a number beyond
/// all floats) is refused here.
pub(super) fn parse(text: &str) -> Result<Box<RawValue>, String> {
    let wrong = |why: &str| {
        // Of a text that is too deep or too long to read, the beginning will do.
        let cut = text.floor_char_boundary(SHOWN);
        let shown = if cut < text.len() {
            format!("{}…", &text[..cut])
        } else {
            text.into()
        };
        format!(
            r#"tags: expected a JSON object such as {{"site":"gate"}}, found {shown} ({why}). Lines have no tags until that is mended"#
        )
    };
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|err| wrong(&err.to_string()))?;
    if object.values().any(|value| depth(value) >= DEEPEST) {
        return Err(wrong(&format!("more than {DEEPEST} levels deep")));
    }
    // Inside of strings JSON has no bare line ends: these are all between the tokens.
    RawValue::from_string(text.replace(['\n', '\r'], " ")).map_err(|err| wrong(&err.to_string()))
}

/// Levels of objects and lists. serde_json does not read more than 128.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object within lists, so many levels deep.
    fn nested(levels: usize) -> String {
        let lists = levels - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists))
    }

    #[test]
    fn an_object_is_kept_as_written_on_one_line() {
        for text in [
            "{}",
            r#"{"b":1.10,"a":[null,{"c":"line\nend"}],"n":123456789012345678901234567890}"#,
            &nested(DEEPEST),
        ] {
            assert_eq!(parse(text).unwrap().get(), text);
        }
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
            "{\"a\":1e999}",
            "{\"a\":\"\\ud800\"}",
            &nested(DEEPEST + 1),
            &nested(2000),
            &nested(1_000_000),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.len() < 500, "{} bytes", error.len());
            assert!(
                error.starts_with("tags: expected a JSON object"),
                "{text}: {error}"
            );
        }
    }
}
