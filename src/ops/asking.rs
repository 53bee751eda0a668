//! Other systems are asked before a wave is left: a web address, or a command.
//!
//! Nothing that goes wrong here is a yes: no answer, a late one, or one in other words is no answer that counts.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;

use super::OpsError;
use crate::graph::HttpOptions;
use crate::graph::http::{Exchange as _, ExchangeError, Http, Outgoing};
use crate::rollout::gate::Told;

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an answer is read, in bytes.
const LONGEST: usize = 64 * 1024;

fn nothing(why: impl Into<String>) -> Told {
    Told::Nothing { why: why.into() }
}

/// Posts a question, as JSON, to a web address: over TLS, or to this machine.
pub async fn webhook(address: &str, question: &Json, options: &HttpOptions, patience: Duration) -> Told {
    let Ok(url) = Url::parse(address) else {
        return nothing("the address is no web address");
    };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(is_here && url.scheme() == "http") {
        return nothing("the address does not begin with `https://`");
    }
    let http = match Http::new(options, &url) {
        Ok(http) => http,
        Err(error) => return nothing(error.to_string()),
    };
    let outgoing = Outgoing {
        method: "POST",
        url,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        bearer: None,
        body: Some(question.to_string().into_bytes()),
        timeout: patience,
    };
    match http.exchange(outgoing).await {
        Ok(answer) if answer.status == 200 && answer.body.len() <= LONGEST => Told::read(&answer.body),
        Ok(answer) if answer.status == 200 => nothing("the answer is too long"),
        Ok(answer) => nothing(format!("it answered with status {}", answer.status)),
        Err(ExchangeError::NotSent(why) | ExchangeError::Lost(why) | ExchangeError::Certificate(why)) => {
            nothing(why)
        }
    }
}

/// Runs a command in the project's folder, with the question as JSON on its standard input, and reads the answer from its
/// standard output. Its words are separated by blanks; no shell takes part.
pub async fn command(
    line: &str,
    question: &Json,
    folder: &Path,
    patience: Duration,
) -> Result<Told, OpsError> {
    let mut words = line.split_whitespace();
    let Some(program) = words.next() else {
        return Ok(nothing("the command is empty"));
    };
    let failed = |source| OpsError::File {
        path: program.into(),
        source,
    };
    // Files instead of pipes: whoever never reads or writes can't stop the other side.
    let mut input = tempfile::tempfile().map_err(failed)?;
    std::io::Write::write_all(&mut input, question.to_string().as_bytes()).map_err(failed)?;
    std::io::Seek::rewind(&mut input).map_err(failed)?;
    let mut output = tempfile::tempfile().map_err(failed)?;
    let spawned = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(input)
        .stdout(output.try_clone().map_err(failed)?)
        .stderr(Stdio::inherit())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Ok(nothing(format!("`{program}` cannot be run: {error}"))),
    };
    let end = tokio::time::Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if tokio::time::Instant::now() >= end {
            // One that has just ended by itself can't be killed, and need not be.
            let _gone = child.kill();
            let _status = child.wait();
            return Ok(nothing(format!(
                "it took longer than {} seconds",
                patience.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    if !status.success() {
        return Ok(nothing(format!("it failed ({status})")));
    }
    let mut text = Vec::new();
    std::io::Seek::rewind(&mut output).map_err(failed)?;
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX) + 1;
    std::io::Read::read_to_end(&mut std::io::Read::take(&mut output, most), &mut text).map_err(failed)?;
    if text.len() > LONGEST {
        return Ok(nothing("the answer is too long"));
    }
    Ok(Told::read(&text))
}
