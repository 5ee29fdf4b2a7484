// SPDX-License-Identifier: MPL-2.0
//! The assignment problem: pair rows with columns, one to one, at the least total cost.

/// Solves assignment problems; keeps its scratch memory from one to the next.
#[derive(Debug, Default)]
pub struct Assignment {
    row_potential: Vec<f32>,
    column_potential: Vec<f32>,
    row_of: Vec<usize>,
    slack: Vec<f32>,
    from: Vec<usize>,
    visited: Vec<bool>,
    pairs: Vec<(usize, usize)>,
}

impl Assignment {
    /// Pairs each row with a column, or each column with a row if there are fewer columns, so that the sum
    /// of the costs is the least. `costs` is row-major with `columns` columns; costs are finite.
    ///
    /// The Hungarian method with potentials, as shortest augmenting paths (Kuhn 1955, Jonker and Volgenant
    /// 1987): O(n^3), for the few dozen heads of a frame.
    pub fn solve(&mut self, costs: &[f32], columns: usize) -> &[(usize, usize)] {
        self.pairs.clear();
        if columns == 0 || costs.is_empty() {
            return &self.pairs;
        }
        let rows = costs.len() / columns;
        if rows <= columns {
            self.augment(rows, columns, |row, column| costs[row * columns + column]);
            self.pairs.extend(placed(&self.row_of));
        } else {
            self.augment(columns, rows, |column, row| costs[row * columns + column]);
            let pairs = placed(&self.row_of).map(|(column, row)| (row, column));
            self.pairs.extend(pairs);
        }
        &self.pairs
    }

    /// Places each of `rows` rows, no more than there are columns.
    fn augment(&mut self, rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f32) {
        // Rows and columns count from 1; column 0 stands for the row that is being placed.
        refill(&mut self.row_potential, rows + 1, 0.0);
        refill(&mut self.column_potential, columns + 1, 0.0);
        refill(&mut self.row_of, columns + 1, 0);
        for row in 1..=rows {
            self.row_of[0] = row;
            refill(&mut self.slack, columns + 1, f32::INFINITY);
            refill(&mut self.from, columns + 1, 0);
            refill(&mut self.visited, columns + 1, false);
            let mut column = 0;
            while self.row_of[column] != 0 {
                self.visited[column] = true;
                let this = self.row_of[column];
                let (mut least, mut next) = (f32::INFINITY, 0);
                for other in 1..=columns {
                    if self.visited[other] {
                        continue;
                    }
                    let reduced = cost(this - 1, other - 1)
                        - self.row_potential[this]
                        - self.column_potential[other];
                    if reduced < self.slack[other] {
                        self.slack[other] = reduced;
                        self.from[other] = column;
                    }
                    if self.slack[other] < least {
                        least = self.slack[other];
                        next = other;
                    }
                }
                for other in 0..=columns {
                    if self.visited[other] {
                        self.row_potential[self.row_of[other]] += least;
                        self.column_potential[other] -= least;
                    } else {
                        self.slack[other] -= least;
                    }
                }
                column = next;
            }
            while column != 0 {
                self.row_of[column] = self.row_of[self.from[column]];
                column = self.from[column];
            }
        }
    }
}

/// The pairs of `row_of`, rows first, both from 0.
fn placed(row_of: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let placed = row_of.iter().enumerate().skip(1);
    let placed = placed.filter(|(_, row)| **row != 0);
    placed.map(|(column, row)| (row - 1, column - 1))
}

fn refill<T: Clone>(values: &mut Vec<T>, length: usize, value: T) {
    values.clear();
    values.resize(length, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(costs: &[f32], columns: usize, pairs: &[(usize, usize)]) -> f32 {
        pairs.iter().map(|&(r, c)| costs[r * columns + c]).sum()
    }

    #[test]
    fn more_columns_or_more_rows() {
        let mut assignment = Assignment::default();
        let wide = [5.0, 1.0, 9.0, 2.0, 1.5, 7.0];
        assert_eq!(total(&wide, 3, assignment.solve(&wide, 3)), 3.0);
        let tall = [5.0, 2.0, 1.0, 1.5, 9.0, 7.0];
        assert_eq!(total(&tall, 2, assignment.solve(&tall, 2)), 3.0);
        assert_eq!(assignment.solve(&[], 3), []);
    }

    /// Against all permutations, on matrices from a small generator.
    #[test]
    fn no_permutation_is_better() {
        fn best(costs: &[f32], n: usize, row: usize, used: usize) -> f32 {
            if row == n {
                return 0.0;
            }
            (0..n)
                .filter(|column| used & (1 << column) == 0)
                .map(|c| costs[row * n + c] + best(costs, n, row + 1, used | (1 << c)))
                .fold(f32::INFINITY, f32::min)
        }
        let mut seed = 7u32;
        let mut assignment = Assignment::default();
        for n in 1..=6 {
            for _ in 0..20 {
                let costs: Vec<f32> = (0..n * n)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 24) as f32
                    })
                    .collect();
                let pairs = assignment.solve(&costs, n);
                assert_eq!(pairs.len(), n);
                assert_eq!(total(&costs, n, pairs), best(&costs, n, 0, 0));
            }
        }
    }
}
