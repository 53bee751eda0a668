//! What other systems answer before a wave is left, and that nothing but a yes is a yes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use capol::graph::HttpOptions;
use capol::ops::asking::{command, webhook};
use capol::rollout::gate::Told;
use serde_json::{Value, json};

fn question() -> Value {
    json!({ "rollout": "rollout.mfa", "wave": "canary" })
}

/// A server that answers once with this, and gives back what it was sent.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hold", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = String::new();
        let mut bytes = [0; 4096];
        while !text.contains('}') {
            let count = stream.read(&mut bytes).unwrap();
            if count == 0 {
                break;
            }
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        if answer.is_empty() {
            // Never answers: the caller hangs up.
            while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
        } else {
            stream.write_all(answer.as_bytes()).unwrap();
        }
        text
    });
    (address, heard)
}

async fn asked(answer: &'static str, patience: Duration) -> (Told, String) {
    let (address, heard) = server(answer);
    let told = webhook(&address, &question(), &HttpOptions::default(), patience).await;
    let heard = tokio::task::spawn_blocking(|| heard.join().unwrap());
    (told, heard.await.unwrap())
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_web_address_is_asked_with_json_and_its_answer_counts() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 36\r\nConnection: close\r\n\r\n{\"result\":\"hold\",\"reason\":\"busy   \"}";
    let (told, heard) = asked(answer, LONG).await;
    assert_eq!(
        told,
        Told::Hold {
            reason: "busy".to_owned()
        }
    );
    assert!(heard.starts_with("POST /hold"), "{heard}");
    assert!(heard.contains("\"wave\":\"canary\""), "{heard}");
}

#[tokio::test]
async fn what_is_no_yes_of_a_web_address_is_no_answer() {
    let yes = "{\"result\":\"pass\"}";
    for answer in [
        "HTTP/1.1 500 Oops\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"result\":\"pass\"}",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"result\":\"pass\"}",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npass",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{\"result\":\"pass\"}",
    ] {
        let (told, _) = asked(answer, LONG).await;
        assert!(
            matches!(told, Told::Nothing { .. }),
            "{yes} in {answer}: {told:?}"
        );
    }
    let (late, _) = asked("", Duration::from_millis(200)).await;
    assert!(matches!(late, Told::Nothing { .. }), "{late:?}");
    for address in ["http://desk.contoso.com/", "nonsense", "file:///etc/passwd"] {
        let told = webhook(address, &question(), &HttpOptions::default(), LONG).await;
        assert!(matches!(told, Told::Nothing { .. }), "{address}: {told:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_reads_the_question_and_answers_or_does_not_count() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    script(
        "ask",
        "grep -q canary && printf '{\"result\":\"%s\",\"reason\":\"%s\"}' \"$1\" \"$(basename \"$PWD\" | cut -c1-4)\"",
    );
    script("fails", "echo '{\"result\":\"pass\"}'; exit 3");
    script("mumbles", "echo yes");
    script("sleeps", "exec sleep 60");
    let run = |line: &'static str, patience| {
        let folder = folder.path().to_owned();
        async move { command(line, &question(), &folder, patience).await.unwrap() }
    };
    assert_eq!(
        run("./ask pass", LONG).await,
        Told::Pass {
            reason: ".tmp".to_owned()
        }
    );
    assert!(matches!(run("./ask fail", LONG).await, Told::Fail { .. }));
    for line in ["./fails", "./mumbles", "./nobody", "", "./ask maybe"] {
        let told = run(line, LONG).await;
        assert!(matches!(told, Told::Nothing { .. }), "{line}: {told:?}");
    }
    let late = run("./sleeps", Duration::from_millis(100)).await;
    assert!(matches!(late, Told::Nothing { .. }), "{late:?}");
}
