//! From drafts to steps: in which order the writes of a plan or of an undo are made.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Draft;
use super::error::{PlanError, Problem};
use super::instants::Surroundings;
use super::note::Note;
use super::order::Order;
use super::step::Step;
use super::{instants, preflight};

/// Writes in their order.
pub(super) struct Arranged {
    /// The drafts that are carried out.
    pub(super) chosen: BTreeSet<usize>,
    /// Each with its draft.
    pub(super) steps: Vec<(usize, Step)>,
    /// Whether the tenant is so full that old policies go before new ones come.
    pub(super) delete_first: bool,
    /// The reason with which a gap was taken on.
    pub(super) accepted_gap: Option<String>,
}

/// Puts the writes in order: what protects first, and no instant worse than both ends.
///
/// `choose` says which drafts are carried out, told what waits for what.
pub(super) fn arrange<'d>(
    drafts: &mut [Draft<'d>],
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<Note>,
    choose: impl FnOnce(&[Draft<'d>], &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize>,
) -> Result<Arranged, Vec<PlanError>> {
    let mut order = Order::new(drafts);
    let chosen = choose(drafts, &order.waits());
    let delete_first = preflight::must_delete_first(drafts, surroundings.live, surroundings.options);
    order.strengthen_first(drafts, delete_first);
    let mut errors = Vec::new();
    let accepted_gap = instants::secure(&mut order, drafts, &chosen, surroundings, &mut errors, notes);
    if !errors.is_empty() {
        return Err(errors);
    }
    let steps = order
        .steps(drafts, &chosen)
        .map_err(|path| vec![PlanError::new(Problem::Cycle { path })])?;
    Ok(Arranged {
        chosen,
        steps,
        delete_first,
        accepted_gap,
    })
}
