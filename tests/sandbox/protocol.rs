//! Paging, batches, trouble on order, the file.

use capol::sandbox::Effect;
use capol::sandbox::Faults;
use capol::sandbox::Kind;
use capol::sandbox::RetryAfter;
use capol::sandbox::Rule;
use capol::sandbox::Sandbox;
use capol::sandbox::SandboxOptions;
use capol::sandbox::Tenant;
use capol::sandbox::When;
use serde_json::Value;
use serde_json::json;

use super::Bench;
use super::LOCATIONS;
use super::POLICIES;
use super::location;
use super::options;
use super::policy;

#[tokio::test]
async fn lists_come_in_pages_and_can_be_narrowed() {
    let bench = Bench::start(options()).await;
    bench.running.with_tenant(|tenant| tenant.settings.page_size = 2);
    for name in ["a", "b's", "c", "d", "e"] {
        bench.post(POLICIES, &policy(name)).await;
    }
    let (mut names, mut pages) = (Vec::new(), 0);
    let mut next = Some(format!("{POLICIES}?$select=displayName"));
    while let Some(path) = next {
        let page = bench.get(&path).await;
        pages += 1;
        names.extend(
            page["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["displayName"].as_str().unwrap().to_owned()),
        );
        assert!(page["value"][0].as_object().unwrap().len() == 1);
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!((names.join(" "), pages), ("a b's c d e".to_owned(), 3));
    let count = |body: Value| body["value"].as_array().unwrap().len();
    assert_eq!(
        count(
            bench
                .get(&format!("{POLICIES}?$filter=displayName eq 'b''s'"))
                .await
        ),
        1
    );
    assert_eq!(count(bench.get(&format!("{POLICIES}?$top=999")).await), 5);
    let counted = bench.get(&format!("{POLICIES}?$count=true&$skip=4")).await;
    assert_eq!(
        (
            counted["@odata.count"].as_u64(),
            counted["value"].as_array().unwrap().len()
        ),
        (Some(5), 1)
    );
    assert_eq!(
        bench
            .send("GET", &format!("{POLICIES}?$filter=nonsense"), None)
            .await
            .status,
        400
    );
    let unsupported = bench
        .send("GET", "v1.0/groups?$search=\"displayName:pilot\"", None)
        .await;
    assert_eq!(unsupported.body["error"]["code"], "Request_UnsupportedQuery");
}

#[tokio::test]
async fn a_batch_runs_its_steps_and_keeps_to_dependencies() {
    let bench = Bench::start(options()).await;
    let body = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/groups?$filter=displayName eq 'IT'&$select=id"},
        {"id": "2", "method": "GET", "url": "/users/nobody@contoso.com"},
        {"id": "3", "method": "GET", "url": "/users/ada@contoso.com", "dependsOn": ["2"]},
        {"id": "4", "method": "POST", "url": "/identity/conditionalAccess/policies",
         "headers": {"Content-Type": "application/json"}, "body": policy("batched")},
    ]});
    let answer = bench.send("POST", "v1.0/$batch", Some(&body)).await;
    let responses = answer.body["responses"].as_array().unwrap();
    let statuses: Vec<u64> = responses
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    assert_eq!((answer.status, statuses), (200, vec![200, 404, 424, 201]));
    assert_eq!(responses[0]["body"]["value"].as_array().unwrap().len(), 1);
    let log = bench.running.requests();
    assert_eq!(
        log.iter().filter(|one| one.batched).count(),
        3,
        "a step that was not run is not a request"
    );
    assert_eq!(log.iter().filter(|one| !one.batched).count(), 1);

    let many: Vec<Value> = (0..21)
        .map(|id| json!({"id": id.to_string(), "method": "GET", "url": "/groups"}))
        .collect();
    assert_eq!(
        bench
            .send("POST", "v1.0/$batch", Some(&json!({"requests": many})))
            .await
            .status,
        400
    );
    let twice = json!({"requests": [{"id": "a", "method": "GET", "url": "/groups"}, {"id": "A", "method": "GET", "url": "/groups"}]});
    assert_eq!(bench.send("POST", "v1.0/$batch", Some(&twice)).await.status, 400);
}

#[tokio::test]
async fn the_tenant_survives_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inner").join("sandbox.json");
    let kept = || SandboxOptions {
        path: Some(path.clone()),
        ..options()
    };
    let bench = Bench::start(kept()).await;
    bench.get(POLICIES).await;
    assert!(!path.exists(), "reading writes nothing");
    let made = bench.post(POLICIES, &policy("kept")).await;
    let gone = bench.post(POLICIES, &policy("gone")).await;
    bench
        .send(
            "DELETE",
            &format!("{POLICIES}/{}", gone["id"].as_str().unwrap()),
            None,
        )
        .await;
    bench
        .send(
            "PATCH",
            &format!("{POLICIES}/{}", made["id"].as_str().unwrap()),
            Some(&json!({"state": "enabled"})),
        )
        .await;
    // Nothing is written at the end: dropping the server is as good as losing it.
    let before = bench.running.with_tenant(|tenant| tenant.dump().unwrap());
    drop(bench);

    let bench = Bench::start(kept()).await;
    assert_eq!(bench.running.with_tenant(|tenant| tenant.dump().unwrap()), before);
    let again = bench.post(POLICIES, &policy("second")).await;
    assert!(again["id"] != made["id"] && again["id"] != gone["id"]);
    let listed = bench.get(POLICIES).await;
    let names: Vec<&str> = listed["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["displayName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["kept", "second"]);
    assert_eq!(listed["value"][0]["state"], "enabled");
    bench.running.shutdown().await;

    // A last line that was cut off was never confirmed, and a journal of another document is not applied.
    let journal = path.with_file_name("sandbox.json.journal");
    let mut text = std::fs::read_to_string(&journal).unwrap();
    let whole = Tenant::load(&path).unwrap().dump().unwrap();
    text.push_str("{\"counter\": 99");
    std::fs::write(&journal, &text).unwrap();
    assert_eq!(Tenant::load(&path).unwrap().dump().unwrap(), whole);
    let bench = Bench::start(kept()).await;
    bench.post(POLICIES, &policy("third")).await;
    assert_eq!(Tenant::load(&path).unwrap().objects(Kind::Policies).count(), 3);
    bench.running.shutdown().await;
    Tenant::contoso().save(&path).unwrap();
    std::fs::write(&journal, &text).unwrap();
    assert_eq!(
        Tenant::load(&path).unwrap().dump().unwrap(),
        Tenant::contoso().dump().unwrap()
    );

    std::fs::write(&path, "{").unwrap();
    assert!(Sandbox::start(kept()).await.is_err());
}

#[tokio::test]
async fn trouble_comes_as_ordered() {
    let bench = Bench::start(options()).await;
    let throttled = Effect::Throttle {
        retry_after: Some(RetryAfter::Seconds(7)),
    };
    bench
        .running
        .set_faults(Faults::none().with(Rule::new(When::Every(2), throttled).path("/policies")));
    assert_eq!(bench.send("GET", POLICIES, None).await.status, 200);
    let second = bench.send("GET", POLICIES, None).await;
    assert_eq!(
        (second.status, second.headers["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    assert_eq!(second.body["error"]["code"], "TooManyRequests");

    let lost = Effect::Drop { commit: true };
    bench
        .running
        .set_faults(Faults::none().with(Rule::new(When::Only(1), lost).method("POST")));
    assert!(
        bench
            .try_send("POST", POLICIES, Some(&policy("lost")))
            .await
            .is_err()
    );
    assert_eq!(
        bench.get(POLICIES).await["value"][0]["displayName"],
        "lost",
        "the work was done"
    );
    let log = bench.running.requests();
    assert!(log.iter().any(|one| one.method == "POST" && one.status == 0));

    let broken = Effect::Fail {
        status: 503,
        commit: false,
    };
    bench
        .running
        .set_faults(Faults::none().with(Rule::new(When::First(1), broken)));
    assert_eq!(
        bench.send("POST", POLICIES, Some(&policy("never"))).await.status,
        503
    );
    assert_eq!(bench.get(POLICIES).await["value"].as_array().unwrap().len(), 1);

    bench.running.set_faults(Faults::none().hiding_new_for(2));
    let made = bench.post(LOCATIONS, &location("slow")).await;
    let one = format!("{LOCATIONS}/{}", made["id"].as_str().unwrap());
    let statuses = [
        bench.send("GET", &one, None).await.status,
        bench.send("GET", &one, None).await.status,
        bench.send("GET", &one, None).await.status,
    ];
    assert_eq!(statuses, [404, 404, 200]);
    let mut early = policy("early");
    let slow = bench.post(LOCATIONS, &location("slower")).await;
    early["conditions"]["locations"] = json!({"includeLocations": [slow["id"]]});
    let refused = bench.send("POST", POLICIES, Some(&early)).await;
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("1040")
    );
    assert_eq!(bench.send("POST", POLICIES, Some(&early)).await.status, 400);
    assert_eq!(bench.send("POST", POLICIES, Some(&early)).await.status, 201);
}

#[test]
fn a_tenant_that_changes_for_long_keeps_short_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let kept = SandboxOptions {
        path: Some(path.clone()),
        ..options()
    };
    let tenant = Sandbox::in_memory(kept).unwrap();
    let headers = [
        (
            "authorization".to_owned(),
            format!("Bearer {}", tenant.access_token()),
        ),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    let send = |method: &str, url: &str, body: &Value| {
        let reply = tenant.answer(
            method,
            &format!("/{url}"),
            &headers,
            Some(body.to_string().as_bytes()),
        );
        serde_json::from_slice::<Value>(&reply.body).unwrap_or_default()
    };
    let mut wide = policy("often changed");
    wide["conditions"]["users"]["excludeUsers"] = Value::Array(
        (0..200)
            .map(|number| json!(format!("00000000-0000-4000-8000-{number:012}")))
            .collect(),
    );
    let made = send("POST", POLICIES, &wide);
    let one = format!("{POLICIES}/{}", made["id"].as_str().unwrap());
    let journal = path.with_file_name("sandbox.json.journal");
    let length = || journal.metadata().map_or(0, |file| file.len());
    let mut longest = 0;
    for round in 0..700 {
        send("PATCH", &one, &json!({"displayName": format!("round {round}")}));
        longest = longest.max(length());
    }
    assert!(longest > 3_000_000, "the journal was not long: {longest}");
    assert!(length() < longest, "it was never folded");
    let whole = tenant.with_tenant(|tenant| tenant.dump().unwrap());
    assert_eq!(Tenant::load(&path).unwrap().dump().unwrap(), whole);
}
