//! What stopped a piece of work, together with the text that it is about.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Report, SourceCode};

use super::workspace::WorkError;
use crate::lang::Sources;
use crate::lang::error::span_of;
use crate::model::Origin;
use crate::plan::{PlanError, PlanErrors};
use crate::syntax::{SourceFile, Span};

/// The diagnostics of a failure, each with the places in the project's files that it is about.
pub fn reports(error: WorkError, sources: &Sources) -> Vec<Report> {
    match error {
        WorkError::Refused(PlanErrors(errors)) => errors
            .into_iter()
            .map(|error| Report::new(Located::of(error, sources)))
            .collect(),
        other => vec![other.into()],
    }
}

/// A refusal with its places.
#[derive(Debug)]
struct Located {
    error: PlanError,
    place: Option<Place>,
    elsewhere: Vec<Place>,
}

/// Places in one file, and what is to be said about each.
#[derive(Debug)]
struct Place {
    file: SourceFile,
    labels: Vec<(Span, String)>,
}

impl Place {
    fn of(origin: Origin, word: &str, sources: &Sources) -> Option<Self> {
        let span = span_of(origin);
        let file = sources.get(span.file)?.clone();
        Some(Self {
            file,
            labels: vec![(span, word.to_owned())],
        })
    }
}

impl Located {
    fn of(error: PlanError, sources: &Sources) -> Self {
        let own = |origin| error.related.iter().find(|(other, _)| *other == origin);
        let mut place = error.origin().and_then(|origin| {
            let word = own(origin).map_or("here", |(_, word)| word.as_str());
            Place::of(origin, word, sources)
        });
        let mut elsewhere: Vec<Place> = Vec::new();
        for (origin, word) in &error.related {
            let Some(related) = Place::of(*origin, word, sources) else {
                continue;
            };
            let same = place
                .iter_mut()
                .chain(&mut elsewhere)
                .find(|known| known.file.id() == related.file.id());
            match same {
                Some(known) => {
                    let new =
                        |(span, _): &(Span, String)| known.labels.iter().all(|(other, _)| other != span);
                    let labels: Vec<(Span, String)> = related.labels.into_iter().filter(new).collect();
                    known.labels.extend(labels);
                }
                None => elsewhere.push(related),
            }
        }
        if place.is_none() && !elsewhere.is_empty() {
            place = Some(elsewhere.remove(0));
        }
        Self {
            error,
            place,
            elsewhere,
        }
    }
}

fn labels(place: &Place) -> Box<dyn Iterator<Item = LabeledSpan> + '_> {
    Box::new(place.labels.iter().enumerate().map(|(at, (span, word))| {
        if at == 0 {
            LabeledSpan::new_primary_with_span(Some(word.clone()), *span)
        } else {
            LabeledSpan::new_with_span(Some(word.clone()), *span)
        }
    }))
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Located {}

impl Diagnostic for Located {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.place.as_ref().map(labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        (!self.elsewhere.is_empty()).then(|| {
            Box::new(self.elsewhere.iter().map(|place| place as &dyn Diagnostic))
                as Box<dyn Iterator<Item = _>>
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in `{}`", self.file.name())
    }
}

impl std::error::Error for Place {}

impl Diagnostic for Place {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(labels(self))
    }
}
