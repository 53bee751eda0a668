//! Answers that were lost: looked for when nothing else is under way.

use std::sync::atomic::Ordering;

use super::{Begun, Walk, is_unknown};
use crate::apply::error::ApplyError;
use crate::apply::find::{Lost, Trace, find_out};
use crate::plan::Step;
use crate::state::journal::{End, Outcome, Record};

/// How many looks at the tenant must miss what a lost answer was about before that is believed.
const LOOKS: u32 = 6;

impl<'a> Walk<'a> {
    /// Looks for what became of lost answers, for as long as patience lasts; whether there were any.
    ///
    /// What stays unknown stays open in the journal, and the next run takes it up.
    pub(super) async fn find_lost(&mut self) -> Result<bool, ApplyError> {
        let lost: Vec<&'a Step> = self
            .plan
            .steps
            .iter()
            .filter(|step| is_unknown(self.applied.results.get(&step.id)))
            .filter(|step| self.searched.insert(step.id))
            .collect();
        let patience = self.executor.options.patience;
        for attempt in 1..=patience.attempts {
            let left: Vec<&'a Step> = lost
                .iter()
                .copied()
                .filter(|step| is_unknown(self.applied.results.get(&step.id)))
                .collect();
            if left.is_empty() || self.executor.stop.load(Ordering::SeqCst) {
                break;
            }
            crate::apply::pause(patience.wait(attempt), self.executor.stop).await;
            let is_last = attempt >= LOOKS || attempt >= patience.attempts;
            for step in left {
                self.find(step, is_last).await?;
            }
        }
        // What is still not known holds up what waits for it.
        for step in &lost {
            if is_unknown(self.applied.results.get(&step.id)) {
                self.schedule.ended(step.id, false);
            }
        }
        Ok(!lost.is_empty())
    }

    /// Looks once; that something is missing is believed at the last look only.
    async fn find(&mut self, step: &'a Step, is_last: bool) -> Result<(), ApplyError> {
        let Some(Begun { begin, .. }) = self.begun.get(&step.id) else {
            return Ok(());
        };
        let twins = self
            .begun
            .iter()
            .filter(|(id, _)| is_unknown(self.applied.results.get(id)))
            .filter(|(_, other)| other.begin.path == begin.path && other.begin.body == begin.body)
            .count();
        let lost = Lost {
            begin,
            not_ours: self.journal.not_ours(&begin.step),
            twins,
        };
        match find_out(self.executor.graph, self.executor.options, &lost).await {
            Ok(Trace::Landed(outcome)) => self.settle(step, outcome),
            Ok(Trace::Missing(outcome)) if is_last && self.retried.insert(step.id) => {
                self.retry(step, outcome)
            }
            Ok(Trace::Missing(outcome)) if is_last => self.settle(step, outcome),
            // Not to be seen yet, not to be told apart, or the tenant can't be read: it stays open.
            Ok(Trace::Missing(_) | Trace::Hidden { .. }) | Err(_) => Ok(()),
        }
    }

    /// A request that was surely not carried out begins once more. Nothing is made twice by it: what makes objects is
    /// surely missing only after the visibility lag, and everything else may be done twice.
    fn retry(&mut self, step: &'a Step, outcome: Outcome) -> Result<(), ApplyError> {
        self.journal.end(End {
            step: step.id.0.to_string(),
            outcome,
            at: self.executor.options.clock.now(),
        })?;
        self.begun.remove(&step.id);
        self.searched.remove(&step.id);
        if self.applied.results.remove(&step.id).is_some() {
            self.not_done -= 1;
        }
        self.readings.untouch(step);
        self.schedule.again(step.id);
        Ok(())
    }

    /// Takes over the object of a chosen id that a first request made after all.
    pub(super) fn adopt(&mut self, step: &'a Step) -> Result<(), ApplyError> {
        let Some((ready, begin)) = self.begin(step) else {
            return Ok(());
        };
        let outcome = Outcome::Done {
            id: ready.path.rsplit('/').next().map(str::to_owned),
            answered: None,
        };
        self.journal.append(&[Record::Begin(begin.clone())])?;
        let verb = ready.verb;
        self.begun.insert(step.id, Begun { verb, begin });
        self.settle(step, outcome)
    }
}
