//! Who is told while a command works: a person, a program, or both.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::apply::{Applied, Events};
use crate::graph::Observer;
use crate::ops::OpsError;
use crate::plan::Plan;
use crate::report::{EventStream, Everyone, Finding, Progress};

use super::{Context, Failure};

/// Everyone who is told.
#[derive(Debug, Clone)]
pub struct Watch {
    progress: Arc<Progress>,
    streams: Vec<Arc<EventStream>>,
    has_output: bool,
}

impl Watch {
    /// A person on standard error, a program on standard output with `--json`, and the file of `--json-into`.
    pub fn new(context: &Context, json_into: Option<&Path>) -> Result<Self, Failure> {
        let clock = context.clock();
        let mut streams = Vec::new();
        if context.global.json {
            streams.push(Arc::new(EventStream::new(Box::new(std::io::stdout()), clock)));
        }
        if let Some(path) = json_into {
            let file = File::create(path).map_err(|source| file_error(path, source))?;
            streams.push(Arc::new(EventStream::new(Box::new(file), clock)));
        }
        Ok(Self {
            progress: Self::progress(context),
            streams,
            has_output: context.global.json,
        })
    }

    /// A person only.
    pub fn person(context: &Context) -> Self {
        Self {
            progress: Self::progress(context),
            streams: Vec::new(),
            has_output: false,
        }
    }

    fn progress(context: &Context) -> Arc<Progress> {
        Arc::new(Progress::new(
            Arc::clone(&context.terminal),
            context.global.verbose >= 2,
        ))
    }

    /// Who hears of the apply.
    pub fn events(&self) -> Everyone<dyn Events> {
        let streams = self
            .streams
            .iter()
            .map(|stream| Arc::clone(stream) as Arc<dyn Events>);
        Everyone(
            std::iter::once(Arc::clone(&self.progress) as Arc<dyn Events>)
                .chain(streams)
                .collect(),
        )
    }

    /// Who hears of requests.
    pub fn observer(&self) -> Arc<dyn Observer> {
        let streams = self
            .streams
            .iter()
            .map(|stream| Arc::clone(stream) as Arc<dyn Observer>);
        let all = std::iter::once(Arc::clone(&self.progress) as Arc<dyn Observer>).chain(streams);
        Arc::new(Everyone::<dyn Observer>(all.collect()))
    }

    /// Says what takes a while now.
    pub fn doing(&self, what: &str) {
        self.progress.doing(what);
    }

    /// Whether standard output is the stream of events.
    pub fn has_output(&self) -> bool {
        self.has_output
    }

    /// Takes progress off the screen, before a result or a question.
    pub fn clear(&self) {
        self.progress.clear();
    }

    /// Tells programs what is planned.
    pub fn planned(&self, plan: &Plan) {
        for stream in &self.streams {
            stream.planned(plan);
        }
    }

    /// Tells programs what is wrong.
    pub fn diagnostic(&self, finding: &Finding) {
        for stream in &self.streams {
            stream.diagnostic(finding);
        }
    }

    /// Tells programs the outputs after an apply that did everything.
    pub fn outputs(&self, applied: &Applied) {
        let outputs = || {
            applied
                .outputs
                .iter()
                .map(|(name, output)| (name.as_str(), &output.value, output.sensitive))
        };
        for stream in self.streams.iter().filter(|_| outputs().next().is_some()) {
            stream.outputs(outputs());
        }
    }

    /// Errors when a program could not be told everything.
    pub fn finish(&self) -> Result<(), Failure> {
        for stream in &self.streams {
            stream
                .finish()
                .map_err(|source| file_error(Path::new("--json"), source))?;
        }
        Ok(())
    }
}

fn file_error(path: &Path, source: std::io::Error) -> OpsError {
    OpsError::File {
        path: path.into(),
        source,
    }
}
