// SPDX-License-Identifier: MPL-2.0
//! Warnings from the networks to the application. Each is delivered once, also if several workers find it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// The warnings of all networks that one configuration loads.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// All warnings so far, and the number of those that were delivered.
    texts: Mutex<(Vec<String>, usize)>,
    news: AtomicBool,
}

impl Notes {
    pub(super) fn add(&self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            let mut all = lock(&self.0.texts);
            if !all.0.contains(&text) {
                all.0.push(text);
                self.0.news.store(true, Ordering::Release);
            }
        }
    }

    /// What has come since the last call.
    pub fn take(&self) -> Vec<String> {
        // Called for every frame: no lock where there is nothing new.
        if !self.0.news.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        let (texts, taken) = &mut *lock(&self.0.texts);
        let news = texts[*taken..].to_vec();
        *taken = texts.len();
        news
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
