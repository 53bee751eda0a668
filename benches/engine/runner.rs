//! Runs a piece of work often enough, and prints its median beside a baseline's.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Runs of a piece of work: as many as fit into this, but at least some and at most many.
const BUDGET: Duration = Duration::from_secs(3);
const FEWEST: usize = 5;
const MOST: usize = 200;

/// What `cargo bench -- [FILTER] [--save FILE] [--against FILE] [--all] [--book]` was given, and what was measured.
pub(super) struct Runner {
    filter: String,
    /// Whether the slowest are measured too.
    pub(super) all: bool,
    /// Whether the book's table and plot are written anew.
    pub(super) book: bool,
    save: Option<PathBuf>,
    against: BTreeMap<String, f64>,
    measured: BTreeMap<String, f64>,
}

impl Runner {
    pub(super) fn from_arguments() -> Self {
        let mut runner = Self {
            filter: String::new(),
            all: false,
            book: false,
            save: None,
            against: BTreeMap::new(),
            measured: BTreeMap::new(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--save" => runner.save = arguments.next().map(PathBuf::from),
                "--against" => runner.against = baseline(&arguments.next().unwrap()),
                "--all" => runner.all = true,
                "--book" => runner.book = true,
                // What cargo itself passes.
                "--bench" => {}
                filter => filter.clone_into(&mut runner.filter),
            }
        }
        runner
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// Measures work, in milliseconds.
    pub(super) fn time<T>(&mut self, name: &str, work: impl FnMut() -> T) {
        if self.wants(name) {
            let median = median(work).as_secs_f64() * 1e3;
            self.tell(name, median, "ms");
        }
    }

    /// Measures work over so many bytes, in milliseconds, and prints megabytes a second.
    pub(super) fn throughput<T>(&mut self, name: &str, bytes: usize, work: impl FnMut() -> T) {
        if self.wants(name) {
            let median = median(work).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "a size for people")]
            let speed = bytes as f64 / median / 1e6;
            self.tell(name, median * 1e3, "ms");
            println!("{:>50}", format!("{speed:.1} MB/s"));
        }
    }

    /// Measures work on so many things, in milliseconds, and prints millions a second.
    pub(super) fn rate<T>(&mut self, name: &str, count: usize, work: impl FnMut() -> T) {
        if self.wants(name) {
            let median = median(work).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "a count for people")]
            let speed = count as f64 / median / 1e6;
            self.tell(name, median * 1e3, "ms");
            println!("{:>50}", format!("{speed:.1} million/s"));
        }
    }

    /// Prints something counted.
    pub(super) fn fact(&mut self, name: &str, count: u32) {
        self.tell(name, f64::from(count), "");
    }

    /// Keeps something measured elsewhere, in milliseconds, and prints how it compares.
    pub(super) fn keep(&mut self, name: &str, milliseconds: f64) {
        if self.against.contains_key(name) {
            self.tell(name, milliseconds, "ms");
        } else {
            self.measured.insert(name.to_owned(), milliseconds);
        }
    }

    fn tell(&mut self, name: &str, value: f64, unit: &str) {
        let ratio = self
            .against
            .get(name)
            .map(|before| format!("   {:.2} of {before:.3}", value / before))
            .unwrap_or_default();
        println!("{name:<45} {value:>10.3} {unit}{ratio}");
        self.measured.insert(name.to_owned(), value);
    }

    /// Writes what was measured, if that was asked for.
    pub(super) fn finish(self) {
        if let Some(file) = self.save {
            let lines: Vec<String> = self
                .measured
                .iter()
                .map(|(name, value)| format!("{name}\t{value}\n"))
                .collect();
            std::fs::write(file, lines.concat()).unwrap();
        }
    }
}

fn baseline(file: &str) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    black_box(work());
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < FEWEST || (start.elapsed() < BUDGET && times.len() < MOST) {
        let begun = Instant::now();
        black_box(work());
        times.push(begun.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}
