//! A snapshot as the objects that a plan compares with.

use super::cloud::Version;
use super::snapshot::{PolicyVersions, Snapshot, SnapshotOptions};
use crate::model::Kind;
use crate::model::live::LiveObject;
use crate::model::properties::ApiVersion;
use crate::model::wire::{WireError, members_path};
use serde_json::Value;
use std::collections::BTreeSet;

impl Snapshot {
    /// Every object of the snapshot that capol can manage. Errors on the first that can't be read.
    pub fn objects(&self) -> Result<Vec<LiveObject>, WireError> {
        self.clone().into_objects()
    }

    /// The same, without a copy.
    pub fn into_objects(self) -> Result<Vec<LiveObject>, WireError> {
        let mut objects = self.policies.unwrap_or_default();
        for location in self.named_locations.into_iter().flatten() {
            objects.extend(LiveObject::read_location(location, ApiVersion::V1)?);
        }
        let mut members = self.members;
        for mut group in self.groups.into_iter().flatten() {
            let id = group
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_ascii_lowercase();
            if let (Some(members), Some(group)) = (members.remove(&id), group.as_object_mut()) {
                group.insert(members_path().to_owned(), Value::Array(members));
            }
            objects.push(LiveObject::read(Kind::Group, group, ApiVersion::V1)?);
        }
        for (kind, found) in [(Kind::Strength, self.strengths), (Kind::Context, self.contexts)] {
            for json in found.into_iter().flatten() {
                objects.push(LiveObject::read(kind, json, ApiVersion::V1)?);
            }
        }
        Ok(objects)
    }

    /// The kinds of which the snapshot holds every object.
    pub fn complete(&self) -> BTreeSet<Kind> {
        let mut complete = BTreeSet::new();
        if self.policies.is_some() {
            complete.insert(Kind::Policy);
        }
        if self.named_locations.is_some() {
            complete.extend([
                Kind::IpLocation,
                Kind::CountryLocation,
                Kind::CompliantNetworkLocation,
            ]);
        }
        if self.strengths.is_some() {
            complete.insert(Kind::Strength);
        }
        if self.contexts.is_some() {
            complete.insert(Kind::Context);
        }
        complete.insert(Kind::Group);
        complete
    }
}

impl SnapshotOptions {
    /// What must be read to see every object of these kinds, these groups, and the members of some.
    pub fn of_kinds(kinds: &BTreeSet<Kind>, groups: Vec<String>, members_of: Vec<String>) -> Self {
        let locations = [Kind::IpLocation, Kind::CountryLocation];
        Self {
            policies: if kinds.contains(&Kind::Policy) {
                PolicyVersions::Both
            } else {
                PolicyVersions::None
            },
            named_locations: if kinds.contains(&Kind::CompliantNetworkLocation) {
                Some(Version::Beta)
            } else {
                locations
                    .iter()
                    .any(|kind| kinds.contains(kind))
                    .then_some(Version::V1)
            },
            strengths: kinds.contains(&Kind::Strength).then_some(Version::V1),
            contexts: kinds.contains(&Kind::Context).then_some(Version::V1),
            groups,
            members_of,
            ..Self::default()
        }
    }
}
