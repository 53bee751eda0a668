//! Every policy and location that others published goes the whole way: imported, laid out, validated,
//! applied to an embedded tenant, read back, planned again with nothing to do. `CAPOL_CORPUS_ONLY=NAME` takes the
//! repositories of that name alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use capol::apply::StepResult;
use capol::export::{self, Exported, Found, Options, Rejection};
use capol::graph::observe::Silent;
use capol::model::wire::decode;
use capol::model::{Kind, Target};
use capol::ops::connection::Environment;
use capol::ops::project::{self, Given};
use capol::ops::workspace::{Narrowing, Supervision, WorkError, Worker, Workspace};
use capol::sandbox::{Kind as Stored, Tenant};
use jiff::Timestamp;
use serde_json::json;

use crate::shared;

#[derive(Default)]
struct Count {
    accepted: usize,
    refused: BTreeMap<String, Vec<String>>,
    with_placeholders: usize,
    ignored: usize,
    rejected: BTreeMap<String, usize>,
    failures: Vec<String>,
}

/// The files of each published repository, which belong together: names and ids resolve among them.
fn repositories(corpus: &Path) -> Vec<(String, Vec<PathBuf>)> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in shared::files(corpus, "") {
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        if !matches!(ending.as_deref(), Some("json" | "yaml" | "yml")) {
            continue;
        }
        let repository = file
            .strip_prefix(corpus)
            .expect("below")
            .components()
            .next()
            .expect("a folder");
        let repository = repository.as_os_str().to_string_lossy().into_owned();
        if repository != "INDEX.md" {
            found.entry(repository).or_default().push(file);
        }
    }
    found.into_iter().collect()
}

fn worker() -> Worker {
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
    Worker {
        who: "test".into(),
        command: "apply".into(),
        now,
        now_is_said: true,
        clock: capol::apply::Clock::new(|| "2026-11-23T12:00:00Z".parse().expect("a time")),
        patience: capol::apply::Patience::default(),
        parallelism: 10,
        lock: true,
        lock_patience: Duration::ZERO,
    }
}

/// One repository's objects through the whole engine.
async fn walk(name: &str, files: &[PathBuf], count: &mut Count) {
    let bytes: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|file| (file.display().to_string(), std::fs::read(file).expect("readable")))
        .collect();
    let intake = export::read(&bytes);
    count.ignored += intake.ignored.len();
    for rejected in &intake.rejected {
        let code = miette::Diagnostic::code(&rejected.reason)
            .map(|code| code.to_string())
            .unwrap_or_default();
        *count.rejected.entry(code).or_default() += 1;
    }
    for (at, chunk) in intake.objects.chunks(100).enumerate() {
        walk_chunk(&format!("{name}#{at}"), chunk, &intake.names, count).await;
    }
    // Two versions of one object can't be in one tenant: the second version goes the way alone.
    let conflicts = intake
        .rejected
        .iter()
        .filter(|rejected| matches!(rejected.reason, Rejection::Conflict { .. }));
    let files: std::collections::BTreeSet<&str> = conflicts.map(|rejected| rejected.file.as_str()).collect();
    for (file, bytes) in bytes.iter().filter(|(file, _)| files.contains(file.as_str())) {
        let alone = export::read(&[(file, bytes)]);
        walk_chunk(file, &alone.objects, &intake.names, count).await;
    }
}

async fn walk_chunk(name: &str, objects: &[Found], names: &export::KnownNames, count: &mut Count) {
    let folder = tempfile::tempdir().expect("a folder");
    let exported: Vec<Exported> = objects.iter().map(Exported::from).collect();
    let written = export::export(&exported, names, &Options::default());
    for (file, text) in &written.files {
        std::fs::write(folder.path().join(file), text).expect("written");
    }
    count.with_placeholders += written.unset_variables.len();
    let stub = |n: usize| format!("5ab1e000-0000-4000-8000-{n:012}");
    let values: Vec<(String, Target)> = written
        .unset_variables
        .iter()
        .map(|unset| (unset.name.clone(), unset.target))
        .collect();
    let mut text = String::new();
    for (n, (name, _)) in values.iter().enumerate() {
        let _ = writeln!(text, "{name} = {:?}", stub(n));
    }
    std::fs::write(folder.path().join("capol.capolvars"), text).expect("written");

    let environment = Environment::new();
    let worker = worker();
    let loaded = project::load(folder.path(), &Given::default(), &environment, worker.now);
    for reported in loaded.diagnostics.reported(&loaded.sources) {
        if reported.diagnostic().severity == capol::lang::Severity::Error {
            count
                .failures
                .push(format!("{name}: {:?}", miette::Report::new(reported)));
        }
    }
    if loaded.diagnostics.has_errors() {
        return;
    }

    let mut tenant = Tenant::bare();
    // A context's id is the writer's choice: one that the files hold is made by the apply.
    let held: Vec<&str> = objects
        .iter()
        .filter(|found| found.kind == Kind::Context)
        .filter_map(|found| found.id.as_deref())
        .collect();
    let mut stubs: Vec<serde_json::Value> = objects.iter().map(|found| found.json.clone()).collect();
    for stub in &mut stubs {
        let path = "/conditions/applications/includeAuthenticationContextClassReferences";
        if let Some(contexts) = stub.pointer_mut(path).and_then(serde_json::Value::as_array_mut) {
            contexts.retain(|id| !held.contains(&id.as_str().unwrap_or_default()));
        }
    }
    tenant.stub_from(&stubs);
    named(&loaded.configuration, &mut tenant);
    for (n, (_, target)) in values.iter().enumerate() {
        let id = stub(n);
        let label = format!("Stub {n}");
        let (list, object) = match target {
            Target::User => (
                "users",
                json!({ "id": id, "displayName": label, "userPrincipalName": format!("stub{n}@contoso.com") }),
            ),
            Target::Group => (
                "groups",
                json!({ "id": id, "displayName": label, "securityEnabled": true }),
            ),
            Target::Location => (
                "namedLocations",
                json!({
                    "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": label, "isTrusted": false,
                    "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }],
                }),
            ),
            Target::Strength => (
                "authenticationStrengths",
                json!({ "id": id, "displayName": label, "allowedCombinations": ["fido2"] }),
            ),
            Target::Terms => ("agreements", json!({ "id": id, "displayName": label })),
            _ => (
                "servicePrincipals",
                json!({ "id": id, "appId": id, "displayName": label }),
            ),
        };
        let loaded = tenant.load_objects(&json!({ list: [object] }));
        assert!(loaded.is_ok(), "{target:?}: {loaded:?}");
    }
    let kept = folder.path().join(".capol");
    std::fs::create_dir_all(&kept).expect("a folder");
    tenant.save(&kept.join("sandbox.json")).expect("saved");

    let configuration = &loaded.configuration;
    let workspace = Workspace::of(folder.path(), configuration, None, true).expect("a workspace");
    let connection = workspace
        .connect(configuration, None, &environment, Arc::new(Silent))
        .await
        .expect("the embedded tenant");
    let guard = workspace.lock(&worker).await.expect("the lock");
    let mut excludes = Vec::new();
    let planned = loop {
        let narrowing = Narrowing {
            excludes: excludes.clone(),
            ..Narrowing::default()
        };
        match workspace.plan(&connection, &loaded, &narrowing, &worker).await {
            Ok(planned) => break planned,
            Err(WorkError::Refused(errors)) => {
                let mut new = 0;
                for error in &errors.0 {
                    let code = miette::Diagnostic::code(error)
                        .map(|code| code.to_string())
                        .unwrap_or_default();
                    let Some(address) = error.address.clone() else {
                        continue;
                    };
                    count
                        .refused
                        .entry(code)
                        .or_default()
                        .push(format!("{name} {address}: {error}"));
                    if !excludes.contains(&address) {
                        excludes.push(address);
                        new += 1;
                    }
                }
                if new == 0 {
                    count.failures.push(format!("{name}: {errors}"));
                    connection.close().await;
                    return;
                }
            }
            Err(error) => {
                count.failures.push(format!("{name}: {error}"));
                connection.close().await;
                return;
            }
        }
    };
    let stop = AtomicBool::new(false);
    let applied = workspace
        .apply(
            &connection,
            &guard,
            &planned,
            configuration,
            &worker,
            Supervision {
                fail_fast: false,
                events: &Silent,
                stop: &stop,
            },
        )
        .await
        .expect("an apply");
    let mut failed = Vec::new();
    for (step, result) in &applied.results {
        let address = planned
            .plan
            .step(*step)
            .map(|step| step.address.clone())
            .expect("a step");
        match result {
            StepResult::Done { .. } => {}
            StepResult::Failed { error } => {
                let rule: String = error.chars().take(60).collect();
                count
                    .refused
                    .entry(format!("service {rule}"))
                    .or_default()
                    .push(format!("{name} {address}: {error}"));
                failed.push(address);
            }
            other => failed.push({
                count.failures.push(format!("{name} {address}: {other:?}"));
                address
            }),
        }
    }
    for mismatch in &applied.mismatches {
        count.failures.push(format!(
            "{name} {}: {} did not land",
            mismatch.address, mismatch.wire
        ));
    }
    excludes.extend(failed);
    for (found, address) in objects.iter().zip(&written.addresses) {
        if found.has_identity && excludes.contains(address) {
            count.failures.push(format!(
                "{name} {address}: refused, but a real tenant stored it ({})",
                found.file
            ));
        }
    }

    // What was written is what the file says, property by property.
    let dump = Tenant::load(&kept.join("sandbox.json")).expect("kept");
    let Some(state) = capol::state::StateStore::load(&workspace.store)
        .await
        .expect("state")
    else {
        connection.close().await;
        return;
    };
    let state = state.document;
    for (found, address) in objects.iter().zip(&written.addresses) {
        if excludes.contains(address) {
            continue;
        }
        let Some(kept) = state.resources.get(&address.to_string()) else {
            count
                .failures
                .push(format!("{name} {address}: not in state ({})", found.file));
            continue;
        };
        let collection = match found.kind {
            Kind::Policy => Stored::Policies,
            Kind::Strength => Stored::AuthenticationStrengths,
            Kind::Context => Stored::AuthenticationContexts,
            Kind::Group => Stored::Groups,
            _ => Stored::NamedLocations,
        };
        let Some(stored) = dump.object(collection, &kept.id) else {
            count
                .failures
                .push(format!("{name} {address}: not in the tenant"));
            continue;
        };
        let stored = decode(found.kind, stored).expect("readable").object;
        for property in found.kind.properties() {
            let compared = property.access == capol::model::properties::Access::Written;
            let (wanted, landed) = (found.object.get(property.wire), stored.get(property.wire));
            if compared && wanted != landed && !refers(wanted) {
                count.failures.push(format!(
                    "{name} {address}: {} is {landed:?}, the file says {wanted:?}",
                    property.wire
                ));
            }
        }
        count.accepted += 1;
    }

    let narrowing = Narrowing {
        excludes,
        ..Narrowing::default()
    };
    match workspace.plan(&connection, &loaded, &narrowing, &worker).await {
        Ok(again) if again.plan.verdict.has_changes() => {
            let changes: Vec<String> = again
                .plan
                .changes
                .iter()
                .filter(|change| change.is_change())
                .map(|change| format!("{} {:?} {:?}", change.address, change.action, change.properties))
                .collect();
            count
                .failures
                .push(format!("{name}: the second plan has changes: {changes:?}"));
        }
        Ok(_) => {}
        Err(error) => count
            .failures
            .push(format!("{name}: the second plan is refused: {error}")),
    }
    connection.close().await;
}

/// Makes what the files call by name instead of by id.
fn named(configuration: &capol::model::configuration::Configuration, tenant: &mut Tenant) {
    let references = configuration
        .resources
        .values()
        .flat_map(|resource| resource.object.references());
    let lookups = references.filter_map(|(_, reference)| match reference {
        capol::model::Reference::Lookup(lookup) => Some(lookup.clone()),
        _ => None,
    });
    let distinct: std::collections::BTreeSet<_> = lookups.collect();
    for (n, lookup) in distinct.into_iter().enumerate() {
        let (id, name) = (format!("ca11ed00-0000-4000-8000-{n:012}"), &lookup.name);
        let (list, object) = match lookup.target {
            Target::User => (
                "users",
                json!({ "id": id, "displayName": name, "userPrincipalName": name }),
            ),
            Target::Group => (
                "groups",
                json!({ "id": id, "displayName": name, "securityEnabled": true }),
            ),
            Target::Terms => ("agreements", json!({ "id": id, "displayName": name })),
            Target::Location => (
                "namedLocations",
                json!({
                    "@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": id, "displayName": name,
                    "compliantNetworkType": "allTenantCompliantNetworks", "isTrusted": true,
                }),
            ),
            _ => (
                "servicePrincipals",
                json!({ "id": id, "appId": id, "displayName": name }),
            ),
        };
        let loaded = tenant.load_objects(&json!({ list: [object] }));
        assert!(loaded.is_ok(), "{lookup:?}: {loaded:?}");
    }
}

/// Whether the value names objects that the import manages itself, whose ids are new, or placeholders.
fn refers(value: Option<&capol::model::Value>) -> bool {
    value.is_some_and(|value| {
        value
            .references()
            .iter()
            .any(|reference| !matches!(reference, capol::model::Reference::Keyword(_)))
    })
}

#[test]
fn every_published_policy_goes_the_whole_way() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let only = std::env::var("CAPOL_CORPUS_ONLY").ok();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut count = Count::default();
    for (name, files) in repositories(&corpus) {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        runtime.block_on(walk(&name, &files, &mut count));
    }
    println!("accepted {} objects", count.accepted);
    println!("placeholders that became variables: {}", count.with_placeholders);
    println!("files that hold nothing of Conditional Access: {}", count.ignored);
    println!("rejected: {:?}", count.rejected);
    for (rule, objects) in &count.refused {
        println!("refused by {rule}: {}", objects.len());
        for object in objects.iter().take(3) {
            println!("    {object}");
        }
    }
    for failure in count.failures.iter().take(40) {
        println!("FAILED {failure}");
    }
    assert!(count.failures.is_empty(), "{} failures", count.failures.len());
    assert!(
        only.is_some() || count.accepted > 600,
        "only {} objects were accepted",
        count.accepted
    );
}
