//! `capol sandbox serve` as somebody's pipeline meets it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::POLICIES;

/// A served sandbox, ended with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn capol(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capol"));
    command.current_dir(folder).args(arguments);
    command
}

#[tokio::test]
async fn trouble_from_a_file_meets_every_client() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let folder = tempfile::tempdir().unwrap();
    let trouble =
        r#"{"rules": [{"method": "GET", "when": {"first": 1}, "effect": {"busy": {"retryAfter": 9}}}]}"#;
    std::fs::write(folder.path().join("trouble.json"), trouble).unwrap();
    let mut child = capol(folder.path(), &["sandbox", "serve", "--faults", "trouble.json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let _served = Served(child);
    let mut variables = output.lines().map(|line| {
        let line = line.unwrap();
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    let mut variable = |wanted: &str| variables.find(|(name, _)| name == wanted).unwrap().1;
    let (endpoint, token) = (variable("CAPOL_GRAPH_ENDPOINT"), variable("CAPOL_ACCESS_TOKEN"));
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let ask = || async {
        let request = client.get(format!("{endpoint}/{POLICIES}")).bearer_auth(&token);
        let answer = request.send().await.unwrap();
        let wait = answer
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), wait)
    };
    assert_eq!(ask().await, (503, Some("9".to_owned())));
    assert_eq!(ask().await, (200, None));
}

#[test]
fn a_word_that_is_not_known_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("trouble.json"),
        r#"{"rules": [{"effect": {"droop": {}}}]}"#,
    )
    .unwrap();
    let output = capol(folder.path(), &["sandbox", "serve", "--faults", "trouble.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("sandbox::faults") && text.contains("droop"),
        "{text}"
    );
}
