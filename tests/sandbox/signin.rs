//! Tokens: how they are got and what they open.

use serde_json::Value;
use serde_json::json;

use super::Bench;
use super::POLICIES;
use super::options;
use super::policy;

#[tokio::test]
async fn only_a_fresh_token_of_the_tenant_opens_the_door() {
    let bench = Bench::start(options()).await;
    let login = bench.running.login_endpoint();
    let tenant = bench.running.tenant_id();
    let ask = |authority: String, fields: Vec<(&'static str, String)>| {
        let url = format!("{login}/{authority}/oauth2/v2.0/token");
        let request = bench.client.post(url).form(&fields);
        async move {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (
                status,
                serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap(),
            )
        }
    };
    let client = |extra: &[(&'static str, &str)]| {
        let mut fields = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", "b07de910-0000-4000-8000-00000000b07d".to_owned()),
            ("scope", format!("{login}/.default")),
        ];
        fields.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        fields
    };
    let (status, granted) = ask(tenant.clone(), client(&[("client_secret", "s")])).await;
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")));
    let assertion = [
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", "a.b.c"),
    ];
    assert_eq!(ask("contoso.com".to_owned(), client(&assertion)).await.0, 200);
    let (status, refused) = ask(tenant.clone(), client(&[])).await;
    assert_eq!(
        (status, &refused["error"], &refused["error_codes"][0]),
        (401, &json!("invalid_client"), &json!(7_000_216))
    );
    assert_eq!(
        ask("fabrikam.com".to_owned(), client(&[("client_secret", "s")]))
            .await
            .1["error_codes"][0],
        90002
    );

    let read = |token: String| {
        let request = bench
            .client
            .get(format!("{}/{POLICIES}", bench.running.endpoint()));
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        async move { request.send().await.unwrap() }
    };
    let token = granted["access_token"].as_str().unwrap().to_owned();
    assert_eq!(read(token.clone()).await.status(), 200);
    let anonymous = read(String::new()).await;
    assert_eq!(anonymous.status(), 401);
    assert!(
        anonymous.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer ")
    );
    bench
        .running
        .with_tenant(|tenant| tenant.settings.token_seconds = -1);
    let (_, stale) = ask(tenant, client(&[("client_secret", "s")])).await;
    assert_eq!(
        read(stale["access_token"].as_str().unwrap().to_owned())
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn a_device_code_is_pending_and_then_granted() {
    let bench = Bench::start(options()).await;
    let root = format!(
        "{}/{}/oauth2/v2.0",
        bench.running.login_endpoint(),
        bench.running.tenant_id()
    );
    let client = ("client_id", "14d82eec-204b-4c2f-b7e8-296a70dab67e".to_owned());
    let post = |path: &str, fields: &[(&str, String)]| {
        let request = bench.client.post(format!("{root}/{path}")).form(fields);
        async move {
            let text = request.send().await.unwrap().text().await.unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        }
    };
    let asked = post("devicecode", std::slice::from_ref(&client)).await;
    let poll = [
        client,
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:device_code".to_owned(),
        ),
        ("device_code", asked["device_code"].as_str().unwrap().to_owned()),
    ];
    assert_eq!(post("token", &poll).await["error"], "authorization_pending");
    let granted = post("token", &poll).await;
    let me = format!("{}/v1.0/me", bench.running.endpoint());
    let me = bench
        .client
        .get(me)
        .bearer_auth(granted["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert!(me.text().await.unwrap().contains("ada@contoso.com"));
    assert_eq!(
        bench.send("GET", "v1.0/me", None).await.status,
        400,
        "an application is nobody"
    );
    assert!(
        granted["access_token"].is_string() && granted["refresh_token"].is_string(),
        "{granted}"
    );
}

#[tokio::test]
async fn permissions_are_asked_for_when_the_tenant_is_told_to() {
    let mut given = options();
    given.tenant.settings.enforce_permissions = true;
    given.tenant.settings.permissions = vec![
        "Policy.ReadWrite.ConditionalAccess".to_owned(),
        "Group.Read.All".to_owned(),
    ];
    let bench = Bench::start(given).await;
    let refused = bench.send("POST", POLICIES, Some(&policy("p"))).await;
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (403, &json!("AccessDenied"))
    );
    assert_eq!(bench.send("GET", "v1.0/groups", None).await.status, 200);
    let refused = bench.send("GET", "v1.0/users", None).await;
    assert_eq!(refused.body["error"]["code"], "Authorization_RequestDenied");
}
