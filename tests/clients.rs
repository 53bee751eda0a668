//! Clients that others wrote work against the embedded tenant, over HTTP and over TLS.
//!
//! The scripts below `clients/` use Microsoft's own libraries; `.ci/clients` installs them. Each prints what it
//! observed as one line of JSON, the same over both.

use std::path::{Path, PathBuf};
use std::process::Command;

use capol::sandbox::{Kind, Running, Sandbox, SandboxOptions};
use serde_json::Value;

use crate::bench::Folder;

/// The secret that the scripts sign in with.
const SECRET: &str = "a client secret of the tests";

/// What runs a script.
#[derive(Clone, Copy)]
enum Runner {
    Python,
    Node,
}

/// Where the libraries are installed; says so when they are not.
fn installed() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_capol"))
        .ancestors()
        .find(|folder| folder.join("clients/installed").exists());
    if target.is_none() {
        println!("skipped: the clients of others are not installed (run `.ci/clients`)");
    }
    target.map(|target| target.join("clients"))
}

async fn serve(tls: bool) -> Running {
    Sandbox::start(SandboxOptions {
        tls,
        client_secret: Some(SECRET.to_owned()),
        ..SandboxOptions::default()
    })
    .await
    .unwrap()
}

/// Runs a script against a tenant and returns its report.
fn run(running: &Running, installed: &Path, runner: Runner, script: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("ca.pem");
    let tls = running.authority_pem().is_some();
    std::fs::write(&certificate, running.authority_pem().unwrap_or_default()).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let (program, script) = match runner {
        Runner::Python => (
            installed.join("python/bin/python"),
            here.join("python").join(script),
        ),
        Runner::Node => {
            // Node looks for libraries beside the script and nowhere else.
            let copy = installed.join("javascript").join(format!("{tls}-{script}"));
            std::fs::copy(here.join("javascript").join(script), &copy).unwrap();
            (PathBuf::from("node"), copy)
        }
    };
    let mut command = Command::new(program);
    command
        .arg(&script)
        .env("CAPOL_GRAPH_ENDPOINT", running.endpoint())
        .env("CAPOL_LOGIN_ENDPOINT", running.login_endpoint())
        .env("CAPOL_ACCESS_TOKEN", running.access_token())
        .env("AZURE_TENANT_ID", running.tenant_id())
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if tls {
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, &certificate);
        }
    }
    let output = command.output().expect("the interpreter runs");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}: {out}\n{}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a report")
}

/// What the tenant holds in the end, whatever the client believes.
fn left(running: &Running) -> Value {
    let count = |method: &str, path: &str| {
        let requests = running.requests();
        let asked = requests
            .iter()
            .filter(|asked| asked.method == method && asked.path.ends_with(path));
        asked.count()
    };
    let names = |kind| {
        running.with_tenant(|tenant| {
            let mut names: Vec<String> = tenant
                .objects(kind)
                .filter_map(|object| object["displayName"].as_str().map(str::to_owned))
                .collect();
            names.sort();
            names
        })
    };
    serde_json::json!({
        "policies": names(Kind::Policies),
        "locations": names(Kind::NamedLocations),
        "batches": count("POST", "/$batch"),
    })
}

/// Over HTTP and over TLS a script must see the same, and leave the same.
async fn both_ways(runner: Runner, script: &str) -> Option<Value> {
    let installed = installed()?;
    let mut reports = Vec::new();
    for tls in [false, true] {
        let running = serve(tls).await;
        let report = tokio::task::block_in_place(|| run(&running, &installed, runner, script));
        reports.push(serde_json::json!({ "report": report, "left": left(&running) }));
    }
    let second = reports.pop().unwrap();
    assert_eq!(reports[0], second, "{script} sees something else over TLS");
    Some(second)
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_sdk_for_python_works() {
    if let Some(report) = both_ways(Runner::Python, "graph_sdk.py").await {
        insta::assert_json_snapshot!("python_sdk", report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_sdk_for_javascript_works() {
    if let Some(report) = both_ways(Runner::Node, "graph_sdk.mjs").await {
        insta::assert_json_snapshot!("javascript_sdk", report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_libraries_for_signing_in_work() {
    let Some(installed) = installed() else {
        return;
    };
    let running = serve(true).await;
    let report = tokio::task::block_in_place(|| run(&running, &installed, Runner::Python, "sign_in.py"));
    insta::assert_json_snapshot!("sign_in", report);
}

#[test]
fn capol_itself_speaks_tls_and_trusts_only_what_it_is_told_to() {
    let place = Folder::new();
    let mut server = place.start(&["sandbox", "serve", "--tls", "--tls-cert", "trusted.pem"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(server.stdout.take().unwrap()));
    let mut user = Folder::new();
    for line in lines.by_ref().map_while(Result::ok) {
        let (name, value) = line.split_once('=').expect("a variable");
        user.set(name, value);
        if name == "CAPOL_ACCESS_TOKEN" {
            break;
        }
    }
    user.write(
        "main.capol",
        "location \"hq\" {\n  name      = \"HQ\"\n  ip_ranges = [\"203.0.113.0/24\"]\n}\n",
    );
    let applied = user.capol(&["apply", "--auto-approve"]);
    assert_eq!(applied.status, 0, "{}", applied.all());
    let again = user.capol(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.status, 0, "{}", again.all());

    let stranger = Folder::new();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    stranger.write("other.pem", other.cert.pem());
    for trusted in ["", stranger.path("other.pem").to_str().unwrap()] {
        user.set("SSL_CERT_FILE", trusted);
        let refused = user.capol(&["plan"]);
        assert_eq!(refused.status, 1, "{}", refused.all());
        assert!(refused.err.contains("SSL_CERT_FILE"), "{}", refused.all());
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
