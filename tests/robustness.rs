//! Whatever bytes come in, an answer comes out: no panic, no overflow of the stack, no endless work.

mod mutation;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::model::configuration::Configuration;
use capol::model::live::{Directory, LiveTenant};
use capol::model::state::Document;
use capol::model::{Kind, wire};
use capol::plan::{self, Plan, PlanOptions};
use capol::syntax::{self, FileId, SourceFile};
use capol::{export, report};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use mutation::{Spoiling, spoiled, spoiled_json};

/// Far beyond what any of these takes, even unoptimised on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn bounded(what: &str, input: &[u8], work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let took = start.elapsed();
    assert!(
        took < PATIENCE,
        "{what} took {took:?} over {} bytes: {}",
        input.len(),
        String::from_utf8_lossy(input)
    );
}

/// Text that people wrote: examples, and the cases of the other tests.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| files(&[".capol", ".capolvars"]));

/// JSON that people exported.
static EXPORTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut found = files(&[".json"]);
    found.push(
        b"{\"value\": [{\"displayName\": \"A\", \"state\": \"enabled\", \"conditions\": {}}]}".to_vec(),
    );
    found
});

/// At most this large, so that a mutation has a chance to hit something that matters.
const LARGEST_SEED: u64 = 20_000;

fn files(endings: &[&str]) -> Vec<Vec<u8>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples", "tests/cases"];
    let mut found = Vec::new();
    for folder in folders {
        for ending in endings {
            for file in crate::shared::files(&root.join(folder), ending) {
                if file.metadata().unwrap().len() <= LARGEST_SEED {
                    found.push(std::fs::read(file).unwrap());
                }
            }
        }
    }
    assert!(found.len() > 5, "there is nothing to spoil");
    found
}

/// A policy as Graph tells it, with something in most places.
fn policy() -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#policies/$entity",
        "id": "5ab1e000-0000-4000-8000-000000000001", "templateId": null, "displayName": "MFA",
        "createdDateTime": "2026-01-01T00:00:00.0000000Z", "modifiedDateTime": null, "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"], "userRiskLevels": ["high"], "insiderRiskLevels": "minor,elevated",
            "authenticationFlows": { "transferMethods": "deviceCodeFlow" },
            "users": {
                "includeUsers": ["All"], "excludeGroups": ["5ab1e000-0000-4000-8000-000000000002"],
                "excludeGuestsOrExternalUsers": {
                    "guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest",
                    "externalTenants": {
                        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
                        "membershipKind": "enumerated", "members": ["5ab1e000-0000-4000-8000-000000000003"]
                    }
                }
            },
            "applications": { "includeApplications": ["All"], "applicationFilter": { "mode": "exclude", "rule": "x" } },
            "platforms": { "includePlatforms": ["all"], "excludePlatforms": ["linux"] },
            "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] },
            "devices": { "deviceFilter": { "mode": "exclude", "rule": "device.isCompliant -eq True" } }
        },
        "grantControls": {
            "operator": "AND", "builtInControls": ["mfa", "compliantDevice"], "termsOfUse": [],
            "authenticationStrength": {
                "id": "00000000-0000-0000-0000-000000000004", "displayName": "Phishing-resistant MFA",
                "allowedCombinations": ["fido2"], "combinationConfigurations": []
            }
        },
        "sessionControls": {
            "signInFrequency": { "isEnabled": true, "value": 4, "type": "hours",
                "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased" },
            "persistentBrowser": { "isEnabled": true, "mode": "never" },
            "continuousAccessEvaluation": { "mode": "strictLocation" }
        }
    })
}

fn others() -> [(Kind, Value); 4] {
    [
        (
            Kind::IpLocation,
            json!({ "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "a", "displayName": "HQ", "isTrusted": true,
                "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }] }),
        ),
        (
            Kind::CountryLocation,
            json!({ "@odata.type": "#microsoft.graph.countryNamedLocation", "id": "b", "displayName": "Home",
                "countriesAndRegions": ["DK"], "includeUnknownCountriesAndRegions": false,
                "countryLookupMethod": "clientIpAddress" }),
        ),
        (
            Kind::Strength,
            json!({ "id": "c", "displayName": "Keys", "policyType": "custom", "allowedCombinations": ["fido2"],
                "combinationConfigurations": [{ "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
                    "appliesToCombinations": ["fido2"], "allowedAAGUIDs": ["5ab1e000-0000-4000-8000-000000000001"] }] }),
        ),
        (
            Kind::Context,
            json!({ "id": "c1", "displayName": "Sensitive", "description": "", "isAvailable": true }),
        ),
    ]
}

/// A saved plan of two objects.
static PLAN: LazyLock<Value> = LazyLock::new(|| {
    let text = r#"
        location "hq" {
          name      = "HQ"
          ip_ranges = ["203.0.113.0/24"]
        }
        policy "mfa" {
          name  = "MFA"
          state = report_only
          users { include = [all] }
          apps { include = [all] }
          locations {
            include = [all]
            exclude = [location.hq]
          }
          grant = mfa
        }
    "#;
    let project = lang::load(
        Arc::new(Memory::new([("main.capol", text)])),
        "".as_ref(),
        &Inputs::at(now()),
    );
    let (configuration, diagnostics): (Configuration, _) = lang::configuration(&project);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let live = LiveTenant {
        tenant_id: "5ab1e000-0000-4000-8000-000000000009".into(),
        complete: Kind::ALL.into_iter().collect(),
        ..LiveTenant::default()
    };
    let options = PlanOptions {
        sandbox: true,
        ..PlanOptions::new(now())
    };
    let plan = plan::plan(&configuration, &live, &Directory::default(), None, &options).unwrap();
    serde_json::from_str(&plan.to_json().unwrap()).unwrap()
});

fn state() -> Value {
    json!({
        "format_version": 1, "capol_version": "0.1.0", "lineage": "11111111-1111-1111-1111-111111111111", "serial": 7,
        "tenant_id": "22222222-2222-2222-2222-222222222222",
        "resources": {
            "location.hq": {
                "kind": "ip_location", "id": "aaaaaaaa-0000-0000-0000-000000000001", "api_version": "v1.0",
                "sent": { "displayName": "Head office" }, "answered": others()[0].1
            },
            "module.base.policy.legacy[\"a b\"]": {
                "kind": "policy", "id": "bbbbbbbb-0000-0000-0000-000000000002", "api_version": "beta",
                "answered": policy(), "created_by_import": true, "dependencies": ["location.hq"],
                "lifecycle": { "prevent_destroy": true, "reason": "why" }
            }
        },
        "outputs": { "hq": { "value": "x", "sensitive": true } }
    })
}

/// Reads text, lays it out, reads a project made of it, and shows what is wrong with it.
fn read_text(bytes: &[u8]) {
    bounded("reading a text", bytes, || {
        if let Ok(file) = SourceFile::from_bytes(FileId(0), "main.capol", bytes) {
            let parsed = syntax::parse(&file);
            if let Ok(laid_out) = syntax::format(&parsed) {
                let again = SourceFile::new(FileId(0), "main.capol", laid_out.as_str());
                let twice = syntax::format(&syntax::parse(&again)).expect("what was laid out can be read");
                assert_eq!(laid_out, twice, "laying out twice differs");
            }
        }
    });
    bounded("loading a project", bytes, || {
        let loader = Memory::new([])
            .with("main.capol", bytes)
            .with("capol.capolvars", bytes);
        let project = lang::load(Arc::new(loader), "".as_ref(), &Inputs::at(now()));
        let (_, diagnostics) = lang::configuration(&project);
        let findings: Vec<report::Finding> = diagnostics
            .reported(project.sources())
            .iter()
            .take(20)
            .map(|reported| report::Finding::of(reported))
            .collect();
        let canvas = report::Canvas {
            width: 80,
            color: false,
        };
        report::diagnostics_text(&findings, canvas, true);
    });
}

fn read_export(bytes: &[u8]) {
    bounded("reading an export", bytes, || {
        let intake = export::read(&[("export.json", bytes)]);
        let objects: Vec<export::Exported> = intake.objects.iter().map(export::Exported::from).collect();
        export::export(&objects, &intake.names, &export::Options::default());
    });
}

fn read_state(bytes: &[u8]) {
    bounded("reading a state", bytes, || {
        let strict = Document::parse(bytes);
        let shown = Document::parse_for_display(bytes);
        assert!(
            strict.is_err() || shown.is_ok(),
            "what can be written back can be shown"
        );
    });
}

fn read_plan(text: &str) {
    bounded("reading a plan", text.as_bytes(), || {
        if let Ok(plan) = Plan::from_json(text) {
            plan.to_json().expect("what was read can be written");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_text(&bytes);
        read_export(&bytes);
        read_state(&bytes);
        read_plan(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn words_of_the_language_in_any_order_are_answered(bytes in mutation::words()) {
        read_text(&bytes);
    }

    #[test]
    fn a_spoiled_project_is_answered(bytes in spoiled(&TEXTS)) {
        read_text(&bytes);
    }

    #[test]
    fn a_spoiled_export_is_answered(bytes in spoiled(&EXPORTS)) {
        read_export(&bytes);
    }

    #[test]
    fn a_spoiled_object_is_answered(seed in any::<Spoiling>()) {
        let objects = std::iter::once((Kind::Policy, policy())).chain(others());
        for (kind, json) in objects {
            let json = spoiled_json(&json, &seed);
            let bytes = json.to_string();
            bounded("decoding an object", bytes.as_bytes(), || {
                for kind in [kind, Kind::Policy] {
                    drop(wire::decode(kind, &json));
                }
            });
            read_export(bytes.as_bytes());
        }
    }

    #[test]
    fn a_spoiled_state_is_answered(seed in any::<Spoiling>(), bytes in spoiled(&[state().to_string().into_bytes()])) {
        read_state(spoiled_json(&state(), &seed).to_string().as_bytes());
        read_state(&bytes);
    }

    #[test]
    fn a_spoiled_plan_is_answered(seed in any::<Spoiling>(), bytes in spoiled(&[PLAN.to_string().into_bytes()])) {
        read_plan(&spoiled_json(&PLAN, &seed).to_string());
        read_plan(&String::from_utf8_lossy(&bytes));
    }
}

/// What nests far deeper than anyone writes, in each form that can nest.
#[test]
fn depth_is_answered_however_it_is_made() {
    let pairs = [
        ("[", "]"),
        ("{a=", "}"),
        ("(", ")"),
        ("f(", ")"),
        ("!", ""),
        ("-", ""),
        ("\"${", "}\""),
        ("a[", "]"),
        ("[for x in ", " : x]"),
        ("true ? 1 : ", ""),
        ("1 + ", ""),
        ("a.b.", ""),
        ("{ \"a\": ", "}"),
    ];
    for (open, close) in pairs {
        for (before, after) in [("locals {\n  x = ", "\n}\n"), ("", "")] {
            let text = format!("{before}{}1{}{after}", open.repeat(10_000), close.repeat(10_000));
            read_text(text.as_bytes());
            read_text(format!("{before}{}", open.repeat(10_000)).as_bytes());
            read_export(text.as_bytes());
            read_state(text.as_bytes());
            read_plan(&text);
        }
    }
    read_text("a {\n".repeat(10_000).as_bytes());
    read_text(format!("{}{}", "a {\n".repeat(10_000), "}\n".repeat(10_000)).as_bytes());
}
