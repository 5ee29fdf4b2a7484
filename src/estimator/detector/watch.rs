// SPDX-License-Identifier: MPL-2.0
//! Signs that a detector is misread: what its signature leaves open, and implausible outputs.

use std::path::Path;

use super::super::onnx::Hints;
use super::detection::Detection;
use super::family::Assumed;

/// Frames with rows of other classes only before a warning: a single frame may show just a hand.
const FRAMES_OF_OTHERS: u32 = 3;

/// Scores are shares; rounding may take them a little beyond 1.
const LARGEST_SCORE: f32 = 1.01;

#[derive(Debug, Default)]
pub(super) struct Watch {
    file: String,
    /// The class that counts as head unless the settings name one.
    pub head: Option<u32>,
    /// The warning that the class of heads was assumed; given unless the settings name the class.
    class_doubt: Option<String>,
    has_seen_heads: bool,
    frames_of_others: u32,
    odd_scores: bool,
    /// Not yet reported.
    pub warnings: Vec<String>,
}

impl Watch {
    pub fn new(
        file: &Path,
        doubt: Option<String>,
        assumed: Option<Assumed>,
        hints: &Hints,
    ) -> Self {
        let file = format!("detector model {}", file.display());
        let told = hints.head_class();
        let class_doubt = assumed
            .filter(|assumed| told.is_none() && !(assumed.published && hints.classes.is_empty()))
            .map(|Assumed { class, .. }| match hints.classes.as_slice() {
                [] => format!(
                    "{file}: expected the names of its classes in the file, found none. Class {class} counts as \
                     head; set head-class if it is another one"
                ),
                classes => format!(
                    "{file}: expected a class called head, found {}. Class {class} counts as head; set \
                     head-class if it is another one",
                    listed(classes)
                ),
            });
        Self {
            warnings: Vec::from_iter(doubt.map(|doubt| format!("{file}: {doubt}"))),
            file,
            head: told.or(assumed.map(|assumed| assumed.class)),
            class_doubt,
            ..Self::default()
        }
    }

    /// Checks the results of a frame. `head`: the class of heads; `chosen`: the settings named it; `other`: class and
    /// score of the best row of another class.
    pub fn look(
        &mut self,
        head: Option<u32>,
        chosen: bool,
        detections: &[Detection],
        other: Option<(f32, f32)>,
    ) {
        if !chosen && let Some(doubt) = self.class_doubt.take() {
            self.warnings.push(doubt);
        }
        self.has_seen_heads |= !detections.is_empty();
        if let (Some((class, score)), Some(head), false) = (other, head, self.has_seen_heads) {
            self.frames_of_others += 1;
            if self.frames_of_others == FRAMES_OF_OTHERS {
                self.warnings.push(format!(
                    "{}: expected rows of class {head}, the head, found rows of other classes only, as one of \
                     class {class} with score {score}. Set head-class to the class of heads, or detector-family \
                     if these are no classes and scores",
                    self.file
                ));
            }
        }
        let odd = detections.iter().find(|found| found.score > LARGEST_SCORE);
        if let (Some(odd), false) = (odd, self.odd_scores) {
            self.odd_scores = true;
            self.warnings.push(format!(
                "{}: expected scores from 0 to 1, found {}. Its output does not have the columns of the \
                 recognised family: set detector-family",
                self.file, odd.score
            ));
        }
    }
}

/// The first of these names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text += ", ...";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::geometry::Rect;
    use super::*;

    fn watch(assumed: Option<Assumed>, classes: &[&str]) -> Watch {
        let hints = Hints {
            classes: classes.iter().map(|name| name.to_string()).collect(),
            ..Hints::default()
        };
        Watch::new(Path::new("m.onnx"), None, assumed, &hints)
    }

    fn assumed(published: bool) -> Option<Assumed> {
        Some(Assumed {
            class: 1,
            published,
        })
    }

    fn head(score: f32) -> Detection {
        Detection {
            rect: Rect::new(0.0, 0.0, 1.0, 1.0),
            score,
        }
    }

    const OTHER: Option<(f32, f32)> = Some((0.0, 0.9));

    #[test]
    fn an_assumed_class_is_told_unless_the_settings_name_it() {
        for (classes, published, chosen, told) in [
            (&[][..], false, false, "found none"),
            (
                &["person", "bicycle"],
                false,
                false,
                "found person, bicycle",
            ),
            (&["person", "bicycle"], true, false, "found person, bicycle"),
            (&["person", "head"], false, false, ""),
            (&[], true, false, ""),
            (&[], false, true, ""),
        ] {
            let mut watch = watch(assumed(published), classes);
            for _ in 0..2 {
                watch.look(Some(1), chosen, &[], None);
            }
            match told {
                "" => assert_eq!(watch.warnings, [""; 0]),
                told => {
                    assert_eq!(watch.warnings.len(), 1);
                    assert!(watch.warnings[0].contains(told), "{:?}", watch.warnings);
                }
            }
        }
    }

    #[test]
    fn rows_of_other_classes_alone_are_told_once() {
        let mut seen = watch(None, &[]);
        let mut never = watch(None, &[]);
        seen.look(Some(1), true, &[head(0.9)], OTHER);
        for _ in 0..9 {
            seen.look(Some(1), true, &[], OTHER);
            never.look(Some(1), true, &[], OTHER);
        }
        assert_eq!(seen.warnings, [""; 0]);
        assert_eq!(never.warnings.len(), 1);
        assert!(never.warnings[0].contains("head-class"));
    }

    #[test]
    fn scores_beyond_one_are_told_once() {
        let mut watch = watch(None, &[]);
        watch.look(None, true, &[head(1.0)], None);
        assert_eq!(watch.warnings, [""; 0]);
        for _ in 0..3 {
            watch.look(None, true, &[head(120.0)], None);
        }
        assert_eq!(watch.warnings.len(), 1);
        assert!(watch.warnings[0].contains("120"));
    }
}
