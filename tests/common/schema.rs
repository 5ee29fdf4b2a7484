// SPDX-License-Identifier: MPL-2.0
//! A validator for the part of JSON Schema that `docs/pose-line.schema.json` uses.
//!
//! A general one would add about seventy crates. Unknown keywords are an error, so that
//! the schema cannot grow past what is checked.

use serde_json::Value;

/// Checks `value` against the repository's schema file `schema`.
pub fn validate_file(schema: &str, value: &Value) -> Result<(), String> {
    let path = super::in_repository(schema);
    let text =
        std::fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
    let schema: Value = serde_json::from_str(&text).map_err(|err| err.to_string())?;
    validate(&schema, &schema, value, "$")
}

fn validate(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fail = |what: String| Err(format!("{at}: {what}, found {value}"));
    let len = value.as_array().map(|items| items.len() as u64);
    for (keyword, rule) in schema.as_object().ok_or("a schema is an object")? {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#'));
                let target = root.pointer(pointer.ok_or("bad $ref")?);
                let target = target.ok_or(format!("{rule} leads nowhere"))?;
                validate(root, target, value, at)?;
            }
            "type" => {
                let one = std::slice::from_ref(rule);
                let any = rule.as_array().map_or(one, Vec::as_slice);
                if !any.iter().any(|t| has_type(value, t)) {
                    return fail(format!("expected type {rule}"));
                }
            }
            "enum" if !rule.as_array().is_some_and(|any| any.contains(value)) => {
                return fail(format!("expected one of {rule}"));
            }
            "format" if rule == "date-time" => {
                let time = value.as_str().unwrap_or_default();
                if gst::glib::DateTime::from_iso8601(time, None).is_err() {
                    return fail("expected a date and time with an offset".into());
                }
            }
            "minimum" if value.as_f64().is_some_and(|v| Some(v) < rule.as_f64()) => {
                return fail(format!("expected at least {rule}"));
            }
            "maximum" if value.as_f64().is_some_and(|v| Some(v) > rule.as_f64()) => {
                return fail(format!("expected at most {rule}"));
            }
            "minItems" if len.is_some_and(|len| Some(len) < rule.as_u64()) => {
                return fail(format!("expected at least {rule} items"));
            }
            "maxItems" if len.is_some_and(|len| Some(len) > rule.as_u64()) => {
                return fail(format!("expected at most {rule} items"));
            }
            "required" => {
                let names = rule.as_array().into_iter().flatten();
                for name in names.filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        return fail(format!("expected a field {name}"));
                    }
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().ok_or("bad properties")? {
                    if let Some(field) = value.get(name) {
                        validate(root, rule, field, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" if *rule == Value::Bool(false) => {
                let fields = value.as_object().into_iter();
                for name in fields.flat_map(|fields| fields.keys()) {
                    if schema["properties"].get(name).is_none() {
                        return fail(format!("unexpected field {name}"));
                    }
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(root, rule, item, &format!("{at}[{i}]"))?;
                }
            }
            "enum" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            _ => return Err(format!("{at}: unknown keyword {keyword}")),
        }
    }
    Ok(())
}

fn has_type(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    }
}
