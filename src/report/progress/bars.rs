//! Bars on a terminal: how much is left, what is under way, and for how long Graph lets us wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::time::Instant;

use crate::plan::StepId;

use super::super::page::Canvas;
use super::super::visible::visible;
use super::super::words;

/// How often a bar that nothing happens to is drawn again.
const TICK: Duration = Duration::from_millis(120);

/// The bars.
pub(super) struct Bars {
    all: MultiProgress,
    color: bool,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// What is done as a whole: reading, or applying so many steps.
    whole: Option<ProgressBar>,
    /// Steps under way.
    steps: BTreeMap<StepId, ProgressBar>,
    /// Why nothing happens.
    waiting: Option<ProgressBar>,
    /// Requests answered since the whole began.
    answered: u64,
}

impl Bars {
    pub(super) fn on_standard_error(canvas: Canvas) -> Self {
        Self::on(ProgressDrawTarget::stderr(), canvas.color)
    }

    pub(super) fn on(target: ProgressDrawTarget, color: bool) -> Self {
        Self {
            all: MultiProgress::with_draw_target(target),
            color,
            shown: Mutex::default(),
        }
    }

    /// A spinner that says what is done and how many requests it took so far.
    pub(super) fn doing(&self, what: &str) {
        self.with(|shown| {
            let mut what = words::sentence(what);
            what = visible(&what);
            let bar = self.all.insert(0, ProgressBar::new_spinner());
            bar.set_style(self.style("{spinner} {msg}  {prefix:.dim}", "{spinner} {msg}  {prefix}"));
            bar.set_message(what);
            bar.enable_steady_tick(TICK);
            shown.answered = 0;
            self.replace(&mut shown.whole, Some(bar));
        });
    }

    /// A bar of so many steps.
    pub(super) fn begin(&self, steps: usize) {
        self.with(|shown| {
            let bar = self
                .all
                .insert(0, ProgressBar::new(steps.try_into().unwrap_or(u64::MAX)));
            bar.set_style(self.style(
                "{bar:30.green/dim} {pos} of {len}{left}  {prefix:.dim}",
                "{bar:30} {pos} of {len}{left}  {prefix}",
            ));
            bar.enable_steady_tick(TICK);
            shown.answered = 0;
            self.replace(&mut shown.whole, Some(bar));
        });
    }

    /// A line for a step under way, or what it does now.
    pub(super) fn step(&self, step: StepId, what: &str) {
        self.with(|shown| {
            let bar = shown.steps.entry(step).or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(self.style(
                    "  {spinner} {wide_msg} {elapsed:.dim}",
                    "  {spinner} {wide_msg} {elapsed}",
                ));
                bar.enable_steady_tick(TICK);
                bar
            });
            bar.set_message(visible(what));
        });
    }

    pub(super) fn step_ended(&self, step: StepId) {
        self.with(|shown| {
            if let Some(bar) = shown.steps.remove(&step) {
                self.take_off(&bar);
            }
            if let Some(whole) = &shown.whole {
                whole.inc(1);
            }
        });
    }

    /// An answer came, so nothing waits any more.
    pub(super) fn answered(&self) {
        self.with(|shown| {
            self.replace(&mut shown.waiting, None);
            shown.answered += 1;
            if let Some(whole) = &shown.whole {
                let count = usize::try_from(shown.answered).unwrap_or(usize::MAX);
                whole.set_prefix(words::count(count, "request"));
            }
        });
    }

    /// Nothing is sent for so long.
    pub(super) fn waiting(&self, why: &str, wait: Duration) {
        let until = Instant::now() + wait;
        self.with(|shown| {
            let bar = self.all.add(ProgressBar::new_spinner());
            let style = self.style(
                "  {spinner} {msg}: {more.yellow} more",
                "  {spinner} {msg}: {more} more",
            );
            bar.set_style(
                style.with_key("more", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                    let left = until.saturating_duration_since(Instant::now());
                    // A bar that can't be drawn is no failure.
                    let _ = write!(out, "{}s", left.as_secs() + u64::from(left.subsec_nanos() > 0));
                }),
            );
            bar.set_message(visible(why));
            bar.enable_steady_tick(TICK);
            self.replace(&mut shown.waiting, Some(bar));
        });
    }

    /// A line that stays, above the bars.
    pub(super) fn line(&self, text: &str) {
        drop(self.all.println(text.trim_end_matches('\n')));
    }

    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.all.suspend(write)
    }

    pub(super) fn clear(&self) {
        self.with(|shown| {
            let Shown {
                whole,
                steps,
                waiting,
                ..
            } = std::mem::take(shown);
            for bar in whole.into_iter().chain(steps.into_values()).chain(waiting) {
                self.take_off(&bar);
            }
        });
        drop(self.all.clear());
    }

    fn with(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn replace(&self, place: &mut Option<ProgressBar>, bar: Option<ProgressBar>) {
        if let Some(old) = std::mem::replace(place, bar) {
            self.take_off(&old);
        }
    }

    fn take_off(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.all.remove(bar);
    }

    fn style(&self, colored: &str, plain: &str) -> ProgressStyle {
        let template = if self.color { colored } else { plain };
        // The templates are constants that a test draws; a broken one would only cost the layout.
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
            .progress_chars("━╸─")
            .with_key("left", left)
    }
}

/// About how long the rest takes, once enough is done to say so.
fn left(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let seconds = state.eta().as_secs();
    if state.pos() >= 3 && seconds > 0 {
        // A bar that can't be drawn is no failure.
        let _ = write!(out, ", {} left", words::about(seconds));
    }
}
