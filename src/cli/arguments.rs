//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use super::asking::Asking;
pub(super) use super::impact::Replaying;

/// Conditional Access as code.
#[derive(Debug, Parser)]
#[command(
    name = "capol",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Invocation {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Work in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    /// The tenant to work on, when the project names several
    #[arg(long, global = true, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Use the embedded tenant in `.capol/` instead of a real one
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Set a variable
    #[arg(long = "var", global = true, value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// Read variables from a file
    #[arg(long = "var-file", global = true, value_name = "FILE")]
    pub variable_files: Vec<PathBuf>,
    /// One JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Say only what went wrong
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Say more; twice for every request
    #[arg(short = 'v', long = "verbose", global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Never ask
    #[arg(long, global = true, alias = "auto-approve")]
    pub yes: bool,
    /// How many requests may be under way at once
    #[arg(long, global = true, value_name = "N", default_value_t = 200)]
    pub parallelism: usize,
    /// Whether to lock the state
    #[arg(long, global = true, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub lock: bool,
    /// How long to wait for the lock, for example `30s` or `5m`
    #[arg(long, global = true, value_name = "DURATION", default_value = "0s")]
    pub lock_timeout: String,
}

/// What narrows or changes a plan.
#[derive(Debug, Clone, Default, Args)]
pub struct Planning {
    /// Plan only this address and what it needs; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Read targets from a file, one a line
    #[arg(long, value_name = "FILE")]
    pub target_file: Option<PathBuf>,
    /// Leave out this address and what needs it; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
    /// Read exclusions from a file, one a line
    #[arg(long, value_name = "FILE")]
    pub exclude_file: Option<PathBuf>,
    /// Whether to read the live tenant; `false` compares with what state remembers, and makes no saved plan
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub refresh: bool,
    /// Only bring state up to date with the tenant
    #[arg(long)]
    pub refresh_only: bool,
    /// Delete and create this address again; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Plan the removal of everything managed
    #[arg(long)]
    pub destroy: bool,
    /// Take on, with a reason that is kept, that not everybody stays protected or let in between the writes
    #[arg(long, value_name = "REASON")]
    pub accept_gap: Option<String>,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a person at a terminal.
    Text,
    /// For a program.
    Json,
    /// What is found, for a code host: SARIF 2.1.0.
    Sarif,
}

/// How what is found is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// For a person at a terminal.
    Text,
    /// For a program.
    Json,
    /// For a code host: SARIF 2.1.0.
    Sarif,
}

/// How results of tests are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For a person at a terminal.
    Text,
    /// For a program.
    Json,
    /// For a build server: JUnit XML.
    Junit,
}

/// How a dependency graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a project
    Init {
        /// The project's folder
        dir: Option<PathBuf>,
        /// Write the configuration of everything that the tenant holds
        #[arg(long)]
        from_tenant: bool,
        /// Write the configuration of exported JSON files
        #[arg(long, value_name = "FILE", num_args = 1..)]
        from_json: Vec<PathBuf>,
        /// Write the ids of people, groups and apps, not their names
        #[arg(long, requires = "from_tenant")]
        pin_ids: bool,
    },
    /// Lay out files in the one canonical way
    Fmt {
        /// Only say which files would change; status 2 if any
        #[arg(long)]
        check: bool,
        /// Print what would change, and change nothing
        #[arg(long)]
        diff: bool,
        /// Files and folders; `-` for standard input
        paths: Vec<PathBuf>,
    },
    /// Check everything that can be known without the network
    Validate {
        /// How to print what is found
        #[arg(long, value_enum, default_value = "text")]
        format: FindingFormat,
        /// Status 1 when there are warnings
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Show what apply would do
    Plan {
        /// What narrows or changes it
        #[command(flatten)]
        planning: Planning,
        /// Save the plan, for `capol apply FILE`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Status 2 when there are changes
        #[arg(long)]
        detailed_exitcode: bool,
        /// Status 1 when there are warnings
        #[arg(long)]
        deny_warnings: bool,
        /// How to print it
        #[arg(long, value_enum, default_value = "text")]
        format: PlanFormat,
        /// Also write the plan as JSON to a file
        #[arg(long, value_name = "FILE")]
        json_into: Option<PathBuf>,
        /// Write the configuration of what import blocks name to a new file
        #[arg(long, value_name = "FILE")]
        generate_config_out: Option<PathBuf>,
    },
    /// Apply a saved plan, or plan, ask and apply
    Apply {
        /// What narrows or changes it
        #[command(flatten)]
        planning: Planning,
        /// A plan saved by `capol plan --out`
        file: Option<PathBuf>,
        /// Stop everything at the first failure
        #[arg(long)]
        fail_fast: bool,
        /// Leave alone what somebody changed since the plan was made, and do the rest
        #[arg(long)]
        skip_changed: bool,
        /// Also write what happens as JSON Lines to a file
        #[arg(long, value_name = "FILE")]
        json_into: Option<PathBuf>,
    },
    /// Remove everything that is managed
    Destroy {
        /// What narrows or changes it
        #[command(flatten)]
        planning: Planning,
    },
    /// Take one earlier apply back
    Undo {
        /// The apply; the latest when left out
        apply: Option<String>,
        /// Take back only this address and what it needs; may be repeated
        #[arg(long, value_name = "ADDRESS")]
        target: Vec<String>,
        /// Leave this address as it is, and what needs it; may be repeated
        #[arg(long, value_name = "ADDRESS")]
        exclude: Vec<String>,
        /// Leave what others changed since as it is, and take back the rest
        #[arg(long)]
        skip_changed: bool,
        /// Take on, with a reason that is kept, that not everybody stays protected or let in between the writes
        #[arg(long, value_name = "REASON")]
        accept_gap: Option<String>,
    },
    /// Show the state, a saved plan, or the evaluated configuration
    Show {
        /// A saved plan
        file: Option<PathBuf>,
        /// Show the evaluated configuration
        #[arg(long, conflicts_with = "file")]
        config: bool,
    },
    /// Show the outputs
    Output {
        /// One output
        name: Option<String>,
        /// The bare text, without quotes
        #[arg(long, requires = "name")]
        raw: bool,
    },
    /// Adopt live objects (`ADDRESS ID`, `--all`), or exported JSON (`--json FILE…`), and write their configuration
    Import {
        /// The address and the id of a live object; with `--json`, exported files and folders
        arguments: Vec<String>,
        /// Adopt everything that the tenant holds
        #[arg(long)]
        all: bool,
        /// Where to write the configuration; the project's folder when left out
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Write the ids of people, groups and apps, not their names
        #[arg(long)]
        pin_ids: bool,
    },
    /// Decide the project's scenarios and invariants, without the network
    Test {
        /// Only those with this in their name
        filter: Option<String>,
        /// Who is in which group, as `capol whatif` takes it; without it, anybody may be in any groups and roles
        #[arg(long, value_name = "FILE")]
        directory: Option<PathBuf>,
        /// How to print the results
        #[arg(long, value_enum, default_value = "text")]
        format: TestFormat,
        /// Decide them again whenever a file of the project changes
        #[arg(long)]
        watch: bool,
    },
    /// What would come out of sign-ins
    #[command(name = "whatif")]
    WhatIf(Box<Asking>),
    /// What a plan would have done to real sign-ins
    Impact(Box<Replaying>),
    /// Staged rollouts
    #[command(subcommand)]
    Rollout(RolloutCommand),
    /// Look at and mend the state
    #[command(subcommand)]
    State(StateCommand),
    /// Print the dependency graph
    Graph {
        /// The form
        #[arg(long, value_enum, default_value = "dot")]
        format: GraphFormat,
    },
    /// The embedded tenant
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Explain a diagnostic at length
    Explain {
        /// Its code, for example `lang::unknown_symbol`
        code: String,
    },
    /// Evaluate expressions, one a line
    Console,
    /// Check sign-in and permissions
    Doctor,
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
}

/// `capol rollout …`
#[derive(Debug, Subcommand)]
pub enum RolloutCommand {
    /// Show where rollouts are, and what they wait for
    Status {
        /// One rollout
        name: Option<String>,
        /// Take evidence from exported sign-in logs instead of the tenant's own
        #[arg(long, value_name = "FILE", num_args = 1..)]
        sign_ins: Vec<PathBuf>,
    },
    /// Enter the next wave
    Advance {
        /// The rollout; the only one when left out
        name: Option<String>,
        /// Pass over soak, gate and calendar, never over approvals, with a reason that is kept
        #[arg(long, value_name = "REASON")]
        force: Option<String>,
        /// Take evidence from exported sign-in logs instead of the tenant's own
        #[arg(long, value_name = "FILE", num_args = 1..)]
        sign_ins: Vec<PathBuf>,
    },
    /// Approve the next wave, as it would be applied now
    Approve {
        /// The rollout; the only one when left out
        name: Option<String>,
        /// What to keep beside the approval
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Stop a rollout where it is
    Pause {
        /// The rollout; the only one when left out
        name: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "paused by hand")]
        reason: String,
    },
    /// Let a rollout go on
    Resume {
        /// The rollout; the only one when left out
        name: Option<String>,
    },
    /// Go back to an earlier wave
    Rollback {
        /// The rollout; the only one when left out
        name: Option<String>,
        /// Which wave; the one before when left out
        #[arg(long, value_name = "WAVE")]
        to: Option<String>,
    },
    /// Switch its policies off, as before the first wave
    Abort {
        /// The rollout; the only one when left out
        name: Option<String>,
    },
    /// Show every transition with its evidence and approvals
    History {
        /// One rollout
        name: Option<String>,
    },
    /// Enter what is due, pull back what its gate breaches, and report; for a schedule, so it never asks
    Tick {
        /// Take evidence from exported sign-in logs instead of the tenant's own
        #[arg(long, value_name = "FILE", num_args = 1..)]
        sign_ins: Vec<PathBuf>,
    },
}

/// `capol state …`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List what is managed
    List {
        /// Only addresses that begin so
        prefix: Option<String>,
        /// Only the object with this id
        #[arg(long)]
        id: Option<String>,
    },
    /// Show what is remembered of one address
    Show {
        /// The address
        address: String,
    },
    /// Give an object another address
    Mv {
        /// From
        from: String,
        /// To
        to: String,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Forget objects without deleting them
    Rm {
        /// The addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Print the state document
    Pull,
    /// Replace the state document by a file
    Push {
        /// The file; `-` for standard input
        file: PathBuf,
        /// Accept another lineage or an older serial
        #[arg(long)]
        force: bool,
    },
    /// Lock the state until it is unlocked
    Lock {
        /// Why
        #[arg(long, default_value = "held by hand")]
        reason: String,
    },
    /// Remove a lock
    #[command(visible_alias = "force-unlock")]
    Unlock {
        /// The lock's id
        id: String,
    },
    /// List earlier states
    History,
    /// Bring state back after damage or loss: from its history, else from the tenant
    Repair {
        /// Also look in the tenant for what the state does not hold
        #[arg(long)]
        from_tenant: bool,
    },
}

/// `capol sandbox …`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serve the embedded tenant on loopback until Ctrl-C
    Serve {
        /// The port; any free one when left out
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Trouble to make, as a JSON file describes it: errors, delays, limits, lags
        #[arg(long, value_name = "FILE")]
        faults: Option<PathBuf>,
        /// Speak TLS, with a certificate made for this run
        #[arg(long)]
        tls: bool,
        /// Where to write the certificate that clients have to trust [default: .capol/sandbox-ca.pem]
        #[arg(long, value_name = "FILE", requires = "tls")]
        tls_cert: Option<PathBuf>,
    },
    /// Start again from the tenant that every sandbox begins with
    Reset,
    /// Load objects from a file, or make what exported files refer to
    Load {
        /// A description of objects, as `capol sandbox dump` prints it
        file: Option<PathBuf>,
        /// Make every user, group, app, … that these exported files refer to
        #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "file")]
        stub_from: Vec<PathBuf>,
        /// Make the people of a scenario, and their sign-ins of the days up to now
        #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "stub_from"])]
        scenario: Option<PathBuf>,
    },
    /// Print the whole tenant as JSON
    Dump,
}

/// Terraform's single-dash long flags (`-out=x`) as the double-dash flags that they mean.
pub(super) fn normalised(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    arguments
        .map(|argument| {
            let Some(text) = argument.to_str() else {
                return argument;
            };
            literal |= text == "--";
            let long = text.strip_prefix('-').filter(|rest| {
                !literal
                    && !rest.starts_with('-')
                    && rest
                        .chars()
                        .take_while(|c| c.is_ascii_alphabetic() || *c == '-')
                        .count()
                        > 1
            });
            match long {
                Some(rest) if !rest.chars().all(|c| c == 'v') => OsString::from(format!("--{rest}")),
                _ => argument,
            }
        })
        .collect()
}

/// The answer to a Terraform command that has no counterpart here.
pub(super) fn terraform_word(arguments: &[OsString]) -> Option<String> {
    let word = arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str())
        .find(|text| !text.starts_with('-'))?;
    let answer = match word {
        "workspace" => {
            "capol has no workspaces: name each tenant in a `tenant` block and choose one with `--tenant NAME`; each has its own state"
        }
        "taint" | "untaint" => "capol marks nothing as tainted: use `capol plan --replace ADDRESS`",
        "refresh" => "use `capol apply --refresh-only`",
        "providers" => "capol has no providers: it speaks to Microsoft Graph itself",
        "get" => "modules are fetched by `capol init`",
        "login" | "logout" => {
            "capol signs in as Azure tools do: with `az login`, or with the AZURE_… variables; see `capol doctor`"
        }
        "force-unlock" => "use `capol state unlock ID`",
        _ => return None,
    };
    Some(format!("`{word}` is Terraform's: {answer}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Invocation::command().debug_assert();
    }

    #[test]
    fn single_dash_long_flags_mean_what_terraform_means() {
        let given = [
            "capol", "plan", "-out=x", "-target", "a.b", "-v", "-vv", "--", "-out",
        ];
        let wanted = [
            "capol", "plan", "--out=x", "--target", "a.b", "-v", "-vv", "--", "-out",
        ];
        assert_eq!(
            normalised(given.map(OsString::from).into_iter()),
            wanted.map(OsString::from)
        );
    }
}
