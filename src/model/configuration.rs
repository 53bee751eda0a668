//! What the engineer wants: the configuration after names, types, modules and `for_each` are done.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::expectation::Expectation;
use super::few::Few;
use super::gap::Acceptance;
use super::rollout::Rollout;
use super::{Address, Lookup, Object, Origin, Reference};

/// A whole evaluated configuration for one tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configuration {
    /// Everything that shall exist.
    pub resources: BTreeMap<Address, Resource>,
    /// The accounts and groups that no policy may catch.
    pub emergency_access: Option<EmergencyAccess>,
    /// The `capol` block.
    pub settings: Settings,
    /// The `tenant` blocks, by label.
    pub tenants: BTreeMap<String, TenantSettings>,
    /// The `import` blocks.
    pub imports: Vec<Import>,
    /// The `moved` blocks.
    pub moves: Vec<Move>,
    /// The `removed` blocks.
    pub removals: Vec<Removal>,
    /// The root module's outputs.
    pub outputs: BTreeMap<String, Output>,
    /// The `scenario` and `invariant` blocks.
    pub expectations: Vec<Expectation>,
    /// The `accept` blocks.
    pub accepted: Vec<Acceptance>,
    /// The `rollout` blocks. What a plan is made from has none: there each policy is as its wave has it.
    pub rollouts: BTreeMap<Address, Rollout>,
    /// Blocks that are understood but not yet carried out, so that no plan ignores them.
    pub deferred: Vec<Deferred>,
}

/// One object that shall exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its address.
    pub address: Address,
    /// What it shall be.
    pub object: Object,
    /// The head of its block.
    pub origin: Origin,
    /// Where each property was written, by wire path.
    pub origins: Few<&'static str, Origin>,
    /// Where each reference was written.
    pub reference_origins: Vec<(Reference, Origin)>,
    /// What must exist before it, beyond what it refers to.
    pub depends_on: Vec<Address>,
    /// Its `lifecycle` block.
    pub lifecycle: Lifecycle,
    /// Why the policy catches the emergency accounts all the same: `emergency_access = include("why")`.
    pub includes_emergency_access: Option<String>,
}

/// `lifecycle { … }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Refuse every plan that would delete the object.
    pub prevent_destroy: bool,
    /// Properties whose live value is left alone, by wire path.
    pub ignore_changes: Vec<String>,
    /// Why.
    pub reason: Option<String>,
}

/// `emergency_access { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyAccess {
    /// The accounts.
    pub users: Vec<Reference>,
    /// The groups that hold such accounts.
    pub groups: Vec<Reference>,
    /// The block.
    pub origin: Origin,
    /// Where each reference was written.
    pub reference_origins: Vec<(Reference, Origin)>,
}

/// `capol { … }`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The versions of capol that may work on this project.
    pub required_version: Option<String>,
    /// Why there are no emergency accounts: `emergency_access = none("why")`.
    pub no_emergency_access: Option<String>,
    /// Seconds for which the service may hide a fresh object.
    pub visibility_lag_seconds: Option<u64>,
}

/// `tenant "NAME" { … }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantSettings {
    /// Tenant id or verified domain.
    pub id: Option<String>,
    /// `global`, `usgov`, `usgov_dod` or `china`.
    pub cloud: Option<String>,
    /// How to sign in: `cli`, `device_code`, `secret`, `certificate`, `workload_identity`, `managed_identity`.
    pub sign_in: Option<String>,
    /// The application (client) id to sign in as.
    pub client_id: Option<String>,
    /// The block.
    pub origin: Option<Origin>,
}

/// `import { to = …, id = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The address that shall own the object.
    pub to: Address,
    /// Its id in Graph.
    pub id: String,
    /// The block.
    pub origin: Origin,
}

/// `moved { from = …, to = … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The old address.
    pub from: Address,
    /// The new address.
    pub to: Address,
    /// The block.
    pub origin: Origin,
}

/// `removed { from = … }`: let go without deleting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The address to forget.
    pub from: Address,
    /// The block.
    pub origin: Origin,
}

/// `output "NAME" { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The value; where an id goes that only the tenant knows it is `null`.
    pub value: Json,
    /// Those places, as JSON pointers, and whose ids they are.
    pub ids: Vec<(String, IdOf)>,
    /// Whether it is hidden from people.
    pub sensitive: bool,
}

/// Whose id an output gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdOf {
    /// That of an object of this configuration.
    Block(Address),
    /// That of an object that is looked up.
    Lookup(Lookup),
}

/// A block that a later version of the engine carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The block type: `contingency`, `exception`, `notify`.
    pub kind: String,
    /// Its address.
    pub address: Address,
    /// The head of the block.
    pub origin: Origin,
}
