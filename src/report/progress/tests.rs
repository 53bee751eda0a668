//! Progress: lines for people without a terminal, bars on one, JSON Lines for machines.

use std::io::{self, Write};

use indicatif::{ProgressDrawTarget, TermLike};
use serde_json::Value as Json;

use super::*;
use crate::graph::request::Lane;
use crate::report::terminal::Facts;

/// A stream that a test can read.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn started(step: u32, address: &str, verb: &'static str) -> Event {
    Event::StepStarted {
        step: StepId(step),
        address: address.parse().unwrap(),
        verb,
    }
}

fn step_ended(step: u32, address: &str, verb: &'static str, result: StepResult) -> Event {
    Event::StepEnded {
        step: StepId(step),
        address: address.parse().unwrap(),
        verb,
        result,
    }
}

/// An apply of four steps; time passes only where this says so.
async fn story(events: &impl Events, graph: &impl Observer) {
    events.happened(&Event::Started {
        apply: "2025-03-01-1".into(),
        steps: 4,
    });
    events.happened(&started(0, "location.hq", "create"));
    tokio::time::advance(Duration::from_millis(1200)).await;
    events.happened(&step_ended(
        0,
        "location.hq",
        "create",
        StepResult::Done {
            id: Some("7f".into()),
        },
    ));
    events.happened(&started(1, "module.base.policy.mfa[\"eu\"]", "update"));
    graph.observe(&GraphEvent::Throttled {
        lane: Lane::ConditionalAccess,
        wait: Duration::from_secs(20),
        told: true,
    });
    graph.observe(&GraphEvent::Retrying {
        call: "PATCH policies/8a".into(),
        wait: Duration::from_secs(3),
        because: "status 503".into(),
    });
    events.happened(&Event::StepWaiting {
        step: StepId(1),
        address: "module.base.policy.mfa[\"eu\"]".parse().unwrap(),
        because: "location 7f is not visible yet".into(),
    });
    tokio::time::advance(Duration::from_secs(25)).await;
    events.happened(&step_ended(
        1,
        "module.base.policy.mfa[\"eu\"]",
        "update",
        StepResult::Failed {
            error: "status 400, code 1085".into(),
        },
    ));
    events.happened(&started(2, "policy.old", "delete"));
    events.happened(&step_ended(
        2,
        "policy.old",
        "delete",
        StepResult::Unknown {
            error: "no answer".into(),
        },
    ));
    events.happened(&step_ended(
        3,
        "policy.next",
        "step",
        StepResult::Skipped {
            because: "`policy.old` was not done".into(),
        },
    ));
    events.happened(&Event::ReadingBack);
    events.happened(&Event::Ended {
        done: 1,
        failed: 1,
        unknown: 1,
        skipped: 1,
    });
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_every_event_is_a_line() {
    let (out, error) = (Shared::default(), Shared::default());
    let terminal = Terminal::with(&Facts::default(), Box::new(out.clone()), Box::new(error.clone()));
    let progress = Progress::new(Arc::new(terminal), false);
    story(&progress, &progress).await;
    assert_eq!(out.text(), "", "standard output is for results");
    insta::assert_snapshot!(error.text());
}

#[tokio::test(start_paused = true)]
async fn quiet_says_nothing_of_progress() {
    let error = Shared::default();
    let facts = Facts {
        quiet: true,
        error_is_terminal: true,
        ..Facts::default()
    };
    let terminal = Terminal::with(&facts, Box::new(io::sink()), Box::new(error.clone()));
    let progress = Progress::new(Arc::new(terminal), false);
    story(&progress, &progress).await;
    assert_eq!(error.text(), "");
}

#[tokio::test(start_paused = true)]
async fn machines_get_a_line_of_json_an_event() {
    let out = Shared::default();
    let stream = EventStream::new(Box::new(out.clone()), || "2025-03-01T12:00:00Z".parse().unwrap());
    story(&stream, &stream).await;
    stream.diagnostic(&crate::report::Finding::plain(
        miette::Severity::Error,
        Some("apply::failed"),
        "not everything was applied",
        None,
    ));
    stream.outputs(
        [
            ("id", &Json::from("7f"), false),
            ("key", &Json::from("hush"), true),
        ]
        .into_iter(),
    );
    stream.finish().unwrap();
    let text = out.text();
    assert!(!text.contains("hush"));
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for line in &lines {
        for key in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(line.get(key).is_some(), "{key} in {line}");
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_stream_that_can_not_be_written_says_so_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let stream = EventStream::new(Box::new(Full), || jiff::Timestamp::UNIX_EPOCH);
    assert!(stream.finish().is_err());
}

/// A terminal that keeps what is written and forgets where the cursor is.
#[derive(Debug, Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl TermLike for Paper {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_terminal_bars_say_what_is_left_what_runs_and_for_how_long_graph_waits() {
    for color in [false, true] {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255);
        let terminal = Terminal::with(&Facts::default(), Box::new(io::sink()), Box::new(io::sink()));
        let progress = Progress {
            terminal: Arc::new(terminal),
            bars: Some(Bars::on(target, color)),
            every_request: false,
            begun: Begun::default(),
            alike: Alike::default(),
        };
        let said = [
            "Reading the tenant",
            "of 4",
            "location.hq: creating",
            "✓ location.hq: created in 1.2s (id 7f)",
            "Graph asks to slow down",
        ];
        // indicatif leaves out drawings that follow each other too closely, by the machine's own clock.
        for _ in 0..50 {
            progress.doing("reading the tenant");
            story(&progress, &progress).await;
            let shown = paper.0.lock().unwrap();
            if said.iter().all(|said| shown.contains(said)) {
                break;
            }
        }
        let shown = paper.0.lock().unwrap().clone();
        for said in said {
            assert!(shown.contains(said), "{said} in {shown}");
        }
        assert!(!shown.contains('{'), "a template was not understood: {shown}");
    }
}
