// SPDX-License-Identifier: MPL-2.0
//! Tables that are readable in a terminal and are Markdown, so that documents can include them unchanged.

use std::fmt::{self, Display, Formatter};

/// A header, and rows with the same number of cells.
pub struct Table {
    rows: Vec<Vec<String>>,
    /// This many columns hold text and are left-aligned; the others hold numbers.
    text_columns: usize,
}

impl Table {
    pub fn new(text_columns: usize, header: &[&str]) -> Self {
        Self {
            rows: vec![header.iter().map(|&name| name.into()).collect()],
            text_columns,
        }
    }

    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// It has only a header.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let n_columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(3)
        };
        let widths: Vec<usize> = (0..n_columns).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            for (column, &width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                match column < self.text_columns {
                    true => write!(f, "| {cell:<width$} ")?,
                    false => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")?;
            if index == 0 {
                for (column, &width) in widths.iter().enumerate() {
                    let end = if column < self.text_columns { '-' } else { ':' };
                    write!(f, "|{}{end}", "-".repeat(width + 1))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

/// A number with two decimals.
pub fn degrees(value: f64) -> String {
    // No negative zero.
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0)
}

/// A percentage, or a dash if the total is zero.
pub fn percent(part: usize, whole: usize) -> String {
    match whole {
        0 => "-".into(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_marked() {
        let mut table = Table::new(1, &["pose", "heads"]);
        assert!(table.is_empty());
        table.push(vec!["front".into(), "12".into()]);
        let want = "| pose  | heads |\n|-------|------:|\n| front |    12 |\n";
        assert_eq!(table.to_string(), want);
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!(degrees(-0.001), "0.00");
        assert_eq!(degrees(-0.006), "-0.01");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(0, 0), "-");
    }
}
