//! The whole tenant, of any kind.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use capol::export;
use capol::ops::files;
use capol::ops::import::{Adoption, Imported};
use capol::ops::project::{self, Given};
use capol::ops::workspace::{WorkError, Workspace};
use capol::sandbox::{Kind, Tenant};
use capol::state::LocalFile;
use capol::syntax::{FileId, SourceFile, format, parse};
use proptest::prelude::*;
use serde_json::json;

use super::tenants::tenant;
use crate::shared;
use crate::world::World;

/// A project without a line, in front of a tenant.
pub(super) async fn empty_project(tenant: Tenant) -> World {
    let world = World::of(tenant).await;
    std::fs::remove_file(world.path("settings.capol")).unwrap();
    world
}

/// `capol import --all`
pub(super) async fn import_all(world: &World, pin_ids: bool) -> Result<Imported, WorkError> {
    let now = world.worker("import").now;
    let loaded = project::load_or_new(world.folder.path(), &Given::default(), &BTreeMap::default(), now);
    let mut workspace = Workspace::of(world.folder.path(), &loaded.configuration, None, false).unwrap();
    workspace.store = LocalFile::with_files(workspace.store.place().clone(), world.files.clone());
    let worker = world.worker("import");
    let guard = workspace.lock(&worker).await?;
    let connection = world.connect().await;
    let adoption = Adoption {
        connection: &connection,
        project: &loaded,
        store: &workspace.store,
        guard: &guard,
        worker: &worker,
        out: world.folder.path(),
        pin_ids,
    };
    adoption.everything().await
}

/// Everything that somebody made is managed, the text is laid out, and there is nothing to do.
pub(super) async fn is_under_code(world: &World) {
    let state = world.state().await;
    let managed: BTreeSet<&str> = state.resources.values().map(|kept| kept.id.as_str()).collect();
    for kind in [
        Kind::Policies,
        Kind::NamedLocations,
        Kind::AuthenticationStrengths,
        Kind::AuthenticationContexts,
    ] {
        for object in world.objects(kind) {
            let built_in = object["policyType"] == json!("builtIn");
            assert!(
                built_in || managed.contains(object["id"].as_str().unwrap()),
                "{object:#}"
            );
        }
    }
    for path in shared::files(world.folder.path(), ".capol") {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = parse(&SourceFile::new(FileId(0), "text", text.as_str()));
        assert_eq!(format(&parsed).unwrap(), text);
    }
    world.nothing_to_do(Location::caller()).await;
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn any_tenant_comes_under_code_and_the_next_plan_is_empty(extra in tenant(8), pin_ids: bool) {
        block_on(async {
            let world = empty_project(extra.tenant()).await;
            let imported = import_all(&world, pin_ids).await.unwrap();
            assert!(imported.left_out.is_empty(), "{:?}", imported.left_out);
            assert!(world.writes().is_empty());
            is_under_code(&world).await;
            let again = import_all(&world, pin_ids).await.unwrap();
            assert!(again.files.is_empty() && again.addresses.is_empty(), "{again:?}");
        });
    }

    #[test]
    fn what_the_portal_adds_later_joins_what_is_managed_already(
        before in tenant(3),
        after in tenant(3),
        pin_ids: bool,
    ) {
        block_on(async {
            let world = empty_project(before.tenant()).await;
            import_all(&world, pin_ids).await.unwrap();
            // The same ids are the same objects, changed; all others are new.
            world.sandbox.with_tenant(|tenant| {
                for kind in [Kind::Users, Kind::Groups, Kind::ServicePrincipals, Kind::NamedLocations, Kind::Policies] {
                    for object in after.tenant().objects(kind) {
                        let id = object["id"].as_str().unwrap();
                        if tenant.object(kind, id).is_none() {
                            tenant.insert(kind, object.clone());
                        }
                    }
                }
            });
            let managed = world.state().await.resources.len();
            match import_all(&world, pin_ids).await {
                Ok(_) => {}
                Err(error) => panic!("{error:?}"),
            }
            assert!(world.state().await.resources.len() >= managed);
            // A name that was one object's may be several's by now: then the plan asks which, and writes nothing.
            if let Ok(plan) = world.plan().await {
                assert!(!plan.verdict.has_changes(), "{:#?}", plan.changes);
            } else {
                assert!(!pin_ids, "pinned ids ask nothing");
            }
        });
    }
}

#[tokio::test]
async fn two_hundred_and_forty_policies_come_under_code() {
    let mut world = Tenant::contoso();
    for number in 0..240_u32 {
        world.insert(
            Kind::Policies,
            json!({"id": format!("{number:08x}-0000-4000-8000-000000000000"),
                "displayName": format!("CA{number:03} {} policy", ["Admins", "Guests", "Staff"][number as usize % 3]),
                "state": "enabled",
                "conditions": {"users": {"includeUsers": ["All"]}, "clientAppTypes": ["all"],
                    "applications": {"includeApplications": ["All"]}},
                "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}, "sessionControls": null}),
        );
    }
    let world = empty_project(world).await;
    let imported = import_all(&world, false).await.unwrap();
    assert_eq!(imported.addresses.len(), 243);
    is_under_code(&world).await;
}

/// Whether a published policy has ids where ids belong; templates have words there, which no tenant holds.
fn could_be_stored(policy: &serde_json::Value) -> bool {
    let lists = ["include", "exclude"].into_iter().flat_map(|way| {
        [
            "users/{}Users",
            "users/{}Groups",
            "users/{}Roles",
            "applications/{}Applications",
            "locations/{}Locations",
        ]
        .map(|place| format!("/conditions/{}", place.replace("{}", way)))
    });
    let ids = lists
        .filter_map(|place| policy.pointer(&place)?.as_array())
        .flatten()
        .filter_map(|id| id.as_str());
    let words = [
        "All",
        "None",
        "AllTrusted",
        "GuestsOrExternalUsers",
        "Office365",
        "MicrosoftAdminPortals",
        "AllAgentIdUsers",
        "AllAgentIdResources",
    ];
    let strength = policy.pointer("/grantControls/authenticationStrength/id");
    ids.chain(strength.and_then(serde_json::Value::as_str))
        .all(|id| words.contains(&id) || uuid::Uuid::parse_str(id).is_ok())
        && policy.get("conditions").is_some_and(serde_json::Value::is_object)
}

#[tokio::test]
async fn published_policies_loaded_as_a_tenant_come_under_code() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let mut count = 0;
    for repository in std::fs::read_dir(&corpus).unwrap() {
        let paths = [repository.unwrap().path()];
        let found: Vec<serde_json::Value> = export::read(&files::below(&paths, &["json"]).unwrap())
            .objects
            .into_iter()
            .map(|found| found.json)
            .collect();
        let mut tenant = Tenant::contoso();
        tenant.stub_from(&found);
        let policies = found.iter().filter(|json| could_be_stored(json));
        let mut held = 0;
        for (number, policy) in policies.enumerate() {
            let mut policy = policy.clone();
            policy["id"] = json!(format!("{number:08x}-0000-4000-8000-000000000001"));
            tenant.insert(Kind::Policies, policy);
            held += 1;
        }
        let world = empty_project(tenant).await;
        let imported = import_all(&world, false).await.unwrap();
        for left in &imported.left_out {
            println!("{left}");
        }
        count += held;
        world.nothing_to_do(Location::caller()).await;
    }
    println!("{count} policies");
}
