//! What is read from files and members: exports, states, saved plans, filter rules, ranges.

use capol::export::{self, Exported};
use capol::model::cidr::IpRange;
use capol::model::filter_rule::{FilterRule, Scope};
use capol::model::state::Document;
use capol::plan::{self, Plan};
use capol::report::{self, Canvas, PlanView};
use capol::syntax::{self, FileId, SourceFile};

/// Any export is taken in or refused, and what is written of it can be read.
///
/// # Panics
/// When that does not hold.
pub fn import(bytes: &[u8]) {
    let intake = export::read(&[("export.json", bytes)]);
    let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
    let project = export::export(&objects, &intake.names, &export::Options::default());
    for (name, text) in &project.files {
        let file = SourceFile::new(FileId(0), name.as_str(), text.as_str());
        let parsed = syntax::parse(&file);
        assert!(
            parsed.errors.is_empty(),
            "{:?} in what was written:\n{text}",
            parsed.errors
        );
        let laid_out = syntax::format(&parsed).expect("no errors");
        assert_eq!(*text, laid_out, "what was written is laid out otherwise");
    }
}

/// A state is read whole or refused; what is read can be shown, written and read again.
///
/// # Panics
/// When that does not hold.
pub fn state(bytes: &[u8]) {
    let shown = Document::parse_for_display(bytes);
    let Ok(strict) = Document::parse(bytes) else {
        return;
    };
    assert!(shown.is_ok(), "what can be written back can be shown");
    let text = strict.render().expect("what was read can be written");
    let again = Document::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(strict, again);
    report::state_json::state_json(Some(&strict));
    report::state_text::outputs_text(&strict);
}

/// A saved plan is read whole or refused; what is read can be shown, written and read again.
///
/// # Panics
/// When that does not hold.
pub fn plan(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(plan) = Plan::from_json(&text) else {
        return;
    };
    let text = plan.to_json().expect("what was read can be written");
    let again = Plan::from_json(&text).expect("what was written can be read");
    assert_eq!(again.to_json().expect("writable"), text);
    plan::json::render(&plan);
    let page = report::plan_text(&PlanView {
        plan: &plan,
        tenant: None,
        next: Some("capol apply"),
        full: true,
        brief: false,
        place: &|_| None,
        findings: None,
    });
    page.render(Canvas {
        width: 80,
        color: true,
    });
}

/// A filter rule is read or refused at a place inside it, however deep it is.
///
/// # Panics
/// When that does not hold.
pub fn filter_rule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let inside = |place: capol::model::filter_rule::Place| {
        assert!(
            text.get(place.start..place.end).is_some(),
            "{place:?} is not in {text:?}"
        );
    };
    match FilterRule::parse(&text) {
        Err(error) => {
            if let Some(place) = error.place() {
                inside(place);
            }
        }
        Ok(rule) => {
            for scope in [Scope::Devices, Scope::ServicePrincipals] {
                for refusal in rule.refusals(&text, scope) {
                    if let Some(place) = refusal.place() {
                        inside(place);
                    }
                }
            }
            for warning in rule.warnings(&text) {
                inside(warning.place());
            }
        }
    }
}

/// A range is read or refused; what is read keeps its text and holds its own ends.
///
/// # Panics
/// When that does not hold.
pub fn cidr(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ranges: Vec<IpRange> = text
        .lines()
        .filter_map(|line| IpRange::parse(line).ok())
        .collect();
    for range in &ranges {
        assert!(range.first() <= range.last());
        assert!(range.contains(range.first()) && range.contains(range.last()));
        let again = IpRange::parse(range.as_str()).expect("what was read can be read");
        assert!(range.means_same(&again) && range.covers(&again));
        assert_eq!(range.warnings(), again.warnings());
    }
    for (one, other) in ranges.iter().zip(ranges.iter().skip(1)) {
        let both = one.covers(other) && other.covers(one);
        assert_eq!(both, one.means_same(other), "{one:?} {other:?}");
        if one.covers(other) {
            assert!(one.contains(other.first()) && one.contains(other.last()));
        }
    }
}
