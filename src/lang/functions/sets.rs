//! Sets: lists whose order and repetitions do not matter.

use super::collections::distinct;
use super::{Arguments, Function, Outcome, functions};
use crate::lang::value::{Evaluated, Seen, Value};

pub(super) const FUNCTIONS: &[Function] = functions! { "sets":
    "setintersection" (1, any) "setintersection(sets…)" "The elements that all of the sets have." = |a| combined(a, |all, next| { let next = Seen::of(next); all.retain(|item| next.contains(&item.value)); });
    "setproduct" (1, any) "setproduct(sets…)" "Every combination of one element from each set." = setproduct;
    "setsubtract" (2) "setsubtract(set, other)" "The elements of the set that the other does not have." = |a| combined(a, |all, next| { let next = Seen::of(next); all.retain(|item| !next.contains(&item.value)); });
    "setunion" (1, any) "setunion(sets…)" "The elements that any of the sets has." = |a| combined(a, Vec::extend_from_slice);
};

fn combined(arguments: &Arguments<'_>, combine: impl Fn(&mut Vec<Evaluated>, &[Evaluated])) -> Outcome {
    let mut all = arguments.list(0)?.to_vec();
    for index in 1..arguments.count() {
        combine(&mut all, arguments.list(index)?);
    }
    Ok(Value::from(distinct(&all)))
}

fn setproduct(arguments: &Arguments<'_>) -> Outcome {
    let mut rows: Vec<Vec<Evaluated>> = vec![Vec::new()];
    for index in 0..arguments.count() {
        let items = arguments.list(index)?;
        if rows.len().saturating_mul(items.len()) > 100_000 {
            return Err(arguments.wrong(index, "sets with fewer than 100000 combinations"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                items
                    .iter()
                    .map(|item| row.iter().chain([item]).cloned().collect())
            })
            .collect();
    }
    Ok(Value::from(
        rows.into_iter()
            .map(|row| arguments.here(Value::from(row)))
            .collect::<Vec<_>>(),
    ))
}
