//! Device filters, as What-If looks at them.

use serde_json::Value;

use super::has;
use crate::sandbox::tenant::text;

/// Returns why a policy is not about the device; a rule that can't be read leaves it open.
pub(super) fn keeps_away(conditions: &Value, sign_in: &Value) -> Option<&'static str> {
    let filter = conditions
        .pointer("/devices/deviceFilter")
        .filter(|filter| filter.is_object())?;
    let none = Value::Null;
    let device = sign_in.get("deviceInfo").unwrap_or(&none);
    let mut reader = Reader {
        words: words(text(filter, "rule")),
        next: 0,
        device,
    };
    let caught = match reader.either() {
        Some(caught) if reader.next == reader.words.len() => caught,
        _ => return Some("notEnoughInformation"),
    };
    let includes = text(filter, "mode").eq_ignore_ascii_case("include");
    (caught != includes).then_some("devices")
}

/// Cuts a rule into brackets, commas, texts in quotes (which keep the first) and words.
fn words(rule: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = rule.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | '[' | ']' | ',' => 1,
            '"' => rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| *c == '"')
                .map_or(rest.len(), |(at, _)| at + 1),
            _ => rest
                .find(|c: char| c.is_whitespace() || "()[],\"".contains(c))
                .unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(length);
        words.push(word.trim_end_matches('"').to_owned());
        rest = after.trim_start();
    }
    words
}

/// Reads a rule from left to right and says what it comes to.
struct Reader<'a> {
    words: Vec<String>,
    next: usize,
    device: &'a Value,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<String> {
        let word = self.words.get(self.next)?.clone();
        self.next += 1;
        Some(word)
    }

    /// Steps over a word, with or without its dash.
    fn steps(&mut self, word: &str) -> bool {
        let is_next = self
            .words
            .get(self.next)
            .is_some_and(|next| next.trim_start_matches('-').eq_ignore_ascii_case(word));
        self.next += usize::from(is_next);
        is_next
    }

    fn either(&mut self) -> Option<bool> {
        let mut holds = self.both()?;
        while self.steps("or") {
            holds |= self.both()?;
        }
        Some(holds)
    }

    fn both(&mut self) -> Option<bool> {
        let mut holds = self.one()?;
        while self.steps("and") {
            holds &= self.one()?;
        }
        Some(holds)
    }

    fn one(&mut self) -> Option<bool> {
        if self.steps("not") {
            return self.one().map(|holds| !holds);
        }
        if self.steps("(") {
            let holds = self.either()?;
            return self.steps(")").then_some(holds);
        }
        let property = self.take()?;
        let operator = self.take()?.trim_start_matches('-').to_ascii_lowercase();
        let mut literals = Vec::new();
        if self.steps("[") {
            while !self.steps("]") {
                literals.push(self.take()?.trim_start_matches('"').to_owned());
                self.steps(",");
            }
        } else {
            literals.push(self.take()?.trim_start_matches('"').to_owned());
        }
        self.compared(&property, &operator, &literals)
    }

    /// What a comparison comes to. Without the property, positive ones fail and negative ones hold.
    fn compared(&self, property: &str, operator: &str, literals: &[String]) -> Option<bool> {
        let name = property.strip_prefix("device.")?;
        let values = self.values(name);
        let of = |test: &dyn Fn(&str, &str) -> bool| {
            let lower = |text: &str| text.to_lowercase();
            literals
                .iter()
                .any(|literal| values.iter().any(|value| test(&lower(value), &lower(literal))))
        };
        let (positive, negated) = match operator.strip_prefix("not") {
            Some(rest) => (rest, true),
            None if operator == "ne" => ("eq", true),
            None => (operator, false),
        };
        let holds = match positive {
            // `null` without quotes is what a property is that the device does not have.
            "eq" => values.is_empty() && has(literals, "null") || of(&|value, literal| value == literal),
            "in" => values.iter().any(|value| has(literals, value)),
            "startswith" => of(&|value, literal| value.starts_with(literal)),
            "endswith" => of(&|value, literal| value.ends_with(literal)),
            // Of a list it asks for one that is the whole of it.
            "contains" if self.is_list(name) => of(&|value, literal| value == literal),
            "contains" => of(&|value, literal| value.contains(literal)),
            _ => return None,
        };
        Some(holds != negated)
    }

    fn is_list(&self, name: &str) -> bool {
        let members = self.device.as_object().into_iter().flatten();
        members
            .filter(|(member, _)| member.eq_ignore_ascii_case(name))
            .any(|(_, value)| value.is_array())
    }

    fn values(&self, name: &str) -> Vec<String> {
        let is = |member: &str, wanted: &Value| self.device.get(member) == Some(wanted);
        let looked_after = is("isCompliant", &Value::Bool(true))
            || is("trustType", &Value::from("ServerAD"))
            || self.device.get("mdmAppId").is_some_and(Value::is_string);
        if name.starts_with("extensionAttribute") && !looked_after {
            return Vec::new();
        }
        let name = if name.eq_ignore_ascii_case("deviceOwnership") {
            "ownership"
        } else {
            name
        };
        let member = self.device.as_object().into_iter().flatten();
        let value = member
            .filter(|(member, _)| member.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next();
        match value {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Bool(yes)) => vec![yes.to_string()],
            Some(Value::Array(texts)) => texts
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    }
}
