//! Standard output and standard error: how wide they are, whether they show colour, and writing to them.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};

use super::page::{Canvas, Page};

/// The width of what is no terminal: a file, a pipe, the log of a build.
const WIDTH_ELSEWHERE: usize = 120;
/// The width of a terminal that does not say.
const WIDTH_UNKNOWN: usize = 80;
/// Below this nothing can be laid out.
const NARROWEST: usize = 40;

/// What is known about the surroundings. Whoever starts the program finds it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether standard output is a terminal.
    pub output_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub error_is_terminal: bool,
    /// How many columns the terminal has, if one says so.
    pub columns: Option<usize>,
    /// `COLUMNS`.
    pub columns_variable: Option<String>,
    /// `NO_COLOR`.
    pub no_color_variable: Option<String>,
    /// `TERM`.
    pub term_variable: Option<String>,
    /// `--no-color`.
    pub no_color: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--json`: standard output belongs to machines.
    pub json: bool,
}

impl Facts {
    /// The facts about this process's own streams; `variable` reads the environment.
    pub fn of_process(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            output_is_terminal: io::stdout().is_terminal(),
            error_is_terminal: io::stderr().is_terminal(),
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            columns_variable: variable("COLUMNS"),
            no_color_variable: variable("NO_COLOR"),
            term_variable: variable("TERM"),
            ..Self::default()
        }
    }

    fn canvas(&self, is_terminal: bool) -> Canvas {
        let said = self
            .columns_variable
            .as_deref()
            .and_then(|text| text.trim().parse().ok());
        let width = said.filter(|width| *width > 0).unwrap_or(match self.columns {
            Some(columns) if is_terminal => columns,
            None if is_terminal => WIDTH_UNKNOWN,
            _ => WIDTH_ELSEWHERE,
        });
        let refused = self.no_color
            || self
                .no_color_variable
                .as_deref()
                .is_some_and(|text| !text.is_empty())
            || self.term_variable.as_deref() == Some("dumb");
        Canvas {
            width: width.max(NARROWEST),
            color: is_terminal && !refused,
        }
    }
}

/// The two streams that a person, or a program in a pipe, reads.
///
/// Once a reader has gone away (`capol plan | head`), what is written to it is dropped and the run
/// goes on: an apply must not stop half-way because nobody looks any more.
pub struct Terminal {
    output: Stream,
    error: Stream,
    quiet: bool,
    json: bool,
    draws_progress: bool,
}

struct Stream {
    canvas: Canvas,
    to: Mutex<To>,
}

/// Where a stream leads.
enum To {
    Open(Box<dyn Write + Send>),
    /// Its reader went away, which is no failure.
    Gone,
    Failed(io::Error),
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("output", &self.output.canvas)
            .field("error", &self.error.canvas)
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// The process's own streams.
    pub fn new(facts: &Facts) -> Self {
        Self::with(facts, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Other streams.
    pub fn with(facts: &Facts, output: Box<dyn Write + Send>, error: Box<dyn Write + Send>) -> Self {
        let stream = |is_terminal, to| Stream {
            canvas: facts.canvas(is_terminal),
            to: Mutex::new(To::Open(to)),
        };
        Self {
            output: stream(facts.output_is_terminal, output),
            error: stream(facts.error_is_terminal, error),
            quiet: facts.quiet,
            json: facts.json,
            draws_progress: facts.error_is_terminal && !facts.quiet && !facts.json,
        }
    }

    /// What standard error is laid out on.
    pub fn error_canvas(&self) -> Canvas {
        self.error.canvas
    }

    /// Whether progress may be drawn over: on a terminal's standard error, and nobody asked for quiet.
    pub fn draws_progress(&self) -> bool {
        self.draws_progress
    }

    /// Writes a page to standard output.
    pub fn page(&self, page: &Page) {
        page.render_to(self.output.canvas, |some| self.output.write(some));
    }

    /// Writes text to standard output as it is: JSON, a file, a raw value.
    pub fn text(&self, text: &str) {
        self.output.write(text);
    }

    /// Writes what people should know beside the result to standard error; nothing with `--quiet`
    /// and nothing beside what machines read.
    pub fn aside(&self, page: &Page) {
        if !self.quiet && !self.json {
            self.error.write(&page.render(self.error.canvas));
        }
    }

    /// Writes text to standard error, also with `--quiet`: an error, a question.
    pub fn error_text(&self, text: &str) {
        self.error.write(text);
    }

    /// Errors with the first write to standard output that failed: a full disk behind `> FILE`.
    pub fn finish(&self) -> io::Result<()> {
        self.output.finish()
    }
}

impl Stream {
    fn write(&self, text: &str) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let To::Open(stream) = &mut *to else {
            return;
        };
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => *to = To::Gone,
            Err(error) => *to = To::Failed(error),
        }
    }

    fn finish(&self) -> io::Result<()> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *to, To::Gone) {
            To::Failed(error) => Err(error),
            open => {
                *to = open;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(facts: &Facts) -> Canvas {
        facts.canvas(facts.output_is_terminal)
    }

    #[test]
    fn colour_only_on_a_terminal_that_nobody_asked_to_be_plain() {
        let terminal = Facts {
            output_is_terminal: true,
            ..Facts::default()
        };
        assert!(canvas(&terminal).color);
        for plain in [
            Facts {
                output_is_terminal: false,
                ..terminal.clone()
            },
            Facts {
                no_color: true,
                ..terminal.clone()
            },
            Facts {
                no_color_variable: Some("1".into()),
                ..terminal.clone()
            },
            Facts {
                term_variable: Some("dumb".into()),
                ..terminal.clone()
            },
        ] {
            assert!(!canvas(&plain).color, "{plain:?}");
        }
        // An empty NO_COLOR means nothing, says no-color.org.
        assert!(
            canvas(&Facts {
                no_color_variable: Some(String::new()),
                ..terminal
            })
            .color
        );
    }

    #[test]
    fn the_width_is_what_the_user_says_then_what_the_terminal_says() {
        let width = |terminal, columns, variable: Option<&str>| {
            canvas(&Facts {
                output_is_terminal: terminal,
                columns,
                columns_variable: variable.map(str::to_owned),
                ..Facts::default()
            })
            .width
        };
        assert_eq!(width(true, Some(90), None), 90);
        assert_eq!(width(true, Some(90), Some("100")), 100);
        assert_eq!(width(true, Some(90), Some("wide")), 90);
        assert_eq!(width(true, None, None), WIDTH_UNKNOWN);
        assert_eq!(width(false, Some(90), None), WIDTH_ELSEWHERE);
        assert_eq!(width(true, Some(3), None), NARROWEST);
    }

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        let terminal = |kind| Terminal::with(&Facts::default(), Box::new(Fails(kind)), Box::new(io::sink()));
        let gone = terminal(ErrorKind::BrokenPipe);
        gone.text("a");
        gone.text("b");
        assert!(gone.finish().is_ok());
        let full = terminal(ErrorKind::StorageFull);
        full.text("a");
        full.text("b");
        assert!(full.finish().is_err());
    }
}
