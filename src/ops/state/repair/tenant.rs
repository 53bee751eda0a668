//! What only the tenant can tell: which live object each block of the configuration stands for.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::binding::{Binder, Bindings, Hint};
use super::{Candidate, Evidence, Left, Repair, WhyLeft};
use crate::graph::Found;
use crate::model::configuration::{Configuration, Resource};
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, Lifecycle, ResourceState};
use crate::model::{Address, Kind, Lookup, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::import::{addresses, adopted, key};
use crate::ops::refresh::whole_tenant;
use crate::ops::state::name_of;
use crate::ops::workspace::{WorkError, Worker, Workspace};
use crate::plan::moved_to;
use crate::state::StateError;

/// How often the tenant is read when it does not show something that the configuration names.
const LOOKS: u32 = 3;

impl Repair {
    /// Binds what the configuration names and the state would not hold to what the tenant holds, where it is certain
    /// which object that is. Called under the lock; nothing is written.
    pub async fn look_in_tenant(
        &mut self,
        workspace: &Workspace,
        connection: &Connection,
        configuration: &Configuration,
        worker: &Worker,
    ) -> Result<(), WorkError> {
        self.check_tenant(&connection.tenant_id)?;
        let mut document = self.begun(&connection.tenant_id);
        self.leave_without_block(&mut document, configuration);
        let hints = self.hints(&document, configuration);
        let open: BTreeSet<Address> = self
            .open
            .iter()
            .filter_map(|text| follow(configuration, text))
            .collect();
        let held: BTreeSet<Address> = document
            .resources
            .keys()
            .filter_map(|text| follow(configuration, text))
            .collect();
        let unbound: BTreeMap<&Address, &Resource> = configuration
            .resources
            .iter()
            .filter(|(address, _)| !held.contains(*address))
            .collect();
        let taken: BTreeSet<(&'static str, String)> = document.resources.values().map(object).collect();
        let looking = workspace.looking(worker, configuration);
        let mut attempt = 1;
        loop {
            let live = read(connection, &unbound, &hints).await?;
            let binder = Binder {
                unbound: unbound.clone(),
                live: &live,
                hints: &hints,
                taken: taken.clone(),
                open: &open,
            };
            let found = binder.bind();
            let is_missing = |left: &Left| matches!(left.why, WhyLeft::NotFound | WhyLeft::Gone);
            // The list may be an old one. A service without lag gives no old answers.
            let is_last = looking.visibility_lag.is_zero() || attempt >= LOOKS.min(looking.patience.attempts);
            if is_last || !found.left.iter().any(is_missing) {
                self.take(found, &mut document, configuration);
                break;
            }
            tokio::time::sleep(looking.patience.wait(attempt)).await;
            attempt += 1;
        }
        let is_something = self.document.is_some() || self.is_broken() || !document.resources.is_empty();
        self.document = is_something.then_some(document);
        self.tell();
        Ok(())
    }

    /// Refuses when anything that is left tells of another tenant.
    fn check_tenant(&self, tenant_id: &str) -> Result<(), StateError> {
        let remains = self.wreck.iter().flat_map(|wreck| &wreck.remains);
        let told = remains.filter_map(|left| left.tenant_id.as_ref());
        for tenant in told.chain(self.document.iter().map(|document| &document.tenant_id)) {
            Document::new(Uuid::nil(), tenant).for_tenant(tenant_id)?;
        }
        Ok(())
    }

    /// The document so far; a new one of the same history where nothing could be read.
    fn begun(&self, tenant_id: &str) -> Document {
        let remains = || self.wreck.iter().flat_map(|wreck| &wreck.remains);
        let lineage = remains().find_map(|left| left.lineage);
        let serial = remains().filter_map(|left| left.serial).max();
        self.document.clone().unwrap_or_else(|| Document {
            serial: serial.unwrap_or(0),
            ..Document::new(lineage.unwrap_or_else(Uuid::new_v4), tenant_id)
        })
    }

    /// Without a whole version nobody knows whether an object without a block was let go or is to be deleted: so it
    /// is let go.
    fn leave_without_block(&mut self, document: &mut Document, configuration: &Configuration) {
        let Some(wreck) = self.wreck.as_ref().filter(|wreck| wreck.newest.is_none()) else {
            return;
        };
        let has_block = |text: &str| {
            follow(configuration, text).is_some_and(|address| configuration.resources.contains_key(&address))
        };
        let mut left: BTreeMap<String, (String, String)> = BTreeMap::new();
        document.resources.retain(|address, resource| {
            let keep = has_block(address);
            if !keep {
                left.insert(address.clone(), (resource.id.clone(), name_of(resource)));
            }
            keep
        });
        let ids = wreck.remains.iter().flat_map(|remains| &remains.ids);
        for (address, id) in ids.filter(|(address, _)| !has_block(address)) {
            left.entry(address.clone())
                .or_insert_with(|| (id.clone(), String::new()));
        }
        self.report
            .left_out
            .extend(left.into_iter().map(|(address, (id, name))| Left {
                address,
                name: name.clone(),
                why: WhyLeft::NoBlock,
                candidates: vec![Candidate { id, name }],
            }));
    }

    /// The ids that damaged versions still hold and that the configuration names, the newest first.
    fn hints(&self, document: &Document, configuration: &Configuration) -> BTreeMap<Address, Hint> {
        let remains = self.wreck.iter().flat_map(|wreck| &wreck.remains);
        let kept = remains
            .flat_map(|left| &left.ids)
            .filter_map(|(text, id)| Some((follow(configuration, text)?, id, Evidence::History)));
        let written = configuration.imports.iter();
        let written = written.map(|import| (import.to.clone(), &import.id, Evidence::Configuration));
        let mut known: BTreeSet<String> = document.resources.values().map(|held| object(held).1).collect();
        let mut hints = BTreeMap::new();
        for (address, id, evidence) in kept.chain(written) {
            let id = id.to_ascii_lowercase();
            if !hints.contains_key(&address) && known.insert(id.clone()) {
                hints.insert(address, Hint { id, evidence });
            }
        }
        hints
    }

    fn take(&mut self, found: Bindings<'_>, document: &mut Document, configuration: &Configuration) {
        let mut known = addresses(Some(document));
        for (address, object, _) in &found.bound {
            known.extend(key(object).map(|key| (key, address.to_string())));
        }
        for (address, object, evidence) in found.bound {
            let guard = configuration
                .resources
                .get(address)
                .map(|resource| &resource.lifecycle);
            let resource = ResourceState {
                lifecycle: guard.map_or_else(Lifecycle::default, |guard| Lifecycle {
                    prevent_destroy: guard.prevent_destroy,
                    reason: guard.reason.clone().filter(|_| guard.prevent_destroy),
                }),
                ..adopted(object, &known)
            };
            document.resources.insert(address.to_string(), resource);
            self.evidence.insert(address.to_string(), evidence);
        }
        self.report.left_out.extend(found.left);
    }
}

/// The address that `moved` blocks give an address of state.
fn follow(configuration: &Configuration, text: &str) -> Option<Address> {
    let address: Address = text.parse().ok()?;
    Some(moved_to(configuration, &address))
}

fn object(resource: &ResourceState) -> (&'static str, String) {
    (resource.kind.block(), resource.id.to_ascii_lowercase())
}

/// The tenant, and of its groups those that the blocks may stand for.
async fn read(
    connection: &Connection,
    unbound: &BTreeMap<&Address, &Resource>,
    hints: &BTreeMap<Address, Hint>,
) -> Result<LiveTenant, OpsError> {
    let (mut live, _) = whole_tenant(connection).await?;
    let mut ids: Vec<String> = Vec::new();
    let mut lookups = BTreeSet::new();
    for (address, resource) in unbound {
        if resource.object.kind == Kind::Group {
            ids.extend(hints.get(*address).map(|hint| hint.id.clone()));
            lookups.insert(Lookup {
                target: Target::Group,
                name: resource.object.name().to_owned(),
            });
        }
    }
    if lookups.is_empty() {
        return Ok(live);
    }
    for found in connection.graph.look_up(&lookups, None).await?.into_values() {
        match found {
            Found::One(group) => ids.push(group.id),
            Found::Several(groups) => ids.extend(groups.into_iter().map(|group| group.id)),
            Found::Nothing => {}
        }
    }
    let groups = connection.graph.objects_by_id(&ids, &["group"]).await?;
    for json in groups.into_values() {
        live.objects
            .push(LiveObject::read(Kind::Group, json, ApiVersion::V1)?);
    }
    Ok(live)
}
