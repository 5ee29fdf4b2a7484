// SPDX-License-Identifier: MPL-2.0
//! Yaw, pitch and roll as columns of one output, in the order that the output's name lists.

use super::super::angles::Angles;

/// Columns of yaw, pitch and roll in DMHead's order.
pub(super) const DMHEAD: [usize; 3] = [0, 2, 1];

/// The angles of each row of three whose yaw, pitch and roll are in these columns.
pub(super) fn rows(values: &[f32], columns: [usize; 3]) -> impl Iterator<Item = Angles> {
    values.as_chunks::<3>().0.iter().map(move |row| {
        let [yaw, pitch, roll] = columns.map(|column| row[column]);
        Angles::new(yaw, pitch, roll)
    })
}

/// Columns of yaw, pitch and roll in the order in which the name of an output lists them.
pub(super) fn order(name: &str) -> Option<[usize; 3]> {
    let name = name.to_lowercase();
    let places = ["yaw", "pitch", "roll"].map(|angle| name.find(angle));
    let listed = places.iter().all(Option::is_some);
    listed.then(|| places.map(|place| places.iter().filter(|other| **other < place).count()))
}
