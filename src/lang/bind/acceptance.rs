//! `accept "gap::…" { reason = "…" }` into what the model holds of it.

use super::expectation::elements;
use crate::lang::blocks::Checked;
use crate::lang::error::{Code, Diagnostics, origin};
use crate::lang::nearest::write_one_of;
use crate::lang::value::Value;
use crate::model::gap::{Acceptance, RuleRow};
use crate::model::{rollout, rules};
use crate::syntax::Block;

/// Binds a block that was held against its schema; what does not fit is reported.
pub(in crate::lang) fn acceptance(
    block: &Block,
    checked: &Checked,
    diagnostics: &mut Diagnostics,
) -> Option<Acceptance> {
    let label = block.labels.first()?;
    let codes = || {
        let gaps = RuleRow::all().iter().map(|row| row.code);
        gaps.chain(rules::LINTS.iter().copied())
            .chain(rollout::LINTS.iter().copied())
    };
    let is_known = codes().any(|code| code == label.text);
    if !is_known {
        let help = write_one_of(&label.text, "", codes(), || {
            "write the code that stands above the message".to_owned()
        });
        diagnostics.error(
            Code::UnknownSymbol,
            label.span,
            format!(
                "`{}` is not the code of anything that can be accepted",
                label.text
            ),
            help,
        );
    }
    let reason = checked.get("reason")?;
    let text = reason.as_text()?;
    if text.trim().is_empty() {
        diagnostics.error(
            Code::InvalidValue,
            reason.span,
            "the reason is empty",
            "say why this is meant so, for those who read it later",
        );
        return None;
    }
    let policies = checked.get("policies").map(elements).unwrap_or_default();
    is_known.then(|| Acceptance {
        code: label.text.clone(),
        reason: text.trim().to_owned(),
        policies: policies
            .into_iter()
            .filter_map(|each| match &each.value {
                Value::Block(address) => Some((**address).clone()),
                _ => None,
            })
            .collect(),
        origin: origin(block.header),
    })
}
