//! State for machines: Terraform's words where the thing is the same.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::state_text::holder_text;
use crate::model::Address;
use crate::model::state::{Document, Json, OutputState, ResourceState};
use crate::ops::state::Locked;

/// The version of every form printed here.
pub const FORMAT_VERSION: &str = "1.0";

/// An object of JSON with its `format_version`, as a line or more of text.
pub fn versioned(value: impl Serialize) -> String {
    let mut object = match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        // Whatever is printed here is an object; anything else still is JSON.
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(_) => Map::new(),
    };
    object
        .entry("format_version")
        .or_insert_with(|| FORMAT_VERSION.into());
    format!("{:#}\n", Value::Object(object))
}

/// A whole state, in the form of `terraform show -json`.
pub fn state_json(document: Option<&Document>) -> String {
    let Some(document) = document else {
        return versioned(json!({}));
    };
    let mut root = Module::default();
    for (text, resource) in &document.resources {
        let Ok(address) = text.parse::<Address>() else {
            continue;
        };
        root.at(&address, 0).resources.push(resource_json(text, resource));
    }
    versioned(json!({
        "capol_version": document.capol_version,
        "lineage": document.lineage,
        "serial": document.serial,
        "tenant_id": document.tenant_id,
        "values": {
            "outputs": outputs(document),
            "root_module": root.json(""),
        },
    }))
}

/// One object, in the form in which a state lists it.
pub fn resource_json(text: &str, resource: &ResourceState) -> Value {
    let address = text.parse::<Address>().ok();
    let values = resource.answered.as_ref().or(resource.sent.as_ref());
    let mut json = json!({
        "address": text,
        "mode": "managed",
        "type": resource.kind.block(),
        "name": address.as_ref().map(|address| address.name.clone()),
        "id": resource.id,
        "graph_type": resource.kind.graph_type(),
        "api_version": resource.api_version,
        "values": values.map(Json::value),
        "sensitive_values": {},
        "depends_on": resource.dependencies,
        "prevent_destroy": resource.lifecycle.prevent_destroy,
        "created_by_import": resource.created_by_import,
    });
    if let (Some(key), Some(object)) = (address.and_then(|address| address.key), json.as_object_mut()) {
        object.insert("index".to_owned(), key.into());
    }
    json
}

/// Who has the lock, after asking for it; `who`, `host` and `since` are null when the lock does not say.
pub fn locked_json(locked: &Locked) -> Value {
    let info = locked.holder.info.as_ref();
    let mut json = json!({
        "taken": locked.taken,
        "running": locked.holder.running,
        "id": locked.holder.id,
        "who": info.map(|info| &info.who),
        "host": info.map(|info| &info.host),
        "pid": info.map(|info| info.pid),
        "since": info.map(|info| info.since),
        "operation": info.map(|info| &info.operation),
        "held": info.map(|info| info.held),
    });
    if let Some(object) = json.as_object_mut().filter(|_| !locked.taken) {
        let error = json!({ "code": "state::locked", "message": holder_text(&locked.holder) });
        object.insert("error".to_owned(), error);
    }
    json
}

/// The outputs by name, in the form of `terraform output -json`, with `format_version` beside them.
pub fn outputs_json(document: Option<&Document>) -> String {
    versioned(document.map_or_else(|| json!({}), outputs))
}

/// The value of one output that was asked for by name.
pub fn output_json(output: &OutputState) -> String {
    format!("{:#}\n", output.value)
}

fn outputs(document: &Document) -> Value {
    let outputs = document.outputs.iter().map(|(name, output)| {
        let mut json = json!({ "sensitive": output.sensitive, "type": type_of(&output.value) });
        if let Some(object) = json.as_object_mut().filter(|_| !output.sensitive) {
            object.insert("value".to_owned(), output.value.clone());
        }
        (name.clone(), json)
    });
    Value::Object(outputs.collect())
}

/// The type of a value, as Terraform writes types in JSON.
fn type_of(value: &Value) -> Value {
    match value {
        Value::Null => "dynamic".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(items) => json!(["tuple", items.iter().map(type_of).collect::<Vec<_>>()]),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), type_of(value)));
            json!(["object", Value::Object(fields.collect())])
        }
    }
}

/// A module with what is in it.
#[derive(Default)]
struct Module {
    resources: Vec<Value>,
    children: BTreeMap<String, Module>,
}

impl Module {
    /// The module of an address, so many steps in.
    fn at(&mut self, address: &Address, depth: usize) -> &mut Self {
        let Some(step) = address.module.get(depth) else {
            return self;
        };
        let last = Address {
            module: address.module.iter().take(depth).cloned().collect(),
            kind: "module".to_owned(),
            name: step.name.clone(),
            key: step.key.clone(),
        };
        self.children
            .entry(last.to_string())
            .or_default()
            .at(address, depth + 1)
    }

    fn json(self, address: &str) -> Value {
        let mut json = Map::new();
        if !address.is_empty() {
            json.insert("address".to_owned(), address.into());
        }
        if !self.resources.is_empty() {
            json.insert("resources".to_owned(), self.resources.into());
        }
        if !self.children.is_empty() {
            let children = self.children.into_iter();
            let children: Vec<Value> = children.map(|(address, module)| module.json(&address)).collect();
            json.insert("child_modules".to_owned(), children.into());
        }
        Value::Object(json)
    }
}
