//! The part of `$filter` that clients of Conditional Access use, over JSON objects.

use serde_json::Value;

use super::call::Refusal;

/// A parsed `$filter`.
#[derive(Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        path: Vec<String>,
        operator: Operator,
        literal: Value,
    },
    In {
        path: Vec<String>,
        literals: Vec<Value>,
    },
    Call {
        function: Function,
        path: Vec<String>,
        argument: String,
    },
    Any {
        path: Vec<String>,
        variable: String,
        inner: Box<Filter>,
    },
    IsOf(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

impl Filter {
    pub(super) fn parse(expression: &str) -> Result<Self, Refusal> {
        let refusal = || Refusal::new(400, "BadRequest", format!("Invalid filter clause: {expression}"));
        let tokens = tokens(expression).ok_or_else(refusal)?;
        let mut parser = Parser { tokens, next: 0 };
        let filter = parser.either().ok_or_else(refusal)?;
        if parser.next == parser.tokens.len() {
            Ok(filter)
        } else {
            Err(refusal())
        }
    }

    pub(super) fn matches(&self, item: &Value) -> bool {
        match self {
            Self::And(left, right) => left.matches(item) && right.matches(item),
            Self::Or(left, right) => left.matches(item) || right.matches(item),
            Self::Not(inner) => !inner.matches(item),
            Self::Compare {
                path,
                operator,
                literal,
            } => compare(at(item, path), *operator, literal),
            Self::In { path, literals } => literals
                .iter()
                .any(|literal| compare(at(item, path), Operator::Equal, literal)),
            Self::Call {
                function,
                path,
                argument,
            } => {
                let text = at(item, path).as_str().unwrap_or_default().to_lowercase();
                let argument = argument.to_lowercase();
                match function {
                    Function::StartsWith => text.starts_with(&argument),
                    Function::EndsWith => text.ends_with(&argument),
                    Function::Contains => text.contains(&argument),
                }
            }
            Self::Any {
                path,
                variable,
                inner,
            } => at(item, path).as_array().is_some_and(|items| {
                items
                    .iter()
                    .any(|each| inner.matches(&serde_json::json!({ variable.as_str(): each })))
            }),
            Self::IsOf(name) => item
                .get("@odata.type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.trim_start_matches('#') == name),
        }
    }
}

fn at<'a>(item: &'a Value, path: &[String]) -> &'a Value {
    path.iter()
        .fold(item, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// A moment, if a text is one: with and without fractions of a second it is compared as time.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    let is_one = text.as_bytes().first().is_some_and(u8::is_ascii_digit) && text.contains('T');
    is_one.then(|| text.parse().ok()).flatten()
}

fn compare(value: &Value, operator: Operator, literal: &Value) -> bool {
    if operator == Operator::Has {
        let wanted = literal.as_str().unwrap_or_default();
        return value
            .as_str()
            .is_some_and(|flags| flags.split(',').any(|flag| flag.trim() == wanted));
    }
    let order = match (value, literal) {
        (Value::String(left), Value::String(right)) => Some(match (moment(left), moment(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.to_lowercase().cmp(&right.to_lowercase()),
        }),
        (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(std::cmp::Ordering::Equal),
        _ => None,
    };
    match operator {
        Operator::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        Operator::Has => false,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Literal(Value),
    Open,
    Close,
    Comma,
    Colon,
}

fn tokens(expression: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            ' ' => {}
            '(' => found.push(Token::Open),
            ')' => found.push(Token::Close),
            ',' => found.push(Token::Comma),
            ':' => found.push(Token::Colon),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next()? {
                        '\'' if rest.peek() == Some(&'\'') => {
                            rest.next();
                            text.push('\'');
                        }
                        '\'' => break,
                        other => text.push(other),
                    }
                }
                found.push(Token::Literal(Value::String(text)));
            }
            first => {
                let mut word = String::from(first);
                // A colon belongs to a word that is a time and not the end of a lambda's variable.
                while let Some(next) = rest.peek() {
                    let time = *next == ':' && word.starts_with(|digit: char| digit.is_ascii_digit());
                    if next.is_alphanumeric() || "/-._@$".contains(*next) || time {
                        word.push(*next);
                        rest.next();
                    } else {
                        break;
                    }
                }
                found.push(word_or_literal(word));
            }
        }
    }
    Some(found)
}

fn word_or_literal(word: String) -> Token {
    match word.as_str() {
        "true" => Token::Literal(Value::Bool(true)),
        "false" => Token::Literal(Value::Bool(false)),
        "null" => Token::Literal(Value::Null),
        text if text.starts_with(|first: char| first.is_ascii_digit()) => Token::Literal(
            text.parse::<i64>()
                .map_or_else(|_| Value::String(word.clone()), Value::from),
        ),
        _ => Token::Word(word),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned()?;
        self.next += 1;
        Some(token)
    }

    fn word(&mut self, expected: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(expected));
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Option<()> {
        (self.take()? == *token).then_some(())
    }

    fn either(&mut self) -> Option<Filter> {
        let mut left = self.both()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Filter> {
        let mut left = self.single()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.single()?));
        }
        Some(left)
    }

    fn single(&mut self) -> Option<Filter> {
        if self.word("not") {
            return Some(Filter::Not(Box::new(self.single()?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.next += 1;
            let inner = self.either()?;
            self.expect(&Token::Close)?;
            return Some(inner);
        }
        let Token::Word(name) = self.take()? else {
            return None;
        };
        if self.peek() == Some(&Token::Open) {
            return self.call(&name);
        }
        self.comparison(path(&name))
    }

    fn call(&mut self, name: &str) -> Option<Filter> {
        self.expect(&Token::Open)?;
        if let Some(collection) = name.strip_suffix("/any") {
            let Token::Word(variable) = self.take()? else {
                return None;
            };
            self.expect(&Token::Colon)?;
            let inner = Box::new(self.either()?);
            self.expect(&Token::Close)?;
            return Some(Filter::Any {
                path: path(collection),
                variable,
                inner,
            });
        }
        if name == "isof" {
            let Token::Literal(Value::String(kind)) = self.take()? else {
                return None;
            };
            self.expect(&Token::Close)?;
            return Some(Filter::IsOf(kind));
        }
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => return None,
        };
        let Token::Word(property) = self.take()? else {
            return None;
        };
        self.expect(&Token::Comma)?;
        let Token::Literal(Value::String(argument)) = self.take()? else {
            return None;
        };
        self.expect(&Token::Close)?;
        Some(Filter::Call {
            function,
            path: path(&property),
            argument,
        })
    }

    fn comparison(&mut self, path: Vec<String>) -> Option<Filter> {
        let Token::Word(operator) = self.take()? else {
            return None;
        };
        let operator = match operator.to_ascii_lowercase().as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "has" => Operator::Has,
            "in" => return self.list(path),
            _ => return None,
        };
        let Token::Literal(literal) = self.take()? else {
            return None;
        };
        Some(Filter::Compare {
            path,
            operator,
            literal,
        })
    }

    fn list(&mut self, path: Vec<String>) -> Option<Filter> {
        self.expect(&Token::Open)?;
        let mut literals = Vec::new();
        loop {
            let Token::Literal(literal) = self.take()? else {
                return None;
            };
            literals.push(literal);
            match self.take()? {
                Token::Comma => {}
                Token::Close => return Some(Filter::In { path, literals }),
                _ => return None,
            }
        }
    }
}

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_choose_what_graph_would() {
        let item = json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": "Bob's office",
            "state": "enabled",
            "isTrusted": true,
            "scenarios": "new,zeroTrust",
            "createdDateTime": "2026-01-02T03:04:05.0000000Z",
            "initiatedBy": {"app": {"appId": "x"}},
            "targetResources": [{"id": "1"}, {"id": "2"}],
            "tags": ["a", "b"],
        });
        let rows = [
            ("displayName eq 'bob''s office'", true),
            ("displayName ne 'x'", true),
            ("startswith(displayName,'Bob') and state eq 'enabled'", true),
            ("endsWith(displayName, 'house')", false),
            ("state in ('disabled', 'enabled')", true),
            (
                "state eq 'disabled' or (isTrusted eq true and not (state eq 'x'))",
                true,
            ),
            ("scenarios has 'zeroTrust'", true),
            ("createdDateTime ge 2026-01-01T00:00:00Z", true),
            ("createdDateTime ge 2027-01-01T00:00:00Z", false),
            ("initiatedBy/app/appId eq 'x'", true),
            ("targetResources/any(t: t/id eq '2')", true),
            ("tags/any(t:t eq 'c')", false),
            ("isof('microsoft.graph.ipNamedLocation')", true),
        ];
        for (expression, expected) in rows {
            let filter =
                Filter::parse(expression).unwrap_or_else(|refusal| panic!("{expression}: {refusal:?}"));
            assert_eq!(filter.matches(&item), expected, "{expression}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for expression in [
            "",
            "displayName",
            "displayName eq",
            "eq 'x'",
            "displayName eq 'x",
            "a eq 1 b",
        ] {
            assert!(Filter::parse(expression).is_err(), "{expression}");
        }
    }
}
