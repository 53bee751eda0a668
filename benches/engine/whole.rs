//! Whole commands, each a process of its own, against a tenant on loopback: time, CPU, memory, requests.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use capol::sandbox::{Faults, Running, Sandbox, SandboxOptions, Tenant};

use super::plot::{Line, Panel};
use super::projects;

/// How many policies a project has.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// What a request takes on the way, in milliseconds.
const LATENCIES: [u64; 3] = [0, 30, 150];

/// The largest project that is measured with a latency, unless everything is asked for.
const LARGEST_AFAR: usize = 1_000;

/// The commands in their order, with what each is called in the table; the tenant is empty up to the apply.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("parse", &["fmt", "--check"]),
    ("evaluate", &["validate"]),
    ("plan", &["plan"]),
    ("apply", &["apply", "--yes"]),
    ("nothing to do", &["plan"]),
];

/// One command that ran.
pub(super) struct Measured {
    command: &'static str,
    size: usize,
    latency: u64,
    seconds: f64,
    cpu: f64,
    megabytes: f64,
    requests: usize,
}

impl Measured {
    /// What a baseline keeps, in the runner's words.
    pub(super) fn name(&self) -> String {
        format!("{} of {}, {} ms a call", self.command, self.size, self.latency)
    }

    pub(super) fn milliseconds(&self) -> f64 {
        self.seconds * 1e3
    }
}

/// Runs every command over every size and latency; `all` leaves none out.
pub(super) fn measure(all: bool, wants: impl Fn(&str) -> bool) -> Vec<Measured> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut measured = Vec::new();
    for size in SIZES {
        for latency in LATENCIES {
            let left_out = latency > 0 && size > LARGEST_AFAR && !all;
            if left_out || !wants(&format!("whole commands, {size} at {latency}")) {
                continue;
            }
            let tenant = runtime.block_on(Sandbox::start(options(latency))).unwrap();
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("main.capol"), projects::policies(size)).unwrap();
            run(folder.path(), &tenant, &["fmt"]);
            for (name, arguments) in COMMANDS {
                // Text alone does not know the distance.
                if latency > 0 && matches!(name, "parse" | "evaluate") {
                    continue;
                }
                let before = tenant.requests().len();
                let (seconds, cpu, megabytes) = run(folder.path(), &tenant, arguments);
                let requests = tenant.requests().len() - before;
                let one = Measured {
                    command: name,
                    size,
                    latency,
                    seconds,
                    cpu,
                    megabytes,
                    requests,
                };
                println!("{}", one.row());
                measured.push(one);
            }
            runtime.block_on(tenant.shutdown());
        }
    }
    measured
}

fn options(latency: u64) -> SandboxOptions {
    let mut tenant = Tenant::contoso();
    tenant.settings.policy_quota = usize::MAX;
    SandboxOptions {
        tenant,
        faults: Faults::none().latency(Duration::from_millis(latency), Duration::ZERO),
        ..SandboxOptions::default()
    }
}

/// Seconds, CPU seconds, and megabytes at the most.
fn run(folder: &Path, tenant: &Running, arguments: &[&str]) -> (f64, f64, f64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_capol"))
        .args(arguments)
        .current_dir(folder)
        .env("CAPOL_GRAPH_ENDPOINT", tenant.endpoint())
        .env("CAPOL_LOGIN_ENDPOINT", tenant.login_endpoint())
        .env("CAPOL_ACCESS_TOKEN", tenant.access_token())
        .env("AZURE_TENANT_ID", tenant.tenant_id())
        .env("CAPOL_POLICY_LIMIT", "1000000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    // A process that has ended keeps its times until somebody asks how it ended.
    let mut peak = 0.0_f64;
    let status = format!("/proc/{}/status", child.id());
    while let Some(now) = std::fs::read_to_string(&status)
        .ok()
        .and_then(|text| high_water(&text))
    {
        peak = peak.max(now);
        std::thread::sleep(Duration::from_millis(2));
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))
        .ok()
        .and_then(|text| cpu_seconds(&text))
        .unwrap_or(f64::NAN);
    let status = child.wait().unwrap();
    let (text, wrong) = (out.join().unwrap(), err.join().unwrap());
    assert!(status.success(), "{arguments:?}: {text}{wrong}");
    (seconds, cpu, peak)
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// User and system time, which Linux counts in hundredths of a second.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

impl Measured {
    fn row(&self) -> String {
        format!(
            "| {} | {} | {} | {:.2} | {:.2} | {:.0} | {} |",
            self.command, self.size, self.latency, self.seconds, self.cpu, self.megabytes, self.requests
        )
    }
}

/// The table in Markdown.
pub(super) fn table(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| command | policies | ms a call | seconds | CPU seconds | MB at most | requests |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, _) in COMMANDS {
        for one in measured.iter().filter(|one| one.command == name) {
            writeln!(text, "{}", one.row()).unwrap();
        }
    }
    text
}

/// What the plot shows: every command without latency, and two with.
pub(super) fn panels(measured: &[Measured]) -> Vec<Panel> {
    let line = |name: String, of: &dyn Fn(&&Measured) -> bool| Line {
        name,
        points: measured
            .iter()
            .filter(of)
            .map(|one| {
                #[expect(clippy::cast_precision_loss, reason = "for people")]
                let size = one.size as f64;
                (size, one.seconds.max(0.001))
            })
            .collect(),
    };
    let mut panels = vec![Panel {
        title: "No latency".into(),
        lines: COMMANDS
            .iter()
            .map(|(name, _)| {
                line((*name).to_owned(), &|one| {
                    one.command == *name && one.latency == 0
                })
            })
            .collect(),
    }];
    for command in ["apply", "nothing to do"] {
        panels.push(Panel {
            title: format!("{}, by latency", capital(command)),
            lines: LATENCIES
                .iter()
                .map(|latency| {
                    line(format!("{latency} ms"), &|one| {
                        one.command == command && one.latency == *latency
                    })
                })
                .collect(),
        });
    }
    panels
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
