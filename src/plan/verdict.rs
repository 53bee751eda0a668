//! What a plan comes to, computed once, so that the closing sentence and the exit status can't disagree.

use serde::{Deserialize, Serialize};

use super::change::{Action, OutputChange, ResourceChange};

/// The counts of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Objects that come under management.
    pub import: usize,
    /// Objects that are made, replacements included.
    pub create: usize,
    /// Objects that are changed in place.
    pub update: usize,
    /// Objects that are deleted, replacements included.
    pub delete: usize,
    /// Of these, objects that are replaced.
    pub replace: usize,
    /// Objects that are let go.
    pub forget: usize,
    /// Objects that get another address.
    pub moved: usize,
    /// Objects of which only the remembered form changes (`--refresh-only`).
    pub refresh: usize,
    /// Guards that are set, lifted or reworded.
    pub guards: usize,
    /// Outputs that change.
    pub outputs: usize,
    /// Rollouts that move.
    #[serde(default)]
    pub rollouts: usize,
    /// Objects that stay as they are.
    pub unchanged: usize,
    /// Objects that are left alone for now.
    #[serde(default)]
    pub held: usize,
}

impl Verdict {
    pub(super) fn of(changes: &[ResourceChange], outputs: &[OutputChange]) -> Self {
        let mut verdict = Self {
            outputs: outputs.len(),
            ..Self::default()
        };
        for change in changes {
            match change.action {
                Action::NoOp => {}
                Action::Create => verdict.create += 1,
                Action::Update => verdict.update += 1,
                Action::Delete => verdict.delete += 1,
                Action::Forget => verdict.forget += 1,
                Action::Refresh => verdict.refresh += 1,
                Action::Replace => {
                    verdict.replace += 1;
                    verdict.create += 1;
                    verdict.delete += 1;
                }
            }
            verdict.import += usize::from(change.imported);
            verdict.moved += usize::from(change.previous_address.is_some());
            verdict.guards += usize::from(change.guard.is_some());
            verdict.unchanged += usize::from(!change.is_change());
        }
        verdict
    }

    /// Whether applying the plan would do anything.
    pub fn has_changes(&self) -> bool {
        let Self {
            import,
            create,
            update,
            delete,
            replace: _,
            forget,
            moved,
            refresh,
            guards,
            outputs,
            rollouts,
            unchanged: _,
            held: _,
        } = *self;
        import + create + update + delete + forget + moved + refresh + guards + outputs + rollouts > 0
    }

    /// The closing sentence.
    pub fn sentence(&self) -> String {
        if !self.has_changes() {
            return match self.held {
                0 => "No changes. The tenant matches the configuration.".to_owned(),
                1 => "Nothing can be done now: 1 object is left alone.".to_owned(),
                held => format!("Nothing can be done now: {held} objects are left alone."),
            };
        }
        let mut parts = Vec::new();
        let mut say = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        say(self.import, "to import");
        say(self.moved, "to move");
        let requests = self.create + self.update + self.delete > 0;
        let plain = self.forget + self.refresh + self.guards + self.import + self.moved + self.rollouts;
        if requests || plain == 0 && self.outputs == 0 {
            parts.push(format!("{} to add", self.create));
            parts.push(format!("{} to change", self.update));
            parts.push(format!("{} to destroy", self.delete));
        }
        let mut say = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        say(self.forget, "to forget");
        say(self.refresh, "to refresh");
        say(
            self.guards,
            if self.guards == 1 {
                "guard to change"
            } else {
                "guards to change"
            },
        );
        say(
            self.outputs,
            if self.outputs == 1 {
                "output to change"
            } else {
                "outputs to change"
            },
        );
        say(
            self.rollouts,
            if self.rollouts == 1 {
                "rollout to move on"
            } else {
                "rollouts to move on"
            },
        );
        say(self.held, "left alone for now");
        format!("Plan: {}.", parts.join(", "))
    }
}
