//! `capol show FILE`, `capol show --config`

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Context, Failure, Outcome, work};
use crate::export::{Naming, export_block};
use crate::model::Reference;
use crate::model::wire::encode;
use crate::report::state_json::versioned;
use crate::syntax::{Body, Item, print};

/// Shows a saved plan.
pub(super) fn saved_plan(context: &Context, file: &Path) -> Result<Outcome, Failure> {
    let plan = super::work::saved_plan(&context.project.join(file))?;
    if context.global.json {
        context.out(&format!("{:#}\n", crate::plan::json::render(&plan)));
    } else {
        let next = format!("{} {}", context.command("apply"), file.display());
        let loaded = context.load_or_new();
        context.plan(&plan, &loaded, None, Some(&next), None);
    }
    Ok(Outcome::Done)
}

/// Shows the configuration after modules, `for_each` and expressions are done.
pub(super) fn configuration(context: &Context) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let resources = loaded.configuration.resources.values();
    if context.global.json {
        let resources: Vec<Json> = resources
            .map(|resource| {
                let address = |reference: &Reference| match reference {
                    Reference::Managed { address, .. } => Some(address.to_string()),
                    Reference::Lookup(lookup) => Some(format!("{}({:?})", lookup.target.word(), lookup.name)),
                    _ => None,
                };
                let values =
                    encode(&resource.object, &mut |reference| address(reference)).map(|body| body.json);
                json!({
                    "address": resource.address,
                    "type": resource.address.kind,
                    "name": resource.address.name,
                    "values": values.unwrap_or_default(),
                })
            })
            .collect();
        context.out(&versioned(json!({ "resources": resources })));
        return Ok(Outcome::Done);
    }
    let mut body = Body::new(Vec::new());
    for resource in resources {
        let label = resource.address.to_string();
        let label = label
            .strip_prefix(&format!("{}.", resource.address.kind))
            .unwrap_or(&label);
        let block = export_block(label, &resource.object, &Naming::default());
        body.push(Item::from(block).apart());
    }
    context.out(&print(&body));
    Ok(Outcome::Done)
}
