//! Texts that a set of comparisons tells apart: one for each answer that the comparisons can give together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::space::SpaceError;
use crate::model::filter_rule::Operator;

/// The most states that are looked at.
const MOST_STATES: usize = 20_000;

/// A text to be compared with, in lower case, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    pub(super) how: How,
    pub(super) text: Vec<char>,
}

/// How a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    Whole,
    Start,
    End,
    Within,
}

impl How {
    /// The comparison of an operator or its negation; in a collection `-contains` asks for a whole element.
    pub(super) fn of(operator: Operator, is_collection: bool) -> Self {
        match operator {
            Operator::StartsWith | Operator::NotStartsWith => Self::Start,
            Operator::EndsWith | Operator::NotEndsWith => Self::End,
            Operator::Contains | Operator::NotContains if !is_collection => Self::Within,
            _ => Self::Whole,
        }
    }
}

impl Pattern {
    /// How far a text has come that had come to `state` and goes on with a letter. `None` is too late.
    fn step(&self, state: Option<usize>, letter: char) -> Option<usize> {
        let length = self.text.len();
        let state = state?;
        match self.how {
            How::Start | How::Within if state == length => Some(length),
            How::Whole | How::Start => (self.text.get(state) == Some(&letter)).then_some(state + 1),
            How::Within | How::End => {
                let mut seen: Vec<char> = self.text.iter().take(state).copied().collect();
                seen.push(letter);
                let longest = (0..=seen.len().min(length))
                    .rev()
                    .find(|count| seen.ends_with(self.text.get(..*count).unwrap_or_default()));
                Some(longest.unwrap_or(0))
            }
        }
    }

    fn holds(&self, state: Option<usize>) -> bool {
        state == Some(self.text.len())
    }
}

/// One text for each set of patterns that some text can fulfil together, the shortest of its kind.
///
/// All patterns run at once as one automaton, of which every state that can be reached is looked at.
pub(super) fn representatives(patterns: &BTreeSet<Pattern>) -> Result<Vec<String>, SpaceError> {
    let patterns: Vec<&Pattern> = patterns.iter().collect();
    let mut letters: BTreeSet<char> = patterns
        .iter()
        .flat_map(|pattern| pattern.text.iter().copied())
        .collect();
    // All letters that no pattern has are one letter.
    letters.extend(
        ('a'..='z')
            .chain('0'..='9')
            .find(|letter| !letters.contains(letter)),
    );
    let start: Vec<Option<usize>> = vec![Some(0); patterns.len()];
    let mut seen = BTreeSet::from([start.clone()]);
    let mut open = VecDeque::from([(start, String::new())]);
    let mut found: BTreeMap<Vec<bool>, String> = BTreeMap::new();
    while let Some((state, text)) = open.pop_front() {
        let holds = patterns
            .iter()
            .zip(&state)
            .map(|(pattern, state)| pattern.holds(*state));
        found.entry(holds.collect()).or_insert_with(|| text.clone());
        for letter in &letters {
            let next: Vec<Option<usize>> = patterns
                .iter()
                .zip(&state)
                .map(|(pattern, state)| pattern.step(*state, *letter))
                .collect();
            if seen.insert(next.clone()) {
                open.push_back((next, format!("{text}{letter}")));
            }
        }
        if seen.len() > MOST_STATES {
            return Err(SpaceError::TooManyTexts);
        }
    }
    Ok(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(how: How, text: &str) -> Pattern {
        Pattern {
            how,
            text: text.chars().collect(),
        }
    }

    #[test]
    fn every_answer_that_patterns_can_give_together_has_a_text_and_no_other_has() {
        let patterns = BTreeSet::from([
            pattern(How::Start, "ab"),
            pattern(How::Within, "ba"),
            pattern(How::End, "ab"),
            pattern(How::Whole, "aba"),
        ]);
        let answers = |text: &str| {
            (
                text.starts_with("ab"),
                text.contains("ba"),
                text.ends_with("ab"),
                text == "aba",
            )
        };
        let found: BTreeSet<_> = representatives(&patterns)
            .unwrap()
            .iter()
            .map(|text| answers(text))
            .collect();
        let mut all = BTreeSet::new();
        let mut texts = vec![String::new()];
        for _ in 0..7 {
            let longer = texts
                .iter()
                .flat_map(|text| ["a", "b", "c"].map(|letter| format!("{text}{letter}")));
            texts = longer.chain([String::new()]).collect();
            all.extend(texts.iter().map(|text| answers(text)));
        }
        assert_eq!(found, all);
    }
}
