//! No secret is printed or written: every way to give one, every command, success and failure, the loudest log.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use capol::sandbox::{Effect, Faults, Rule, Running, Sandbox, SandboxOptions, When};

use crate::bench::{Answer, Folder};

const CLIENT: &str = "7a5bd2b0-0000-4000-8000-000000000001";
const TENANT: &str = "3d238afe-5184-54a8-8293-2ebe89ce2367";

/// What is planted, by what it is.
const SECRET: &str = "pl4nted~client+secret&with=signs";
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJwbDRudGVkIjoidG9rZW4ifQ.cGw0bnRlZA";
const FEDERATED: &str = "eyJhbGciOiJub25lIn0.eyJwbDRudGVkIjoiZmVkZXJhdGVkIn0.cGw0bnRlZDI";
const REQUEST_TOKEN: &str = "pl4nted-request-token-of-the-pipeline";
const DEVICE_CODE: &str = "pl4nted-device-code";
const VARIABLE: &str = "pl4nted-value-of-a-variable";

const PROJECT: &str = r#"capol {
  visibility_lag   = 1s
  emergency_access = none("a test")
  # way
}

variable "key" {
  type      = string
  sensitive = true
}

locals {
  keys = { first = var.key }
}

output "key" {
  value     = local.keys.first
  sensitive = true
}

location "a" {
  name      = "A"
  countries = ["DK"]
}

policy "mfa" {
  name  = "MFA"
  state = report_only
  users { include = [all] }
  apps { include = [all] }
  grant = mfa
}
"#;

/// The commands of a day, in this order; `{last}` is the apply before.
const COMMANDS: [&[&str]; 26] = [
    &["validate", "-vvv"],
    &["fmt", "--check"],
    &["doctor"],
    &["doctor", "--json"],
    &["plan"],
    &["plan", "-vvv"],
    &["plan", "--json"],
    &["plan", "--out", "saved.capolplan", "--json-into", "plan.json"],
    &["show", "saved.capolplan"],
    &["show", "saved.capolplan", "--json"],
    &["apply", "saved.capolplan", "-vvv"],
    &["apply", "--auto-approve", "--json"],
    &["show"],
    &["show", "--json"],
    &["show", "--config"],
    &["output"],
    &["state", "list"],
    &["state", "show", "location.a"],
    &["state", "history"],
    &["state", "repair"],
    &["graph"],
    &["import", "--all", "-vvv"],
    &["whatif", "--json"],
    &["undo", "--auto-approve", "-vvv"],
    &["destroy", "--auto-approve", "-vvv"],
    &["version", "-vvv"],
];

/// A folder, what is planted in it, and everything it has printed.
struct Search {
    folder: Folder,
    planted: BTreeMap<&'static str, String>,
    /// Files that the user made; what is in them is no leak.
    own: Vec<PathBuf>,
    told: Vec<(String, String)>,
}

impl Search {
    fn new(endpoint: &str, project: &str) -> Self {
        let mut folder = Folder::new();
        folder.set("CAPOL_GRAPH_ENDPOINT", endpoint);
        folder.set("CAPOL_LOGIN_ENDPOINT", endpoint);
        folder.set("CAPOL_LOG", "trace");
        folder.set("RUST_BACKTRACE", "full");
        folder.set("CAPOL_VAR_key", VARIABLE);
        folder.write("main.capol", project);
        Self {
            folder,
            planted: BTreeMap::from([("the value of a sensitive variable", VARIABLE.to_owned())]),
            own: Vec::new(),
            told: Vec::new(),
        }
    }

    fn plant(&mut self, what: &'static str, secret: &str) {
        self.planted.insert(what, secret.to_owned());
    }

    /// A file of the user's that holds a secret.
    fn own(&mut self, name: &str, text: &str) -> String {
        self.folder.write(name, text);
        let path = self.folder.path(name);
        self.own.push(path.clone());
        path.display().to_string()
    }

    fn application(&mut self) {
        self.folder.set("AZURE_CLIENT_ID", CLIENT);
        self.folder.set("AZURE_TENANT_ID", TENANT);
    }

    fn run(&mut self, arguments: &[&str]) -> Answer {
        let answer = self.folder.capol_with(arguments, "no\n");
        self.told.push((arguments.join(" "), answer.all()));
        answer
    }

    /// Runs every command and returns the status of each.
    fn run_all(&mut self) -> Vec<i32> {
        COMMANDS.map(|command| self.run(command).status).to_vec()
    }

    /// Fails if a secret is in anything that was printed or written.
    fn finish(self, case: &str) {
        let leaks = self.leaks(case);
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }

    /// What was printed or written and holds a secret.
    fn leaks(self, case: &str) -> Vec<String> {
        let mut leaks = Vec::new();
        let mut texts = self.told;
        for path in crate::shared::files(self.folder.path("").as_path(), "") {
            if !self.own.contains(&path) {
                let bytes = std::fs::read(&path).unwrap();
                texts.push((
                    path.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                ));
            }
        }
        for (what, secret) in &self.planted {
            for form in forms(secret) {
                for (place, text) in &texts {
                    // An output is kept in the state for `capol output`, as its owner asked.
                    if *what == "the value of a sensitive variable" && keeps_outputs(place) {
                        continue;
                    }
                    if text.contains(&form) {
                        leaks.push(format!("{case}: {what} is in `{place}`:\n{text}"));
                    }
                }
            }
        }
        leaks
    }
}

/// The files that keep the outputs of a project.
fn keeps_outputs(place: &str) -> bool {
    let name = Path::new(place).file_name().unwrap_or_default().to_string_lossy();
    place.contains(".capol") && name.ends_with(".json")
        || name.ends_with("state.json")
        || name.ends_with(".capolplan")
}

/// The secret as it is, as a form sends it, as JSON has it, in base64, and its longest part.
fn forms(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        encoded,
        json.trim_matches('"').to_owned(),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn tenant(runtime: &tokio::runtime::Runtime, secret: Option<&str>) -> Running {
    let options = SandboxOptions {
        client_secret: secret.map(str::to_owned),
        ..SandboxOptions::default()
    };
    runtime.block_on(Sandbox::start(options)).unwrap()
}

fn key() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/graph/rsa_pkcs8.pem");
    std::fs::read_to_string(path).unwrap()
}

/// A line in the middle of a private key.
fn key_line(pem: &str) -> String {
    let at = pem.find("PRIVATE KEY").unwrap();
    pem[at..].lines().nth(3).unwrap().to_owned()
}

type Setup = fn(&mut Search);

/// Every way to give a secret, with what the project has to say for it.
fn ways() -> Vec<(&'static str, &'static str, Setup)> {
    vec![
        ("a token", "", |search| {
            search.folder.set("CAPOL_ACCESS_TOKEN", TOKEN);
            search.plant("the token", TOKEN);
        }),
        ("a client secret", "", |search| {
            search.application();
            search.folder.set("AZURE_CLIENT_SECRET", SECRET);
            search.plant("the client secret", SECRET);
        }),
        ("a certificate", "", |search| {
            search.application();
            let pem = key();
            let path = search.own("own.pem", &pem);
            search.folder.set("AZURE_CLIENT_CERTIFICATE_PATH", &path);
            search.plant("the private key", &key_line(&pem));
        }),
        ("a damaged certificate", "", |search| {
            search.application();
            let pem = key().replace("END PRIVATE", "END PRIVAT");
            let path = search.own("own.pem", &pem);
            search.folder.set("AZURE_CLIENT_CERTIFICATE_PATH", &path);
            search.plant("the private key", &key_line(&pem));
        }),
        ("a federated token", "", |search| {
            search.application();
            let path = search.own("federated", FEDERATED);
            search.folder.set("AZURE_FEDERATED_TOKEN_FILE", &path);
            search.plant("the federated token", FEDERATED);
        }),
        ("a pipeline of GitHub", "", |search| {
            search.application();
            let url = search.folder.variable("CAPOL_LOGIN_ENDPOINT").unwrap() + "/token?a=b";
            search.folder.set("ACTIONS_ID_TOKEN_REQUEST_URL", &url);
            search.folder.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN);
            search.plant("the pipeline's token", REQUEST_TOKEN);
        }),
        ("a device code", "sign_in = device_code", |search| {
            search.folder.set("AZURE_TENANT_ID", TENANT);
            search.plant("the device code", DEVICE_CODE);
        }),
    ]
}

fn searches(endpoint: &str) -> Vec<(&'static str, Search)> {
    ways()
        .into_iter()
        .map(|(name, line, setup)| {
            let project = if line.is_empty() {
                PROJECT.to_owned()
            } else {
                format!("{PROJECT}\ntenant \"contoso\" {{\n  id = \"{TENANT}\"\n  {line}\n}}\n")
            };
            let mut search = Search::new(endpoint, &project);
            setup(&mut search);
            (name, search)
        })
        .collect()
}

#[test]
fn no_way_to_sign_in_shows_its_secret_when_all_is_well_or_refused() {
    let runtime = runtime();
    for secret in [None, Some("another secret")] {
        let running = tenant(&runtime, secret);
        for (name, mut search) in searches(&running.endpoint()) {
            if name == "a token" {
                // The tenant's own token is as secret as one that it refuses.
                let token = running.access_token();
                search.folder.set("CAPOL_ACCESS_TOKEN", &token);
                search.plant("the tenant's token", &token);
            }
            if name == "a device code" {
                // The person takes a second each time.
                search.run(&["plan", "-vvv"]);
            } else {
                let statuses = search.run_all();
                let works = name != "a damaged certificate" && name != "a pipeline of GitHub";
                if works && (secret.is_none() || name == "a token") {
                    let failed: Vec<&str> = (COMMANDS.iter().zip(&statuses))
                        .filter(|(_, status)| **status > 2)
                        .map(|(command, _)| command[0])
                        .collect();
                    assert!(failed.is_empty(), "{failed:?} {statuses:?} {:?}", search.told);
                }
                println!("{name} {statuses:?}");
            }
            let granted = running.access_token();
            search.plant("the granted token's claims", granted.split('.').nth(1).unwrap());
            search.finish(name);
        }
    }
}

#[test]
fn no_trouble_of_the_service_shows_a_secret() {
    let runtime = runtime();
    let fail = |status| Effect::Fail {
        status,
        commit: false,
    };
    for effect in [fail(400), fail(403), fail(404), Effect::Drop { commit: true }] {
        let running = tenant(&runtime, None);
        let rule = Rule::new(When::After(1), effect.clone()).method("POST");
        running.set_faults(Faults::none().with(rule.path("identity")));
        let (name, mut search) = searches(&running.endpoint()).remove(1);
        for command in [
            ["apply", "--auto-approve", "-vvv"].as_slice(),
            &["plan", "-vvv"],
            &["state", "list", "-vvv"],
            &["state", "repair", "-vvv"],
        ] {
            search.run(command);
        }
        search.finish(&format!("{name}, {effect:?}"));
    }
}

/// A server that answers everything with everything it was sent.
struct Echo {
    address: String,
    stop: Arc<AtomicBool>,
}

impl Echo {
    /// `status`, and whether it answers as JSON or as a page.
    fn start(status: u16, json: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::spawn(move || drop(Self::answer(stream, status, json)));
            }
        });
        Self { address, stop }
    }

    fn answer(mut stream: TcpStream, status: u16, json: bool) -> std::io::Result<()> {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer)?;
            received.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&received).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                if read == 0 {
                    return Ok(());
                }
                continue;
            };
            let length = head.lines().find_map(|line| {
                let lower = line.to_ascii_lowercase();
                lower.strip_prefix("content-length:")?.trim().parse().ok()
            });
            let length = length.unwrap_or(0_usize);
            if body.len() < length && read > 0 {
                continue;
            }
            let decoded: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
                .into_owned()
                .collect();
            let echoed = format!("{head} {body} {decoded:?}");
            let authorization = head
                .lines()
                .find_map(|line| line.strip_prefix("authorization: "))
                .unwrap_or_default();
            let said = if json {
                serde_json::json!({
                    "error": { "code": authorization, "message": echoed, "innerError": { "message": echoed, "request-id": authorization } },
                    "error_description": echoed, "device_code": if status == 200 { DEVICE_CODE } else { "" }, "user_code": "ABC", "interval": 1,
                    "verification_uri": "https://example.com", "expires_in": 2, "message": "enter ABC",
                })
                .to_string()
            } else {
                format!("<html>{echoed}</html>")
            };
            write!(
                stream,
                "HTTP/1.1 {status} Echo\r\nrequest-id: {authorization}\r\nwww-authenticate: {authorization}\r\n\
                 location: https://example.com/{authorization}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
                said.len()
            )?;
            return Ok(());
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.address));
    }
}

#[test]
fn a_server_that_echoes_everything_makes_no_secret_show() {
    for (status, json) in [
        (200, false),
        (200, true),
        (302, false),
        (400, true),
        (401, true),
        (403, true),
        (404, false),
    ] {
        let echo = Echo::start(status, json);
        for (name, mut search) in searches(&format!("http://{}", echo.address)) {
            for command in [
                ["plan", "-vvv"].as_slice(),
                &["doctor", "--json"],
                &["apply", "--auto-approve"],
            ] {
                search.run(command);
            }
            search.finish(&format!("{name}, {status}"));
        }
    }
}

/// Ways to go wrong with the value of a sensitive variable in hand.
#[test]
fn no_mistake_shows_the_value_of_a_sensitive_variable() {
    let declare = |kind: &str, more: &str| {
        format!("variable \"key\" {{\n  type      = {kind}\n  sensitive = true\n{more}}}\n")
    };
    let uses = [
        "location \"a\" {\n  name      = var.key\n  countries = [\"DK\"]\n}\n",
        "location \"a\" {\n  name      = \"A\"\n  countries = [var.key]\n}\n",
        "location \"a\" {\n  name      = \"A\"\n  ip_ranges = [var.key]\n}\n",
        "location \"a\" {\n  for_each  = [var.key]\n  name      = each.value\n  countries = [\"DK\"]\n}\n",
        "locals {\n  a = var.key + 1\n}\noutput \"a\" {\n  value = local.a\n}\n",
        "locals {\n  a = { x = 1 }[var.key]\n}\noutput \"a\" {\n  value = local.a\n}\n",
        "output \"a\" {\n  value = var.key\n}\n",
        "output \"a\" {\n  value = group(var.key)\n}\n",
        "output \"a\" {\n  value = \"${var.key} and ${var.key.b}\"\n}\n",
        "policy \"p\" {\n  name  = \"P\"\n  state = var.key\n  users { include = [user(var.key)] }\n  apps { include = [app(var.key)] }\n  grant = mfa\n}\n",
        "policy \"p\" {\n  name  = \"P\"\n  state = disabled\n  users { include = [all] }\n  apps { include = [all] }\n  devices { include = filter(var.key) }\n  grant = mfa\n}\n",
    ];
    let validation = "  validation {\n    condition     = length(var.key) > 100\n    error_message = \"${var.key} is short\"\n  }\n";
    let mut projects = vec![
        declare("number", ""),
        declare("list(string)", ""),
        declare("one_of(a, b)", ""),
        declare("duration", ""),
        declare("group", ""),
        declare("string", validation),
    ];
    projects.extend(uses.map(|text| declare("string", "") + text));
    let mut leaks = Vec::new();
    let values = [
        format!("\"{VARIABLE}\""),
        VARIABLE.to_owned(),
        format!("[\"{VARIABLE}\"]"),
    ];
    for project in &projects {
        for value in &values {
            for way in ["environment", "flag", "file"] {
                let mut search = Search::new("http://127.0.0.1:9", project);
                search
                    .folder
                    .set("CAPOL_VAR_key", if way == "environment" { value } else { "" });
                let mut more: Vec<String> = Vec::new();
                match way {
                    "flag" => more = vec!["--var".to_owned(), format!("key={value}")],
                    "file" => {
                        search.own("capol.capolvars", &format!("key = {value}\n"));
                    }
                    _ => {}
                }
                for command in [["validate", "-vvv"].as_slice(), &["validate", "--json"]] {
                    let mut arguments: Vec<&str> = command.to_vec();
                    arguments.extend(more.iter().map(String::as_str));
                    search.run(&arguments);
                }
                search.told.iter_mut().for_each(|(command, _)| command.clear());
                leaks.extend(search.leaks(&format!("{way} {value} in\n{project}")));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}
