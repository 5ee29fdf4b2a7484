// SPDX-License-Identifier: MPL-2.0
//! Warnings from the networks to the application. Each is delivered once, also if several workers find it.

use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// The warnings of all networks that one configuration loads: all so far, and how many of them were delivered.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<(Vec<String>, usize)>>);

impl Notes {
    pub(super) fn add(&self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            let (all, _) = &mut *lock(&self.0);
            if !all.contains(&text) {
                all.push(text);
            }
        }
    }

    /// What has come since the last call.
    pub fn take(&self) -> Vec<String> {
        let (all, taken) = &mut *lock(&self.0);
        let before = std::mem::replace(taken, all.len());
        all[before..].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_arrives_once() {
        let notes = Notes::default();
        assert!(notes.take().is_empty());
        notes.add(["a".to_string(), "b".to_string()]);
        notes.clone().add(["a".to_string()]);
        assert_eq!(notes.take(), ["a", "b"]);
        notes.add(["b".to_string(), "c".to_string()]);
        assert_eq!(notes.take(), ["c"]);
        assert!(notes.take().is_empty());
    }
}
