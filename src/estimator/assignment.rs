// SPDX-License-Identifier: MPL-2.0
//! The assignment problem: pair rows with columns, one to one, at the least total cost.

/// Pairs each row with a column, or each column with a row if there are fewer columns, so that the sum of
/// the costs is the least. `costs` is row-major with `columns` columns; costs are finite.
///
/// The Hungarian method with potentials, as shortest augmenting paths (Kuhn 1955, Jonker and Volgenant
/// 1987): O(n^3), for the few dozen heads of a frame.
pub fn assign(costs: &[f32], columns: usize) -> Vec<(usize, usize)> {
    if columns == 0 || costs.is_empty() {
        return Vec::new();
    }
    let rows = costs.len() / columns;
    if rows > columns {
        let transposed: Vec<f32> = (0..columns)
            .flat_map(|column| (0..rows).map(move |row| costs[row * columns + column]))
            .collect();
        let pairs = assign(&transposed, rows).into_iter();
        return pairs.map(|(column, row)| (row, column)).collect();
    }
    // Rows and columns count from 1; column 0 stands for the row that is being placed.
    let mut row_potential = vec![0.0f32; rows + 1];
    let mut column_potential = vec![0.0f32; columns + 1];
    let mut row_of = vec![0; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut slack = vec![f32::INFINITY; columns + 1];
        let mut from = vec![0; columns + 1];
        let mut visited = vec![false; columns + 1];
        let mut column = 0;
        while row_of[column] != 0 {
            visited[column] = true;
            let this = row_of[column];
            let (mut least, mut next) = (f32::INFINITY, 0);
            for other in 1..=columns {
                if visited[other] {
                    continue;
                }
                let cost = costs[(this - 1) * columns + other - 1];
                let reduced = cost - row_potential[this] - column_potential[other];
                if reduced < slack[other] {
                    slack[other] = reduced;
                    from[other] = column;
                }
                if slack[other] < least {
                    least = slack[other];
                    next = other;
                }
            }
            for other in 0..=columns {
                if visited[other] {
                    row_potential[row_of[other]] += least;
                    column_potential[other] -= least;
                } else {
                    slack[other] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[from[column]];
            column = from[column];
        }
    }
    (1..=columns)
        .filter(|&column| row_of[column] != 0)
        .map(|column| (row_of[column] - 1, column - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(costs: &[f32], columns: usize, pairs: &[(usize, usize)]) -> f32 {
        pairs.iter().map(|&(r, c)| costs[r * columns + c]).sum()
    }

    #[test]
    fn the_best_pair_is_given_up_for_the_best_sum() {
        // Greedy takes 1 and then has to take 100.
        let costs = [1.0, 2.0, 3.0, 100.0];
        let pairs = assign(&costs, 2);
        assert_eq!(total(&costs, 2, &pairs), 5.0);
    }

    #[test]
    fn more_columns_or_more_rows() {
        let wide = [5.0, 1.0, 9.0, 2.0, 1.5, 7.0];
        assert_eq!(total(&wide, 3, &assign(&wide, 3)), 3.0);
        let tall = [5.0, 2.0, 1.0, 1.5, 9.0, 7.0];
        assert_eq!(total(&tall, 2, &assign(&tall, 2)), 3.0);
        assert_eq!(assign(&[], 3), []);
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
        for n in 1..=6 {
            for _ in 0..20 {
                let costs: Vec<f32> = (0..n * n)
                    .map(|_| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 24) as f32
                    })
                    .collect();
                let pairs = assign(&costs, n);
                assert_eq!(pairs.len(), n);
                assert_eq!(total(&costs, n, &pairs), best(&costs, n, 0, 0));
            }
        }
    }
}
