// SPDX-License-Identifier: MPL-2.0
//! Templates of the text above a head's box.

use std::fmt::Write;

use super::text::COLUMN;
use crate::estimator::Head;

/// Text with placeholders for the properties of a head: `{id}`, `{yaw}`, `{pitch}`, `{roll}`, `{score}`,
/// `{uncertainty}`.
///
/// A number may be followed by its form: `{yaw:+.1}` always has a sign, and one decimal.
/// Without it angles are whole degrees and scores have two decimals. An uncertainty that the pose model does not
/// state is written as `?`. `{newline}` begins a line, `{tab}`
/// moves the rest of the line to the right side (neither can be typed on a command line, and
/// gst-launch-1.0 takes backslashes out), `{{` and `}}` are braces. Anything else in braces is
/// written unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// The text between braces that is not a placeholder.
    Unknown(String),
    Id,
    Number {
        of: Number,
        sign: bool,
        decimals: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Yaw,
    Pitch,
    Roll,
    Score,
    Uncertainty,
}

impl Label {
    pub fn new(template: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            text.push_str(before);
            let inside = brace[1..].find('}').map(|end| &brace[1..1 + end]);
            rest = if brace.starts_with("{{") || brace.starts_with("}}") {
                text.push_str(&brace[..1]);
                &brace[2..]
            } else if let (true, Some(inside)) = (brace.starts_with('{'), inside) {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(placeholder(inside).unwrap_or_else(|| Part::Unknown(inside.into())));
                &brace[inside.len() + 2..]
            } else {
                text.push_str(&brace[..1]);
                &brace[1..]
            };
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Self { parts }
    }

    /// Every text between braces that is not a placeholder.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Unknown(inside) => Some(inside.as_str()),
            _ => None,
        })
    }

    /// Appends the label of `head`.
    pub(super) fn write(&self, head: &Head, out: &mut String) {
        for part in &self.parts {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Text(text) => write!(out, "{text}"),
                Part::Unknown(inside) => write!(out, "{{{inside}}}"),
                Part::Id => write!(out, "{}", head.id),
                Part::Number { of, sign, decimals } => {
                    let Some(value) = of.of(head) else {
                        out.push('?');
                        continue;
                    };
                    // No minus sign before zero.
                    let least = 0.5 * 0.1f32.powi(*decimals as i32);
                    let value = if value.abs() < least { 0.0 } else { value };
                    match sign {
                        true => write!(out, "{value:+.decimals$}"),
                        false => write!(out, "{value:.decimals$}"),
                    }
                }
            };
        }
    }
}

impl Number {
    fn of(self, head: &Head) -> Option<f32> {
        match self {
            Self::Yaw => Some(head.angles.yaw),
            Self::Pitch => Some(head.angles.pitch),
            Self::Roll => Some(head.angles.roll),
            Self::Score => Some(head.score),
            Self::Uncertainty => head.uncertainty,
        }
    }
}

/// `inside`: the text between the braces.
fn placeholder(inside: &str) -> Option<Part> {
    match inside {
        "newline" => return Some(Part::Text("\n".into())),
        "tab" => return Some(Part::Text(COLUMN.into())),
        "id" => return Some(Part::Id),
        _ => {}
    }
    let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
    let (of, usual) = match name {
        "yaw" => (Number::Yaw, 0),
        "pitch" => (Number::Pitch, 0),
        "roll" => (Number::Roll, 0),
        "score" => (Number::Score, 2),
        "uncertainty" => (Number::Uncertainty, 0),
        _ => return None,
    };
    let (sign, form) = match form.strip_prefix('+') {
        Some(form) => (true, form),
        None => (false, form),
    };
    let decimals = match form.as_bytes() {
        [] => usual,
        [b'.', digit @ b'0'..=b'6'] => usize::from(digit - b'0'),
        _ => return None,
    };
    Some(Part::Number { of, sign, decimals })
}

/// The label without a template: yaw, pitch, roll from the box upwards, as in DMHead.
pub(super) fn write_usual(head: &Head, short: bool, out: &mut String) {
    if !head.angles.is_finite() {
        return;
    }
    let names = if short {
        ["r", "p", "y"]
    } else {
        ["roll", "pitch", "yaw"]
    };
    let angles = [head.angles.roll, head.angles.pitch, head.angles.yaw];
    for (name, angle) in names.into_iter().zip(angles) {
        let _ = writeln!(out, "{name}{COLUMN}{}°", angle.round() as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimator::angles::Angles;

    fn written(template: &str) -> String {
        written_of(template, None)
    }

    fn written_of(template: &str, uncertainty: Option<f32>) -> String {
        let head = Head {
            id: 7,
            score: 0.875,
            angles: Angles::new(12.34, -0.04, -56.0),
            uncertainty,
            ..Head::default()
        };
        let mut out = String::new();
        Label::new(template).write(&head, &mut out);
        out
    }

    #[test]
    fn placeholders_become_what_is_known_of_the_head() {
        assert_eq!(written("#{id} {yaw} {pitch} {roll}"), "#7 12 0 -56");
        assert_eq!(written("{score}, {score:.1}"), "0.88, 0.9");
        assert_eq!(written("{yaw:+.1}° {roll:+}"), "+12.3° -56");
        assert_eq!(written("{pitch:.1} {pitch:.2} {pitch:+}"), "0.0 -0.04 +0");
        assert_eq!(written("nothing"), "nothing");
        assert_eq!(written(""), "");
        let uncertainty = "{uncertainty} {uncertainty:.1}";
        assert_eq!(written_of(uncertainty, Some(7.26)), "7 7.3");
        assert_eq!(written_of(uncertainty, None), "? ?");
    }

    #[test]
    fn lines_and_columns_can_be_written_on_a_command_line() {
        assert_eq!(written("#{id}{newline}yaw{tab}{yaw}"), "#7\nyaw\t12");
        assert_eq!(written("a\nb\tc"), "a\nb\tc");
    }

    #[test]
    fn what_is_no_placeholder_stays_as_it_stands() {
        for template in [
            "{jaw}",
            "{}",
            "{yaw:x}",
            "{yaw:.}",
            "{yaw:.7}",
            "{yaw:.12}",
            "{id:+}",
            "{tab:}",
            "{ yaw}",
            "{yaw",
            "yaw}",
            "{",
            "}",
            "{°}",
        ] {
            assert_eq!(written(template), template);
        }
        assert_eq!(written("{{yaw}} {{{id}}}"), "{yaw} {7}");
        let label = Label::new("{yaw} {jaw} {{x}} {roll:2} {");
        assert_eq!(label.unknown().collect::<Vec<_>>(), ["jaw", "roll:2"]);
    }
}
