// SPDX-License-Identifier: MPL-2.0
//! Selects the annotated heads that count: those whose tags have certain values.

use std::str::FromStr;

use crate::dataset::Tags;

/// A tag and the values that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    tag: String,
    values: Vec<String>,
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tag, values) = text
            .split_once('=')
            .ok_or("expected a column, =, and one or more values")?;
        Ok(Self {
            tag: tag.into(),
            values: values.split(',').map(String::from).collect(),
        })
    }
}

impl Filter {
    pub fn has(&self, tags: &Tags) -> bool {
        let value = tags.get(&self.tag);
        self.values.iter().any(|wanted| wanted == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_values_counts() {
        let filter: Filter = "hair=plain,none".parse().unwrap();
        for (hair, counts) in [("plain", true), ("none", true), ("long", false)] {
            let mut tags = Tags::default();
            tags.set("hair", hair);
            assert_eq!(filter.has(&tags), counts, "{hair}");
        }
        assert!(!filter.has(&Tags::default()));
        assert!("hair".parse::<Filter>().is_err());
    }
}
