//! From the text of a rule to its tree: tokens, then one function a level of precedence.
//!
//! `-not` binds closer than `-and`, which binds closer than `-or`. Operators
//! and properties are read in any case and, as in dynamic groups, with or
//! without the dash.

use super::Comparison;
use super::ComparisonPlace;
use super::DeviceProperty;
use super::Expression;
use super::FilterRule;
use super::FilterRuleError;
use super::Literal;
use super::Operator;
use super::Place;
use super::Property;
use crate::model::catalogue::nearest;

/// How deep parentheses and negations may nest.
const DEEPEST: usize = 64;

const COMPARISON_HELP: &str = "write a comparison like `device.isCompliant -eq True`";
const VALUE_HELP: &str =
    "write a text in double quotes, `True`, `False`, `null`, or a list like `[\"a\", \"b\"]`";

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Text(String),
    Word(String),
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Place)>,
    next: usize,
}

pub(super) fn rule(text: &str) -> Result<FilterRule, FilterRuleError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(FilterRuleError::Empty);
    }
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
    };
    let expression = parser.any(0)?;
    match parser.peek() {
        None => Ok(FilterRule { expression }),
        Some(_) => Err(parser.unexpected(
            "`-and`, `-or` or the end of the rule",
            "put `-and` or `-or` between two comparisons",
        )),
    }
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Expression, FilterRuleError> {
        let mut parts = vec![self.all(depth)?];
        while self.eat_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, FilterRuleError> {
        let mut parts = vec![self.single(depth)?];
        while self.eat_word("and") {
            parts.push(self.single(depth)?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn single(&mut self, depth: usize) -> Result<Expression, FilterRuleError> {
        if depth >= DEEPEST {
            return Err(FilterRuleError::TooDeep {
                limit: DEEPEST,
                at: self.place(),
            });
        }
        if self.eat_word("not") {
            return Ok(Expression::Not(Box::new(self.single(depth + 1)?)));
        }
        if self.eat(&Token::Open) {
            let inner = self.any(depth + 1)?;
            if !self.eat(&Token::Close) {
                return Err(self.unexpected("`)`", "close the parenthesis with `)`"));
            }
            return Ok(inner);
        }
        self.comparison().map(Expression::Comparison)
    }

    fn comparison(&mut self) -> Result<Comparison, FilterRuleError> {
        let (property, property_at) = self.property()?;
        let (operator, operator_at) = self.operator()?;
        let (value, value_at) = self.value()?;
        let place = ComparisonPlace {
            property: property_at,
            operator: operator_at,
            value: value_at,
        };
        Ok(Comparison {
            property,
            operator,
            value,
            place,
        })
    }

    fn property(&mut self) -> Result<(Property, Place), FilterRuleError> {
        let at = self.place();
        let word = match self.peek() {
            Some(Token::Word(word)) if !word.starts_with('-') => word.clone(),
            _ => return Err(self.unexpected("a property", COMPARISON_HELP)),
        };
        self.next += 1;
        Ok((property_called(&word), at))
    }

    fn operator(&mut self) -> Result<(Operator, Place), FilterRuleError> {
        let at = self.place();
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.unexpected("an operator", "write an operator like `-eq` behind the property"));
        };
        let word = word.clone();
        self.next += 1;
        let bare = word.trim_start_matches('-').to_owned();
        let operator = Operator::ALL.into_iter().find(|operator| {
            operator
                .text()
                .trim_start_matches('-')
                .eq_ignore_ascii_case(&bare)
        });
        operator.map(|operator| (operator, at)).ok_or_else(|| {
            let names = Operator::ALL.map(Operator::text);
            let help = nearest(&format!("-{bare}"), names).map_or_else(
                || format!("write one of {}", names.join(", ")),
                |near| format!("write `{near}`"),
            );
            FilterRuleError::UnknownOperator {
                operator: word,
                help,
                at,
            }
        })
    }

    fn value(&mut self) -> Result<(Literal, Place), FilterRuleError> {
        let at = self.place();
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Literal::Boolean(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Literal::Boolean(false),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Literal::Null,
            Some(Token::OpenList) => return self.list(at),
            Some(Token::Word(word)) if !word.starts_with('-') => {
                let help = format!("write `\"{word}\"`");
                return Err(self.unexpected("a value", &help));
            }
            _ => return Err(self.unexpected("a value", VALUE_HELP)),
        };
        self.next += 1;
        Ok((literal, at))
    }

    fn list(&mut self, from: Place) -> Result<(Literal, Place), FilterRuleError> {
        self.next += 1;
        let mut texts = Vec::new();
        loop {
            let Some(Token::Text(text)) = self.peek() else {
                return Err(self.unexpected("a text in double quotes", "write lists like `[\"a\", \"b\"]`"));
            };
            texts.push(text.clone());
            self.next += 1;
            let at = self.place();
            if self.eat(&Token::CloseList) {
                return Ok((
                    Literal::List(texts),
                    Place {
                        start: from.start,
                        end: at.end,
                    },
                ));
            }
            if !self.eat(&Token::Comma) {
                return Err(self.unexpected("`,` or `]`", "write lists like `[\"a\", \"b\"]`"));
            }
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    /// `-and`, `-or`, `-not`: with the dash or without it.
    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word))
            if word.strip_prefix('-').unwrap_or(word).eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    /// Where the next token stands, or the end of the rule.
    fn place(&self) -> Place {
        let end = Place {
            start: self.text.len(),
            end: self.text.len(),
        };
        self.tokens.get(self.next).map_or(end, |(_, place)| *place)
    }

    fn unexpected(&self, expected: &'static str, help: &str) -> FilterRuleError {
        let at = self.place();
        let help = help.to_owned();
        match self.text.get(at.start..at.end) {
            Some(found) if !found.is_empty() => FilterRuleError::Unexpected {
                found: found.to_owned(),
                expected,
                help,
                at,
            },
            _ => FilterRuleError::Unfinished { expected, help, at },
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn property_called(word: &str) -> Property {
    let known = word.split_once('.').and_then(|(family, name)| {
        if family.eq_ignore_ascii_case("device") {
            DeviceProperty::by_name(name).map(Property::Device)
        } else if family.eq_ignore_ascii_case("CustomSecurityAttribute") && !name.is_empty() {
            Some(Property::SecurityAttribute(name.to_owned()))
        } else {
            None
        }
    });
    known.unwrap_or_else(|| Property::Other(word.to_owned()))
}

fn tokens(text: &str) -> Result<Vec<(Token, Place)>, FilterRuleError> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        let token = match character {
            _ if character.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenList,
            ']' => Token::CloseList,
            ',' => Token::Comma,
            '"' | '\'' => quoted(text, start, character, &mut characters)?,
            _ => {
                let mut word = String::from(character);
                while let Some((_, next)) = characters.next_if(|(_, next)| is_of_word(*next)) {
                    word.push(next);
                }
                Token::Word(word)
            }
        };
        let end = characters.peek().map_or(text.len(), |(next, _)| *next);
        tokens.push((token, Place { start, end }));
    }
    Ok(tokens)
}

fn is_of_word(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, '(' | ')' | '[' | ']' | ',' | '"' | '\'')
}

/// The text up to the quote that closes it; a backtick before a quote, or before
/// another backtick, escapes it.
fn quoted(
    text: &str,
    start: usize,
    quote: char,
    characters: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
) -> Result<Token, FilterRuleError> {
    let mut content = String::new();
    while let Some((_, character)) = characters.next() {
        if character == quote {
            return Ok(Token::Text(content));
        }
        let escaped = (character == '`')
            .then(|| characters.next_if(|(_, next)| *next == quote || *next == '`'))
            .flatten();
        content.push(escaped.map_or(character, |(_, next)| next));
    }
    let beginning: String = content.chars().take(20).collect();
    Err(FilterRuleError::OpenQuote {
        text: format!("{quote}{beginning}"),
        at: Place {
            start,
            end: text.len(),
        },
    })
}
