//! What can be made out of a document that cannot be read as one.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

/// What is left of a document that is damaged, or of another version: enough to find its objects again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remains {
    /// Its lineage.
    pub lineage: Option<Uuid>,
    /// Its serial.
    pub serial: Option<u64>,
    /// The tenant it tells of.
    pub tenant_id: Option<String>,
    /// The Graph ids that it holds, by address.
    pub ids: BTreeMap<String, String>,
}

impl Remains {
    /// What these bytes still tell; nothing when they are not JSON.
    pub fn of(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).map_or_else(|_| Self::default(), |whole| Self::of_json(&whole))
    }

    /// What this JSON still tells.
    pub fn of_json(whole: &Value) -> Self {
        let text = |field: &str| whole.get(field).and_then(Value::as_str);
        let resources = whole.get("resources").and_then(Value::as_object);
        let ids = resources.into_iter().flatten().filter_map(|(address, resource)| {
            let id = resource.get("id")?.as_str()?;
            Some((address.clone(), id.to_owned()))
        });
        Self {
            lineage: text("lineage").and_then(|lineage| lineage.parse().ok()),
            serial: whole.get("serial").and_then(Value::as_u64),
            tenant_id: text("tenant_id").map(str::to_owned),
            ids: ids.collect(),
        }
    }
}
