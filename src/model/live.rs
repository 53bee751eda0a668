//! The live tenant as a plan sees it: objects, licences, and what the directory answered.
//!
//! Plain values; whoever reads the tenant fills them in. A kind that was not read is left out of
//! [`LiveTenant::complete`], so that "not read" is never taken for "not there".

mod index;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

pub use self::index::LiveIndex;
pub use self::people::{Holders, People, Watched};
use super::object::{Kind, Object};
use super::properties::{self, ApiVersion};
use super::reference::{Lookup, Reference, Target};
use super::state::{self, Json as JsonText};
use super::wire::{self, WireError};

/// The tenant at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveTenant {
    /// The tenant id, a GUID.
    pub tenant_id: String,
    /// What people call the organisation.
    pub display_name: String,
    /// The verified domains.
    pub verified_domains: Vec<String>,
    /// Policies, locations, strengths, contexts, and the groups that capol owns or is asked to adopt.
    pub objects: Vec<LiveObject>,
    /// The kinds of which `objects` holds every one. For groups: every one that was asked for.
    pub complete: BTreeSet<Kind>,
    /// Which licences the tenant has.
    pub licences: Licences,
    /// Whether security defaults are on; `None` when that could not be read.
    pub security_defaults_enabled: Option<bool>,
    /// Who the writes would be made as.
    pub signed_in: Option<SignedIn>,
    /// Policies and locations that were deleted and can come back with their ids; `None` when that was not read,
    /// because nothing is missing or nobody may.
    pub deleted: Option<Vec<LiveObject>>,
    /// In which groups and roles those are whom the guards are about.
    pub people: People,
}

/// Which licences a tenant has; `None` is not known, and never refuses anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Licences {
    /// Entra ID P1: Conditional Access at all.
    pub p1: Option<bool>,
    /// Entra ID P2: risk conditions.
    pub p2: Option<bool>,
    /// Workload Identities Premium: policies on service principals.
    pub workload_identities: Option<bool>,
}

/// The identity that a run is signed in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Whether it is a user or an application.
    pub kind: SignedInKind,
    /// Its object id in the directory.
    pub object_id: String,
    /// What people call it.
    pub name: String,
}

/// What kind of identity is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedInKind {
    /// A person.
    User,
    /// A service principal.
    Application,
}

/// One object of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    /// The kind.
    pub kind: Kind,
    /// The id, GUIDs in lower case.
    pub id: String,
    /// What the property table understands of it.
    pub object: Object,
    /// The object as the service gave it; a group's `members` are ids.
    pub json: JsonText,
    /// SHA-256 of what it says, whatever the order in which the service says it.
    pub digest: String,
    /// The version of Graph that it was read with.
    pub version: ApiVersion,
    /// Members that the property table does not know; null when there are none.
    pub unknown: Json,
    /// When it was last changed, as the service wrote it.
    pub modified_date_time: Option<String>,
    /// Whether Microsoft manages it, so that only its state and exclusions may be changed.
    pub managed_by_microsoft: bool,
    built_in: bool,
    has_members: bool,
    /// What people call an object whose name nobody can write, so that the property table leaves it out.
    fixed_name: Option<String>,
}

/// The start of the name of every policy that Microsoft manages; such policies can't be renamed (`FACTS` 5.2).
const MICROSOFT_MANAGED: &str = "Microsoft-managed:";

impl LiveObject {
    /// Reads an object as Graph gives it.
    ///
    /// Errors when it has no id, or when a member that the property table knows is of another type.
    pub fn read(kind: Kind, json: Json, version: ApiVersion) -> Result<Self, WireError> {
        let json = with_member_ids(kind, json);
        let decoded = wire::decode(kind, &json)?;
        let id = decoded.id.ok_or_else(|| WireError {
            path: "id".into(),
            problem: "is missing".into(),
        })?;
        Ok(Self {
            kind,
            id: id.to_ascii_lowercase(),
            modified_date_time: json
                .get("modifiedDateTime")
                .and_then(Json::as_str)
                .map(str::to_owned),
            managed_by_microsoft: kind == Kind::Policy
                && decoded.object.name().starts_with(MICROSOFT_MANAGED),
            built_in: kind == Kind::CompliantNetworkLocation
                || json.get("policyType").and_then(Json::as_str) == Some("builtIn"),
            has_members: json.get(wire::members_path()).is_some_and(Json::is_array),
            fixed_name: json
                .get("displayName")
                .and_then(Json::as_str)
                .filter(|_| decoded.object.name().is_empty())
                .map(str::to_owned),
            digest: digest(&json),
            json: JsonText::of(&json),
            object: decoded.object,
            version,
            unknown: decoded.unknown,
        })
    }

    /// Reads a named location, of whichever kind it is.
    ///
    /// `None` for a kind that capol does not know (service tags, private links): such locations are left alone.
    pub fn read_location(json: Json, version: ApiVersion) -> Result<Option<Self>, WireError> {
        match wire::location_kind(&json) {
            Some(kind) => Self::read(kind, json, version).map(Some),
            None => Ok(None),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        match self.object.name() {
            "" => self.fixed_name.as_deref().unwrap_or(&self.id),
            name => name,
        }
    }

    /// Whether the service made it, so that nobody can change or delete it.
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// Whether the members of a group were read too.
    pub fn has_members(&self) -> bool {
        self.has_members
    }
}

/// SHA-256 of what an object says, whatever the order in which the service says it.
///
/// A strength that comes expanded inside a policy counts by its id: its content is its own.
fn digest(json: &Json) -> String {
    let mut json = wire::pruned(json);
    if let Some(strength) = json.pointer_mut("/grantControls/authenticationStrength") {
        *strength = strength.get("id").cloned().unwrap_or_default();
    }
    state::digest(wire::canonical_text(&json).as_bytes())
}

/// Graph lists members as objects; what counts is their ids.
fn with_member_ids(kind: Kind, mut json: Json) -> Json {
    if kind == Kind::Group
        && let Some(Json::Array(members)) = json.get_mut(wire::members_path())
    {
        for member in members {
            if let Some(id) = member.get("id").and_then(Json::as_str) {
                *member = Json::String(id.to_owned());
            }
        }
    }
    json
}

impl LiveTenant {
    /// The object of that id that a reference to `target` could mean, or the policy when there is no target.
    pub fn find(&self, target: Option<Target>, id: &str) -> Option<&LiveObject> {
        self.objects
            .iter()
            .find(|object| object.kind.target() == target && object.id.eq_ignore_ascii_case(id))
    }

    /// The object of that id in the block type of `kind`: a location is found whichever kind it has become.
    pub fn of_block(&self, block: &str, id: &str) -> Option<&LiveObject> {
        self.objects
            .iter()
            .find(|object| object.kind.block() == block && object.id.eq_ignore_ascii_case(id))
    }

    /// Every object of this block type.
    pub fn all_of_block<'a>(&'a self, block: &'a str) -> impl Iterator<Item = &'a LiveObject> {
        self.objects
            .iter()
            .filter(move |object| object.kind.block() == block)
    }

    /// Whether every object of this block type was read.
    pub fn is_complete(&self, block: &str) -> bool {
        Kind::ALL
            .iter()
            .filter(|kind| kind.block() == block && **kind != Kind::CompliantNetworkLocation)
            .all(|kind| self.complete.contains(kind))
    }

    /// The live policies, in the order of the service.
    pub fn policies(&self) -> impl Iterator<Item = &LiveObject> {
        self.objects.iter().filter(|object| object.kind == Kind::Policy)
    }

    /// The compliant network location, if the service made one (`FACTS` 3).
    pub fn compliant_network(&self) -> Option<&LiveObject> {
        self.objects.iter().find(|object| {
            object.kind == Kind::CompliantNetworkLocation || object.name() == properties::COMPLIANT_NETWORK
        })
    }
}

/// What the directory answered to the look-ups of a configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    /// An answer to each look-up by name, other than those that the tenant's own objects answer.
    pub answers: BTreeMap<Lookup, Answer>,
    /// What people call the objects behind ids, by id in lower case.
    pub names: BTreeMap<String, String>,
    /// Ids in lower case that were asked for and that nothing in the directory has.
    pub missing_ids: BTreeSet<String>,
}

/// The answer to one look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Exactly one object.
    Found(Candidate),
    /// None; these are called nearly that.
    Missing(Vec<Candidate>),
    /// These are all called that.
    Ambiguous(Vec<Candidate>),
}

/// An object that a look-up could mean.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The id that a policy would carry.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What tells it from another of the same name; may be empty.
    pub detail: String,
}

impl Candidate {
    /// A candidate without further detail.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            detail: String::new(),
        }
    }
}

impl Answer {
    /// The reference that the answer stands for, when there is exactly one.
    pub fn reference(&self, target: Target) -> Option<Reference> {
        match self {
            Self::Found(candidate) => Some(Reference::id(target, &candidate.id)),
            Self::Missing(_) | Self::Ambiguous(_) => None,
        }
    }
}
