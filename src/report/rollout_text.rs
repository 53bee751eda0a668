//! Rollouts as people read them: where each is, what it waits for, what it went through.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::page::{Page, Role, Text};
use crate::model::rollout::{Audience, Wave};
use crate::ops::rollout::{Course, person};
use crate::rollout::ready::{next_moment, shown};
use crate::rollout::standing::{Kind, Outcome, Transition};

/// One sentence.
pub fn sentence(text: &str) -> Page {
    let mut page = Page::default();
    page.line(0, text);
    page
}

/// Where rollouts are: a line of their waves, a table, and what the next wave waits for.
pub fn status_text(courses: &[&Course], now: Timestamp) -> Page {
    let mut page = Page::default();
    if courses.is_empty() {
        page.line(0, "The project has no rollouts.");
    }
    for (number, course) in courses.iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        status(course, now, &mut page);
    }
    page
}

/// What a wave is to a rollout now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Over,
    Present,
    Entering,
    ToCome,
}

fn places(course: &Course) -> Vec<(&Wave, Place)> {
    let standing = &course.standing;
    let present = standing
        .wave_name()
        .and_then(|name| course.rollout.wave(name))
        .map(|(place, _)| place);
    let entering = standing.entering.as_ref().and_then(|one| one.to.as_deref());
    let waves = course.rollout.waves.iter().enumerate();
    waves
        .map(|(number, wave)| {
            let place = if entering == Some(&wave.name) {
                Place::Entering
            } else {
                match present {
                    Some(present) if number < present => Place::Over,
                    Some(present) if number == present => Place::Present,
                    _ => Place::ToCome,
                }
            };
            (wave, place)
        })
        .collect()
}

fn mark(place: Place) -> (&'static str, Role) {
    match place {
        Place::Over => ("●", Role::Muted),
        Place::Present => ("◉", Role::Added),
        Place::Entering => ("◌", Role::Warning),
        Place::ToCome => ("○", Role::Plain),
    }
}

/// Who is in a wave, in a few words.
fn audience(wave: &Wave) -> String {
    match &wave.audience {
        Audience::Whole => "everyone".to_owned(),
        Audience::People(people) => {
            let several = people.references().len();
            match several {
                0 => "guests".to_owned(),
                1 => "1 named".to_owned(),
                several => format!("{several} named"),
            }
        }
        Audience::Share(cohort) => format!("{} of a group", cohort.share),
    }
}

fn status(course: &Course, now: Timestamp, page: &mut Page) {
    let policies: Vec<String> = course
        .rollout
        .policies
        .iter()
        .map(|policy| policy.value.to_string())
        .collect();
    page.hanging(
        0,
        2,
        Text::of(Role::Heading, &course.rollout.address.to_string())
            .with(Role::Muted, &format!("  {}", policies.join(", "))),
    );
    let places = places(course);
    let mut line = Text::default();
    for (number, (wave, place)) in places.iter().enumerate() {
        if number > 0 {
            line.push(
                Role::Muted,
                if *place == Place::ToCome {
                    " ╌╌ "
                } else {
                    " ── "
                },
            );
        }
        let (sign, role) = mark(*place);
        line.push_whole(role, &format!("{sign} {}", wave.name));
    }
    page.hanging(2, 2, line);
    page.blank();
    for (wave, place) in &places {
        let entered = course
            .standing
            .history
            .iter()
            .rev()
            .find(|one| one.to.as_deref() == Some(&wave.name))
            .and_then(|one| one.entered)
            .filter(|_| *place != Place::ToCome);
        let state = if wave.is_enforced() {
            "enforced on"
        } else {
            "report-only on"
        };
        let mut facts = vec![format!("{state} {}", audience(wave))];
        if let Some(soak) = &wave.soak {
            facts.push(format!("lasts {soak}"));
        }
        if wave.approvals > 0 {
            let noun = if wave.approvals == 1 {
                "approval"
            } else {
                "approvals"
            };
            facts.push(format!("needs {} {noun}", wave.approvals));
        }
        if let Some(entered) = entered {
            facts.push(format!("since {}", shown(entered)));
        }
        let (sign, role) = mark(*place);
        page.rows(
            2,
            24,
            vec![(
                Text::of(role, &format!("{sign} {}", wave.name)),
                Text::plain(&facts.join(", ")),
            )],
        );
    }
    page.blank();
    for line in outlook(course, now) {
        page.hanging(2, 4, line);
    }
}

/// What comes next, and what it waits for.
fn outlook(course: &Course, now: Timestamp) -> Vec<Text> {
    let name = &course.rollout.address.name;
    let standing = &course.standing;
    if let Some(entering) = &standing.entering {
        let to = entering
            .to
            .as_deref()
            .unwrap_or("the place before the first wave");
        return vec![Text::of(Role::Warning, "! ").with(
            Role::Plain,
            &format!("entering {to} is not done: `capol apply` goes on with it"),
        )];
    }
    let Some(next) = course.next() else {
        return vec![Text::plain("complete: every wave has been entered")];
    };
    let waits = course.waits(&person(None, ""));
    let mut lines: Vec<Text> = course
        .conditions
        .iter()
        .filter(|condition| condition.outcome == Outcome::Pass)
        .map(|condition| Text::of(Role::Added, "✓ ").with(Role::Plain, &condition.because))
        .collect();
    if waits.is_empty() {
        let command = if standing.history.is_empty() {
            "capol apply".to_owned()
        } else {
            format!("capol rollout advance {name}")
        };
        lines.insert(
            0,
            Text::plain(&format!(
                "next is {}, which waits for nothing: `{command}`",
                next.name
            )),
        );
        return lines;
    }
    lines.insert(0, Text::plain(&format!("next is {}, which waits:", next.name)));
    lines.extend(
        waits
            .iter()
            .map(|wait| Text::of(Role::Warning, "· ").with(Role::Plain, wait)),
    );
    if let Ok(Some(moment)) = next_moment(&course.rollout, &course.conditions, now)
        && moment > now
    {
        lines.push(Text::of(Role::Muted, &format!("not before {}", shown(moment))));
    }
    lines
}

/// The same for programs.
pub fn status_json(course: &Course, now: Timestamp) -> Json {
    let waves: Vec<Json> = places(course)
        .into_iter()
        .map(|(wave, place)| {
            json!({
                "name": wave.name,
                "state": wave.state.word(),
                "audience": audience(wave),
                "soak": wave.soak.as_ref().map(|soak| &soak.text),
                "approvals": wave.approvals,
                "place": match place {
                    Place::Over => "over",
                    Place::Present => "in_force",
                    Place::Entering => "entering",
                    Place::ToCome => "to_come",
                },
            })
        })
        .collect();
    json!({
        "address": course.rollout.address,
        "policies": course.rollout.policies.iter().map(|one| &one.value).collect::<Vec<_>>(),
        "wave": course.standing.wave,
        "entering": course.standing.entering,
        "paused": course.standing.paused,
        "approvals": course.standing.approvals,
        "waves": waves,
        "next": course.next().map(|wave| &wave.name),
        "conditions": course.conditions,
        "waits": course.waits(&person(None, "")),
        "next_moment": next_moment(&course.rollout, &course.conditions, now).ok().flatten(),
    })
}

/// What rollouts went through.
pub fn history_text(courses: &[&Course]) -> Page {
    let mut page = Page::default();
    for (number, course) in courses.iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        page.line(0, Text::of(Role::Heading, &course.rollout.address.to_string()));
        if course.standing.history.is_empty() {
            page.line(2, "nothing yet");
        }
        for transition in &course.standing.history {
            past(transition, &mut page);
        }
    }
    page
}

fn past(transition: &Transition, page: &mut Page) {
    let name = |wave: &Option<String>| wave.clone().unwrap_or_else(|| "nobody".to_owned());
    let verb = match transition.kind {
        Kind::Advance => "advanced",
        Kind::Rollback => "rolled back",
        Kind::Abort => "aborted",
        Kind::Undo => "undone",
    };
    let mut text = Text::plain(&format!(
        "{}  {verb} from {} to {} by {}",
        shown(transition.began),
        name(&transition.from),
        name(&transition.to),
        transition.by.name,
    ));
    if transition.entered.is_none() {
        text.push(Role::Warning, ", not finished");
    }
    page.hanging(2, 4, text);
    if let Some(reason) = &transition.forced {
        page.hanging(
            4,
            6,
            Text::of(Role::Warning, "forced: ").with(Role::Plain, reason),
        );
    }
    for condition in &transition.conditions {
        page.hanging(4, 6, Text::of(Role::Muted, &condition.because));
    }
    for approval in transition
        .approvals
        .iter()
        .filter(|approval| approval.digest == transition.digest)
    {
        let comment = approval
            .comment
            .as_ref()
            .map(|comment| format!(": {comment}"))
            .unwrap_or_default();
        page.hanging(
            4,
            6,
            Text::of(Role::Muted, &format!("approved by {}{comment}", approval.by.name)),
        );
    }
}
