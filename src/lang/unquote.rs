//! Symbols written in quotes, as the formatter writes them: `state = "enabled"` is `state = enabled`.

use crate::model::Kind;
use crate::model::properties::{Property, Shape};
use crate::syntax::{Body, Expression, ExpressionKind, ItemKind};

/// Words that stand for themselves without being in a table of symbols.
const WORDS: [&str; 6] = [
    "every_time",
    "on",
    "off",
    "secondary",
    "primary_and_secondary",
    "compliant_network",
];

/// Takes the quotes off every symbol of the blocks that the property table describes.
pub fn unquote(body: &mut Body) {
    for item in &mut body.items {
        if let ItemKind::Block(block) = &mut item.kind {
            let kinds: Vec<Kind> = Kind::ALL
                .into_iter()
                .filter(|kind| kind.block() == block.kind.text)
                .collect();
            if !kinds.is_empty() {
                inside(&kinds, "", &mut block.body);
            }
        }
    }
}

fn inside(kinds: &[Kind], path: &str, body: &mut Body) {
    let joined = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for item in &mut body.items {
        match &mut item.kind {
            ItemKind::Block(block) => inside(kinds, &joined(&block.kind.text), &mut block.body),
            ItemKind::Attribute(attribute) => {
                let dsl = joined(&attribute.name.text);
                let rows: Vec<&Property> = kinds
                    .iter()
                    .flat_map(|kind| kind.properties())
                    .filter(|row| row.dsl.contains(&dsl.as_str()) && takes_words(row))
                    .collect();
                if !rows.is_empty() {
                    expression(&rows, &mut attribute.value);
                }
            }
        }
    }
}

fn takes_words(row: &Property) -> bool {
    row.symbols().is_some() || matches!(row.shape, Shape::Toggle | Shape::Flag(_) | Shape::SignInFrequency)
}

fn expression(rows: &[&Property], value: &mut Expression) {
    match &mut value.kind {
        ExpressionKind::String(template) => {
            let word = template.plain().filter(|text| {
                WORDS.contains(text)
                    || rows.iter().any(|row| {
                        row.symbols()
                            .is_some_and(|symbols| symbols.by_word(text).is_some())
                    })
            });
            if let Some(word) = word {
                value.kind = ExpressionKind::Name(word.to_owned());
            }
        }
        ExpressionKind::List(items) => {
            for element in &mut items.elements {
                expression(rows, &mut element.value);
            }
        }
        ExpressionKind::Call(call) if matches!(call.name.text.as_str(), "any_of" | "all_of" | "guests") => {
            for element in &mut call.arguments.elements {
                if element.value.name.is_none() {
                    expression(rows, &mut element.value.value);
                }
            }
        }
        ExpressionKind::Conditional(conditional) => {
            expression(rows, &mut conditional.yes);
            expression(rows, &mut conditional.no);
        }
        ExpressionKind::Parenthesised(inner, _) => expression(rows, inner),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{FileId, SourceFile, parse, print};

    #[test]
    fn symbols_lose_their_quotes_and_texts_keep_them() {
        let text = r#"policy "p" {
  name        = "enabled"
  state       = var.on ? "enabled" : "report_only"
  client_apps = ["browser", "other"]
  users { include = ["all", guests(["internal_guest"], tenants = ["all"])] }
  grant = any_of("mfa", custom("mfa"))
  session { persistent_browser = "never", token_protection = "on" }
}
"#;
        let mut parsed = parse(&SourceFile::new(FileId(0), "main.capol", text));
        unquote(&mut parsed.tree);
        insta::assert_snapshot!(print(&parsed.tree));
    }
}
