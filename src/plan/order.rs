//! What waits for what: edges that are written and edges that nobody writes, then numbers for the steps.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, EdgeRef};

use crate::access::Waits;
use crate::model::{Address, Kind, Origin, Reference};

use super::build::Draft;
use super::change::Action;
use super::emergency::{is_enabled, strengthens};
use super::error::{PlanError, Problem};
use super::step::{Act, ObjectId, Step, StepId};
use super::users::Users;

/// The acts of every draft and the edges between them.
pub(super) struct Order {
    graph: DiGraph<Node, Edge>,
    /// The nodes of each draft.
    spans: Vec<Span>,
}

#[derive(Debug, Clone)]
struct Node {
    draft: usize,
    act: Act,
}

/// What a write does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// It is there from then on.
    Made,
    /// It is back as it was.
    Restored,
    /// It is as it shall be.
    Changed,
    /// New members are in it.
    Joined,
    /// Old members are out of it.
    Left,
    /// It is gone, or counts for nothing any more.
    Gone,
}

/// What may change somebody's access, all at once: one act, or several that count as one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write {
    pub(super) draft: usize,
    pub(super) touch: Touch,
    pub(super) first: NodeIndex,
    pub(super) last: NodeIndex,
}

/// Whether the edge is needed for the write to succeed, or only keeps the tenant protected meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Hard,
    /// What is changed comes before what refers to it, though the request does not need that.
    Usual,
    Soft,
}

#[derive(Debug, Clone, Default)]
struct Span {
    entries: Vec<NodeIndex>,
    builds: Vec<NodeIndex>,
    deletes: Vec<NodeIndex>,
}

impl Span {
    fn last(&self) -> Option<NodeIndex> {
        self.deletes.last().or(self.builds.last()).copied()
    }

    fn all(&self) -> impl Iterator<Item = NodeIndex> {
        self.entries
            .iter()
            .chain(&self.builds)
            .chain(&self.deletes)
            .copied()
    }
}

impl Order {
    /// Every draft's acts, with the edges that they need.
    ///
    /// The acts are taken out of the drafts: they hold whole bodies.
    pub(super) fn new(drafts: &mut [Draft<'_>]) -> Self {
        let mut order = Self {
            graph: DiGraph::new(),
            spans: Vec::new(),
        };
        for (number, draft) in drafts.iter_mut().enumerate() {
            let mut add = |acts: Vec<Act>| -> Vec<NodeIndex> {
                acts.into_iter()
                    .map(|act| order.graph.add_node(Node { draft: number, act }))
                    .collect()
            };
            let acts = std::mem::take(&mut draft.acts);
            let span = Span {
                entries: add(acts.entries),
                builds: add(acts.builds),
                deletes: add(acts.deletes),
            };
            let (leave, chain): (Vec<NodeIndex>, Vec<NodeIndex>) = span
                .all()
                .partition(|node| order.touch_of(*node, draft.change.kind) == Some(Touch::Left));
            // Members leave when what comes before the first one who joins is done; the others may join before or after.
            let joins = |node: &NodeIndex| order.touch_of(*node, draft.change.kind) == Some(Touch::Joined);
            let before = chain.iter().rev().find(|node| !joins(node)).copied();
            let apart: Vec<NodeIndex> = before.into_iter().chain(leave.iter().copied()).collect();
            for chain in [&chain, &apart] {
                for (earlier, later) in chain.iter().zip(chain.iter().skip(1)) {
                    order.graph.add_edge(*earlier, *later, Edge::Hard);
                }
            }
            if let (Some(joined), Some(left)) = (chain.last(), leave.first()) {
                order.wait(*joined, *left);
            }
            order.spans.push(span);
        }
        order.builds_after_builds(drafts);
        order.deletes_after_users(drafts);
        order
    }

    fn span(&self, draft: usize) -> Span {
        self.spans.get(draft).cloned().unwrap_or_default()
    }

    fn touch_of(&self, node: NodeIndex, kind: Kind) -> Option<Touch> {
        touch(&self.graph.node_weight(node)?.act, kind)
    }

    /// The acts with which an object is as it shall be: the last one, and the last one by which members join a group.
    fn ends(&self, draft: usize, drafts: &[Draft<'_>]) -> BTreeSet<NodeIndex> {
        let kind = drafts.get(draft).map_or(Kind::Policy, |draft| draft.change.kind);
        let builds = self.span(draft).builds;
        let joined = builds
            .iter()
            .rev()
            .find(|node| self.touch_of(**node, kind) == Some(Touch::Joined));
        builds.last().into_iter().chain(joined).copied().collect()
    }

    fn builds_after_builds(&mut self, drafts: &[Draft<'_>]) {
        let by_address: BTreeMap<&Address, usize> = drafts
            .iter()
            .enumerate()
            .map(|(number, draft)| (&draft.change.address, number))
            .collect();
        for (number, draft) in drafts.iter().enumerate() {
            let span = self.span(number);
            for need in &draft.needs {
                let needed = by_address.get(need).map(|other| self.ends(*other, drafts));
                for (built, first) in needed
                    .into_iter()
                    .flatten()
                    .filter_map(|built| Some((built, span.builds.first()?)))
                {
                    let is_asked_for = draft
                        .resource
                        .is_some_and(|resource| resource.depends_on.iter().any(|wanted| wanted.covers(need)));
                    let is_there = by_address
                        .get(need)
                        .and_then(|other| drafts.get(*other))
                        .is_some_and(|other| other.change.action == Action::Update);
                    let edge = if is_there && !is_asked_for {
                        Edge::Usual
                    } else {
                        Edge::Hard
                    };
                    self.graph.add_edge(built, *first, edge);
                }
            }
            // Members wait for the member to exist, not for its own members: groups may hold one another.
            for node in &span.builds {
                let Some(Node {
                    act: Act::AddMembers { members, .. },
                    ..
                }) = self.graph.node_weight(*node)
                else {
                    continue;
                };
                let made: Vec<NodeIndex> = members
                    .iter()
                    .filter_map(|member| match member {
                        ObjectId::Of(address) => by_address.get(address),
                        ObjectId::Known(_) => None,
                    })
                    .filter_map(|other| self.span(*other).builds.first().copied())
                    .collect();
                for made in made {
                    self.graph.add_edge(made, *node, Edge::Hard);
                }
            }
        }
    }

    /// An object is deleted after whatever refers to it has let go, or is gone itself.
    fn deletes_after_users(&mut self, drafts: &[Draft<'_>]) {
        let objects = drafts
            .iter()
            .map(|draft| draft.live.or(draft.restored).map(|live| &live.object));
        let users = Users::of(
            objects
                .enumerate()
                .filter_map(|(number, object)| Some((number, object?))),
        );
        let mut remembered_by: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
        for (number, draft) in drafts.iter().enumerate() {
            if !self.span(number).deletes.is_empty() {
                for needed in &draft.remembered {
                    remembered_by.entry(needed).or_default().push(number);
                }
            }
        }
        for (doomed, draft) in drafts.iter().enumerate() {
            let Some(first_delete) = self.span(doomed).deletes.first().copied() else {
                continue;
            };
            let change = &draft.change;
            let users: BTreeSet<usize> = std::iter::once(&change.address)
                .chain(&change.previous_address)
                .filter_map(|address| remembered_by.get(address))
                .flatten()
                .copied()
                .chain(users.of_draft(draft))
                .filter(|number| *number != doomed)
                .collect();
            for number in users {
                if let Some(last) = self.span(number).last()
                    && !has_path_connecting(&self.graph, first_delete, last, None)
                {
                    self.graph.add_edge(last, first_delete, Edge::Hard);
                }
            }
        }
    }

    /// Policies are weakened or deleted only after those that take over are in force, so that at no moment less
    /// is protected than before and after. In a full tenant it can only be the other way round.
    pub(super) fn strengthen_first(&mut self, drafts: &[Draft<'_>], delete_first: bool) {
        let mut stronger = Vec::new();
        let mut weaker = Vec::new();
        for (number, draft) in drafts.iter().enumerate() {
            let change = &draft.change;
            let span = self.span(number);
            match (change.action, &change.before, &change.after) {
                (Action::Create | Action::Update, before, Some(after))
                    if strengthens(before.as_ref(), after) =>
                {
                    stronger.extend(span.builds.first());
                }
                (Action::Update, Some(before), Some(after)) if is_enabled(before) && !is_enabled(after) => {
                    weaker.extend(span.builds.first());
                }
                (Action::Delete, Some(before), _) if is_enabled(before) => {
                    weaker.extend(span.deletes.first());
                }
                _ => {}
            }
            if delete_first && change.action == Action::Create && change.kind == crate::model::Kind::Policy {
                stronger.extend(span.builds.first());
            }
        }
        // A full tenant takes nothing new before something is gone.
        let (earlier, later, edge) = if delete_first {
            (weaker, stronger, Edge::Hard)
        } else {
            (stronger, weaker, Edge::Soft)
        };
        for later in later {
            let reached = self.reached(later);
            for earlier in &earlier {
                if !reached.contains(earlier) {
                    self.graph.add_edge(*earlier, later, edge);
                }
            }
        }
    }

    /// The writes of the chosen drafts that may change somebody's access.
    pub(super) fn touches(&self, drafts: &[Draft<'_>], chosen: &BTreeSet<usize>) -> Vec<Write> {
        let mut writes = Vec::new();
        for (number, draft) in drafts.iter().enumerate() {
            if !chosen.contains(&number) {
                continue;
            }
            let span = self.span(number);
            let kind = draft.change.kind;
            let touched: Vec<(NodeIndex, Touch)> = span
                .builds
                .iter()
                .filter_map(|node| {
                    let act = &self.graph.node_weight(*node)?.act;
                    Some((*node, touch(act, kind)?))
                })
                .collect();
            let mut write = |first: NodeIndex, last: NodeIndex, touch: Touch| {
                writes.push(Write {
                    draft: number,
                    touch,
                    first,
                    last,
                });
            };
            if kind == Kind::Policy {
                for (node, touch) in touched {
                    write(node, node, touch);
                }
            } else {
                let (left, other): (Vec<_>, Vec<_>) =
                    touched.into_iter().partition(|(_, touch)| *touch == Touch::Left);
                for part in [other, left] {
                    if let (Some((first, touch)), Some((last, _))) = (part.first(), part.last()) {
                        write(*first, *last, *touch);
                    }
                }
            }
            if let Some(gone) = span.deletes.first() {
                write(*gone, *gone, Touch::Gone);
            }
        }
        writes
    }

    /// Which of these writes come before which.
    pub(super) fn between(&self, writes: &[Write]) -> Waits {
        let mut waits = Waits::none(writes.len());
        for (earlier, write) in writes.iter().enumerate() {
            let reached = self.reached(write.last);
            for (later, other) in writes.iter().enumerate() {
                if later != earlier && other.first != write.last && reached.contains(&other.first) {
                    waits.add(earlier, later);
                }
            }
        }
        waits
    }

    /// Lets an act wait for another one, to keep everybody protected meanwhile.
    pub(super) fn wait(&mut self, earlier: NodeIndex, later: NodeIndex) {
        if !has_path_connecting(&self.graph, later, earlier, None)
            && !has_path_connecting(&self.graph, earlier, later, None)
        {
            self.graph.add_edge(earlier, later, Edge::Soft);
        }
    }

    /// Brings those who join a group and those who leave it in one order: what is written last completes the change.
    pub(super) fn settle_members(&mut self, writes: &[Write]) {
        for (joined, left) in writes.iter().zip(writes.iter().skip(1)) {
            if joined.draft == left.draft && (joined.touch, left.touch) == (Touch::Joined, Touch::Left) {
                self.wait(joined.last, left.first);
                self.wait(left.last, joined.first);
            }
        }
    }

    /// Whether it holds edges that no request needs.
    pub(super) fn has_preferences(&self) -> bool {
        self.graph.edge_weights().any(|edge| *edge != Edge::Hard)
    }

    /// The same with only those edges that requests need.
    pub(super) fn without_preferences(&self) -> Self {
        let mut graph = self.graph.clone();
        graph.retain_edges(|graph, edge| graph.edge_weight(edge) == Some(&Edge::Hard));
        Self {
            graph,
            spans: self.spans.clone(),
        }
    }

    /// Everything that waits for a node, and the node itself.
    fn reached(&self, from: NodeIndex) -> BTreeSet<NodeIndex> {
        let mut search = Dfs::new(&self.graph, from);
        std::iter::from_fn(|| search.next(&self.graph)).collect()
    }

    /// The drafts that each draft's hard edges lead to, waiting side first.
    pub(super) fn waits(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for edge in self.graph.edge_references() {
            let ends = (
                self.graph.node_weight(edge.source()),
                self.graph.node_weight(edge.target()),
            );
            if let ((Some(earlier), Some(later)), Edge::Hard | Edge::Usual) = (ends, edge.weight())
                && earlier.draft != later.draft
            {
                waits.entry(later.draft).or_default().insert(earlier.draft);
            }
        }
        waits
    }

    fn is_of(&self, node: NodeIndex, chosen: &BTreeSet<usize>) -> bool {
        let node = self.graph.node_weight(node);
        node.is_some_and(|node| chosen.contains(&node.draft))
    }

    fn neighbours(
        &self,
        node: NodeIndex,
        direction: Direction,
        chosen: &BTreeSet<usize>,
    ) -> BTreeSet<NodeIndex> {
        self.graph
            .neighbors_directed(node, direction)
            .filter(|other| self.is_of(*other, chosen))
            .collect()
    }

    /// Numbers the acts of the chosen drafts so that each comes after what it waits for.
    ///
    /// Errors with the addresses left over when they wait for one another.
    pub(super) fn steps(
        mut self,
        drafts: &[Draft<'_>],
        chosen: &BTreeSet<usize>,
    ) -> Result<Vec<(usize, Step)>, Vec<Address>> {
        let mut waiting: BTreeMap<NodeIndex, usize> = BTreeMap::new();
        for node in self.graph.node_indices().filter(|node| self.is_of(*node, chosen)) {
            waiting.insert(node, self.neighbours(node, Direction::Incoming, chosen).len());
        }
        let mut free: BTreeSet<NodeIndex> = waiting
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(node, _)| *node)
            .collect();
        let mut numbers: BTreeMap<NodeIndex, StepId> = BTreeMap::new();
        let mut steps = Vec::new();
        while let Some(next) = free.pop_first() {
            waiting.remove(&next);
            for later in self.neighbours(next, Direction::Outgoing, chosen) {
                if let Some(count) = waiting.get_mut(&later) {
                    *count -= 1;
                    if *count == 0 {
                        free.insert(later);
                    }
                }
            }
            let id = StepId(u32::try_from(steps.len() + 1).unwrap_or(u32::MAX));
            numbers.insert(next, id);
            let mut after: Vec<StepId> = self
                .neighbours(next, Direction::Incoming, chosen)
                .iter()
                .filter_map(|node| numbers.get(node).copied())
                .collect();
            after.sort_unstable();
            let Some(node) = self.graph.node_weight_mut(next) else {
                continue;
            };
            let Some(draft) = drafts.get(node.draft) else {
                continue;
            };
            steps.push((
                node.draft,
                Step {
                    id,
                    address: draft.change.address.clone(),
                    // The graph is done with it.
                    act: std::mem::replace(&mut node.act, Act::Forget),
                    after,
                },
            ));
        }
        if waiting.is_empty() {
            return Ok(steps);
        }
        let left: BTreeSet<Address> = waiting
            .keys()
            .filter_map(|node| self.graph.node_weight(*node))
            .filter_map(|node| drafts.get(node.draft))
            .map(|draft| draft.change.address.clone())
            .collect();
        Err(left.into_iter().collect())
    }
}

/// What an act that builds does to its object, as far as it may change somebody's access.
fn touch(act: &Act, kind: Kind) -> Option<Touch> {
    match (act, kind) {
        (Act::Create { .. }, Kind::Group)
        | (Act::Update { .. }, Kind::Group | Kind::Strength | Kind::Context) => None,
        (Act::Create { .. }, _) => Some(Touch::Made),
        (Act::Restore { .. }, _) => Some(Touch::Restored),
        (Act::AddMembers { .. }, _) => Some(Touch::Joined),
        (Act::RemoveMember { .. }, _) => Some(Touch::Left),
        (Act::Update { .. } | Act::SetCombinations { .. }, _) => Some(Touch::Changed),
        _ => None,
    }
}

/// Ways in which objects need themselves, each once, with the places that say so.
pub(super) fn cycles(drafts: &[Draft<'_>]) -> Vec<PlanError> {
    let by_address: BTreeMap<&Address, &Draft<'_>> = drafts
        .iter()
        .map(|draft| (&draft.change.address, draft))
        .collect();
    let mut done: BTreeSet<&Address> = BTreeSet::new();
    let mut errors = Vec::new();
    for draft in drafts {
        let mut path = Vec::new();
        if let Some(circle) = search(&draft.change.address, &by_address, &mut done, &mut path) {
            errors.push(cycle(&circle, &by_address));
        }
    }
    errors
}

fn search<'a>(
    here: &'a Address,
    drafts: &BTreeMap<&'a Address, &'a Draft<'_>>,
    done: &mut BTreeSet<&'a Address>,
    path: &mut Vec<&'a Address>,
) -> Option<Vec<&'a Address>> {
    if let Some(start) = path.iter().position(|seen| *seen == here) {
        let mut circle: Vec<&Address> = path.iter().skip(start).copied().collect();
        circle.push(here);
        return Some(circle);
    }
    if !done.insert(here) {
        return None;
    }
    path.push(here);
    let found = drafts
        .get(here)
        .into_iter()
        .flat_map(|draft| &draft.needs)
        .find_map(|need| search(need, drafts, done, path));
    path.pop();
    found
}

fn cycle(circle: &[&Address], drafts: &BTreeMap<&Address, &Draft<'_>>) -> PlanError {
    let places: Vec<(Origin, String)> = circle
        .iter()
        .zip(circle.iter().skip(1))
        .filter_map(|(from, to)| {
            let resource = drafts.get(from)?.resource?;
            let reference = resource.reference_origins.iter().find(
                |(reference, _)| matches!(reference, Reference::Managed { address, .. } if **address == **to),
            );
            let origin = reference.map_or(resource.origin, |(_, origin)| *origin);
            Some((origin, format!("`{from}` needs `{to}`")))
        })
        .collect();
    let mut error = PlanError::new(Problem::Cycle {
        path: circle.iter().map(|address| (*address).clone()).collect(),
    });
    if let (Some(first), Some((origin, _))) = (circle.first(), places.first()) {
        error = error.on(first, Some(*origin));
    }
    error.related = places;
    error
}
