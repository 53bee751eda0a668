//! Signing in.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use capol::graph::sign_in::{DeviceCode, DeviceCodePrompt, FederatedToken, GRAPH_COMMAND_LINE_TOOLS};
use capol::graph::{Clock, GraphError, SignIn};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};
use tokio::time::Instant;

const SECRET: &str = "s3cret~with+signs&more=";

fn clock() -> Clock {
    Arc::new(|| "2026-09-01T00:00:00Z".parse().unwrap())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/graph")
        .join(name)
}

fn source(fake: &Arc<Fake>, sign_in: SignIn) -> Result<Arc<dyn TokenSource>, GraphError> {
    sign_in.source_over(fake.clone(), &options(), clock())
}

fn form(outgoing: &Outgoing) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(outgoing.body.as_ref().unwrap())
        .into_owned()
        .collect()
}

fn granted() -> Answer {
    ok(json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN }))
}

fn with_secret() -> SignIn {
    SignIn::ClientSecret {
        tenant: "contoso.com".to_owned(),
        client: "app".to_owned(),
        secret: Secret::new(SECRET),
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_gets_a_token_for_the_clouds_graph() {
    let fake = Fake::sequence(vec![granted()]);
    let token = source(&fake, with_secret()).unwrap().fetch().await.unwrap();
    assert_eq!(token.secret.reveal(), TOKEN);
    assert_eq!(
        token.expires_at.unwrap() - Instant::now(),
        std::time::Duration::from_secs(3599)
    );
    let sent = &fake.log()[0];
    assert_eq!(
        sent.url.as_str(),
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
    );
    let expected = [
        ("client_id", "app"),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    assert_eq!(
        form(sent),
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
}

#[tokio::test(start_paused = true)]
async fn sign_in_survives_a_bad_moment_of_the_network() {
    let fake = Fake::sequence(vec![
        lost(),
        text(502, "<html>"),
        answer(429, &[("retry-after", "3")], Value::Null),
        granted(),
    ]);
    source(&fake, with_secret()).unwrap().fetch().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_with_code_trace_id_and_next_step_and_without_the_secret() {
    let told = |status: u16, body: Value| async move {
        let fake = Fake::new(move |_, _| answer(status, &[], body.clone()));
        let error = source(&fake, with_secret()).unwrap().fetch().await.unwrap_err();
        format!("{}\n{error:?}", shown(&error))
    };
    let description = format!(
        "AADSTS7000215: Invalid client secret provided: {SECRET}.\r\nTrace ID: 0f-1 Correlation ID: 0f-2 Timestamp: 2026-09-01 00:00:00Z"
    );
    let refused = told(401, json!({ "error": "invalid_client", "error_description": description, "error_codes": [7_000_215], "trace_id": "0f-1" })).await;
    assert!(!refused.contains(SECRET), "{refused}");
    insta::assert_snapshot!(refused.lines().take(2).collect::<Vec<_>>().join("\n"));
    let strange = told(200, json!({ "token_type": "Bearer" })).await;
    assert!(strange.starts_with("graph::sign_in_answer"), "{strange}");
    let page = Fake::new(|_, _| text(200, "<html>Sign in to the guest network</html>"));
    let error = source(&page, with_secret()).unwrap().fetch().await.unwrap_err();
    assert!(
        shown(&error).contains("Sign in to the guest network"),
        "{}",
        shown(&error)
    );
}

/// Signs in with a certificate file and gives header, claims and whether the signature is the key's.
async fn assertion(
    file: &str,
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
) -> (Value, Value, bool) {
    let fake = Fake::sequence(vec![granted()]);
    let sign_in = SignIn::Certificate {
        tenant: "t".to_owned(),
        client: "app".to_owned(),
        path: fixture(file),
    };
    source(&fake, sign_in).unwrap().fetch().await.unwrap();
    let form = form(&fake.log()[0]);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (signed, signature) = form["client_assertion"].rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let good = UnparsedPublicKey::new(algorithm, public)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .is_ok();
    (json(header), json(claims), good)
}

fn rsa_public() -> Vec<u8> {
    use ring::signature::KeyPair;
    let key = PrivatePkcs8KeyDer::from_pem_file(fixture("rsa_pkcs8.pem")).unwrap();
    ring::signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
        .unwrap()
        .public_key()
        .as_ref()
        .to_vec()
}

fn thumbprint(file: &str) -> String {
    let certificate = CertificateDer::from_pem_file(fixture(file)).unwrap();
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, &certificate))
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_that_its_public_key_verifies() {
    for file in ["rsa_pkcs8.pem", "rsa_pkcs1.pem"] {
        let (header, claims, good) = assertion(file, &RSA_PSS_2048_8192_SHA256, &rsa_public()).await;
        assert!(good, "{file}");
        assert_eq!(
            (&header["alg"], &header["x5t#S256"]),
            (&json!("PS256"), &json!(thumbprint("rsa_pkcs8.pem")))
        );
        assert_eq!(
            claims["aud"],
            "https://login.microsoftonline.com/t/oauth2/v2.0/token"
        );
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("app"), &json!("app")));
        assert_eq!(
            (&claims["nbf"], &claims["exp"]),
            (&json!(1_788_220_800), &json!(1_788_221_400))
        );
    }
}

#[tokio::test]
async fn an_elliptic_key_signs_too_and_the_chain_does_not_confuse_it() {
    let file = "ec_sec1_with_chain.pem";
    let certificate = CertificateDer::from_pem_file(fixture(file)).unwrap();
    // The uncompressed point follows the BIT STRING header of the public key.
    let at = certificate
        .windows(3)
        .position(|part| part == [0x42, 0x00, 0x04])
        .unwrap()
        + 2;
    let (header, _, good) = assertion(file, &ECDSA_P256_SHA256_FIXED, &certificate[at..at + 65]).await;
    assert!(good);
    assert_eq!(
        (&header["alg"], &header["x5t#S256"]),
        (&json!("ES256"), &json!(thumbprint(file)))
    );
}

#[test]
fn a_certificate_file_that_cannot_be_used_says_how_to_make_one_that_can() {
    let mut told = Vec::new();
    for file in [
        "identity.pfx",
        "encrypted.pem",
        "stranger.pem",
        "no_key.pem",
        "missing.pem",
    ] {
        let sign_in = SignIn::Certificate {
            tenant: "t".to_owned(),
            client: "app".to_owned(),
            path: fixture(file),
        };
        let Err(error) = source(&Fake::sequence(vec![]), sign_in) else {
            panic!("{file}")
        };
        let folder = fixture("").display().to_string();
        told.push(shown(&error).replace(&folder, ""));
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn a_federated_token_file_is_read_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let fake = Fake::new(|_, _| granted());
    let token = FederatedToken::File(path.clone());
    let source = source(
        &fake,
        SignIn::Federated {
            tenant: "t".to_owned(),
            client: "app".to_owned(),
            token,
        },
    )
    .unwrap();
    assert!(source.fetch().await.is_err());
    for content in ["first\n", "second"] {
        std::fs::write(&path, content).unwrap();
        source.fetch().await.unwrap();
    }
    let sent: Vec<String> = fake
        .log()
        .iter()
        .map(|sent| form(sent)["client_assertion"].clone())
        .collect();
    assert_eq!(sent, ["first", "second"]);
}

#[tokio::test]
async fn pipelines_give_their_own_tokens() {
    let fake = Fake::new(|outgoing, _| match outgoing.url.host_str().unwrap() {
        "pipelines.example" => {
            assert_eq!(outgoing.bearer.as_ref().unwrap().reveal(), SECRET);
            ok(json!({ "value": "from-github", "oidcToken": "from-azure" }))
        }
        _ => granted(),
    });
    let url = "https://pipelines.example/token?a=b".to_owned();
    let token = Secret::new(SECRET);
    for (way, assertion) in [
        (
            FederatedToken::GitHub {
                url: url.clone(),
                token: token.clone(),
            },
            "from-github",
        ),
        (
            FederatedToken::AzurePipelines {
                url,
                service_connection: "sc".to_owned(),
                token,
            },
            "from-azure",
        ),
    ] {
        let sign_in = SignIn::Federated {
            tenant: "t".to_owned(),
            client: "app".to_owned(),
            token: way,
        };
        source(&fake, sign_in).unwrap().fetch().await.unwrap();
        assert_eq!(form(fake.log().last().unwrap())["client_assertion"], assertion);
    }
    let calls = fake.calls();
    assert_eq!(
        calls[0],
        "GET /token?a=b&audience=api%3A%2F%2FAzureADTokenExchange"
    );
    assert_eq!(calls[2], "POST /token?a=b&api-version=7.1&serviceConnectionId=sc");
}

#[tokio::test]
async fn a_pipelines_token_is_not_sent_unencrypted() {
    let fake = Fake::sequence(vec![]);
    let token = FederatedToken::GitHub {
        url: "http://pipelines.example".to_owned(),
        token: Secret::new(SECRET),
    };
    let sign_in = SignIn::Federated {
        tenant: "t".to_owned(),
        client: "app".to_owned(),
        token,
    };
    let error = source(&fake, sign_in).unwrap().fetch().await.unwrap_err();
    assert!(matches!(error, SignInError::Setup { .. }));
}

fn device_code(shown: &Arc<Mutex<Vec<DeviceCodePrompt>>>) -> SignIn {
    let shown = shown.clone();
    SignIn::DeviceCode(DeviceCode {
        tenant: "t".to_owned(),
        client: GRAPH_COMMAND_LINE_TOOLS.to_owned(),
        permissions: vec!["Policy.Read.All".to_owned()],
        prompt: Arc::new(move |prompt| shown.lock().unwrap().push(prompt.clone())),
    })
}

fn oauth(word: &str) -> Answer {
    answer(
        400,
        &[],
        json!({ "error": word, "error_description": format!("AADSTS70016: {word}"), "error_codes": [70016] }),
    )
}

fn code() -> Answer {
    ok(
        json!({ "device_code": "dev", "user_code": "ABCD", "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5 }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_device_code_is_shown_polled_for_and_renewed_without_asking_again() {
    let prompts = Arc::new(Mutex::new(Vec::new()));
    let token = || ok(json!({ "access_token": TOKEN, "expires_in": 3600, "refresh_token": "again" }));
    let fake = Fake::sequence(vec![
        code(),
        oauth("authorization_pending"),
        oauth("slow_down"),
        token(),
        token(),
    ]);
    let source = source(&fake, device_code(&prompts)).unwrap();
    let start = Instant::now();
    source.fetch().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5 + 5 + 10);
    assert_eq!(prompts.lock().unwrap()[0].user_code, "ABCD");
    source.fetch().await.unwrap();
    assert_eq!(prompts.lock().unwrap().len(), 1);
    let log = fake.log();
    assert_eq!(
        form(&log[0])["scope"],
        "https://graph.microsoft.com/Policy.Read.All offline_access"
    );
    assert_eq!(form(&log[1])["device_code"], "dev");
    assert_eq!(form(&log[4])["refresh_token"], "again");
}

#[tokio::test(start_paused = true)]
async fn a_device_code_that_nobody_enters_ends() {
    let prompts = Arc::new(Mutex::new(Vec::new()));
    let fake = Fake::new(|_, number| {
        if number == 0 {
            code()
        } else {
            oauth("authorization_pending")
        }
    });
    let error = source(&fake, device_code(&prompts))
        .unwrap()
        .fetch()
        .await
        .unwrap_err();
    assert_eq!(error, SignInError::DeviceCodeEnded);
    let fake = Fake::sequence(vec![code(), oauth("authorization_declined")]);
    let error = source(&fake, device_code(&prompts))
        .unwrap()
        .fetch()
        .await
        .unwrap_err();
    assert!(matches!(error, SignInError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refused_given_token_asks_for_a_new_one() {
    let fake = Fake::new(|_, _| refusal(401, "InvalidAuthenticationToken", "expired"));
    let source = source(&fake, SignIn::AccessToken(Secret::new(TOKEN))).unwrap();
    let graph = Graph::over(fake.clone(), source, options());
    let error = graph
        .list(capol::graph::Version::V1, "users", &[])
        .await
        .unwrap_err();
    assert_eq!(fake.log().len(), 1);
    assert!(shown(&error).contains("CAPOL_ACCESS_TOKEN"), "{}", shown(&error));
}

#[test]
fn a_tenant_that_is_no_name_never_reaches_an_address() {
    for tenant in ["", "a/b", "..//evil.example", "x y"] {
        let sign_in = SignIn::ClientSecret {
            tenant: tenant.to_owned(),
            client: "c".to_owned(),
            secret: Secret::new("s"),
        };
        assert!(source(&Fake::sequence(vec![]), sign_in).is_err(), "{tenant}");
    }
}
