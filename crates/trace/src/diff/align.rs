//! The shortest way from one list to another.

/// One step of it.
pub(super) enum Step<'a> {
    Both(&'a String),
    First(&'a String),
    Second(&'a String),
}

/// Lists above this are compared without looking for what they share in the middle: the table would
/// have more than 16 million cells.
const LONGEST: usize = 4_000;

pub(super) fn align<'a>(a: &'a [String], b: &'a [String]) -> Vec<Step<'a>> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (head, a) = a.split_at(start);
    let (_, b) = b.split_at(start);
    let ends = a.iter().rev().zip(b.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (a, tail) = a.split_at(a.len() - end);
    let (b, _) = b.split_at(b.len() - end);
    let mut steps: Vec<Step<'a>> = head.iter().map(Step::Both).collect();
    if a.len() > LONGEST || b.len() > LONGEST {
        steps.extend(a.iter().map(Step::First));
        steps.extend(b.iter().map(Step::Second));
    } else {
        steps.extend(middle(a, b));
    }
    steps.extend(tail.iter().map(Step::Both));
    steps
}

/// By the longest list that both have in them.
fn middle<'a>(a: &'a [String], b: &'a [String]) -> Vec<Step<'a>> {
    // How long that list is for what follows each pair of places.
    let mut table = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    let at = |table: &Vec<Vec<u32>>, i: usize, j: usize| {
        let row = table.get(i);
        row.and_then(|row| row.get(j)).copied().unwrap_or(0)
    };
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = match x == y {
                true => at(&table, i + 1, j + 1) + 1,
                false => at(&table, i + 1, j).max(at(&table, i, j + 1)),
            };
            if let Some(cell) = table.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                steps.push(Step::Both(x));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), other) if other.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                steps.push(Step::First(x));
                i += 1;
            }
            (_, Some(y)) => {
                steps.push(Step::Second(y));
                j += 1;
            }
            (_, None) => return steps,
        }
    }
}
