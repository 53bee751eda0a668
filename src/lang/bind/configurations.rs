//! `configurations { … }` of a strength: which keys and certificates a combination takes.

use super::error::BindError;
use super::{Binder, attributes, value};
use crate::lang::error::origin;
use crate::model::set::Set;
use crate::model::value::{Allowed, CombinationConfiguration, Value as Bound};
use crate::syntax::{Attribute, Block, ItemKind};

impl Binder<'_> {
    pub(super) fn configurations(&mut self, block: &Block) {
        let mut configurations = Vec::new();
        for item in &block.body.items {
            match &item.kind {
                ItemKind::Block(inner) if matches!(inner.kind.text.as_str(), "fido2" | "x509") => {
                    configurations.push(self.configuration(inner));
                }
                ItemKind::Block(Block { kind: name, .. }) | ItemKind::Attribute(Attribute { name, .. }) => {
                    self.errors.push(BindError::UnknownBlock {
                        block: "strength.configurations".into(),
                        name: name.text.clone(),
                        choices: vec!["fido2".into(), "x509".into()],
                        at: name.span,
                    });
                }
            }
        }
        if !configurations.is_empty() {
            self.resource
                .origins
                .insert("combinationConfigurations", origin(block.header));
            self.resource.object.set(
                "combinationConfigurations",
                Some(Bound::CombinationConfigurations(configurations)),
            );
        }
    }

    fn configuration(&mut self, block: &Block) -> CombinationConfiguration {
        let fido2 = block.kind.text == "fido2";
        let mut applies_to = Set::default();
        let (mut aaguids, mut skis, mut oids) = (Set::default(), Set::default(), Set::default());
        for attribute in attributes(&block.body) {
            let value = (self.evaluate)(&attribute.value);
            match (attribute.name.text.as_str(), fido2) {
                ("applies_to", _) => applies_to = value::combinations("applies_to", &value, self.errors),
                (name @ "allowed_aaguids", true) => aaguids = value::texts(name, &value, self.errors),
                (name @ "allowed_issuer_skis", false) => skis = value::texts(name, &value, self.errors),
                (name @ "allowed_policy_oids", false) => oids = value::texts(name, &value, self.errors),
                _ => {
                    let choices: &[&str] = if fido2 {
                        &["applies_to", "allowed_aaguids"]
                    } else {
                        &["applies_to", "allowed_issuer_skis", "allowed_policy_oids"]
                    };
                    self.errors.push(BindError::UnknownAttribute {
                        block: block.kind.text.clone(),
                        name: attribute.name.text.clone(),
                        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
                        at: attribute.name.span,
                    });
                }
            }
        }
        if applies_to.is_empty() {
            self.errors.push(BindError::Missing {
                name: "applies_to".into(),
                example: if fido2 {
                    "applies_to = [fido2]"
                } else {
                    "applies_to = [x509_multi_factor]"
                }
                .into(),
                at: block.header,
            });
        }
        let lower = |set: Set<String>| set.into_iter().map(|text| text.to_ascii_lowercase()).collect();
        let allowed = if fido2 {
            Allowed::Fido2 {
                aaguids: lower(aaguids),
            }
        } else {
            Allowed::X509 {
                issuer_skis: skis,
                policy_oids: oids,
            }
        };
        CombinationConfiguration { applies_to, allowed }
    }
}
