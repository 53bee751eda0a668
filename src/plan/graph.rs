//! What depends on what, as the configuration alone tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::configuration::Configuration;
use crate::model::{Address, Kind, Reference, Value};

/// For each address, the addresses that must exist before it.
pub fn dependencies(configuration: &Configuration) -> BTreeMap<Address, BTreeSet<Address>> {
    let trusted: BTreeSet<Address> = configuration
        .resources
        .values()
        .filter(|resource| resource.object.get("isTrusted") == Some(&Value::Boolean(true)))
        .map(|resource| resource.address.clone())
        .collect();
    configuration
        .resources
        .values()
        .map(|resource| {
            let mut needs: BTreeSet<Address> = resource.depends_on.iter().cloned().collect();
            for (_, reference) in resource.object.references() {
                match reference {
                    Reference::Managed { address, .. } => {
                        needs.insert((**address).clone());
                    }
                    // Nobody writes it, but what `all_trusted` means depends on every trusted location.
                    Reference::Keyword(word)
                        if word == "AllTrusted" && resource.object.kind == Kind::Policy =>
                    {
                        needs.extend(trusted.iter().cloned());
                    }
                    _ => {}
                }
            }
            needs.remove(&resource.address);
            (resource.address.clone(), needs)
        })
        .collect()
}
