//! What is printed is read back as the same value.

use proptest::prelude::*;

use super::{evaluated, sound};
use crate::lang::value::{Duration, DurationUnit, Evaluated, Number, Value};
use crate::model::{Reference, Target};
use crate::syntax::Span;

fn here(value: Value) -> Evaluated {
    Evaluated::new(value, Span::SYNTHETIC)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0..i64::MAX).prop_map(Value::integer),
        (0.001_f64..1e6).prop_filter_map("finite", |decimal| Number::from_f64(decimal).map(Value::Number)),
        any::<String>().prop_map(Value::text),
        "[$%]{0,3}\\{[a-z]{0,3}\\}?".prop_map(Value::text),
        "x[a-z_]{0,8}".prop_map(Value::symbol),
        (0_i64..100_000, 0_usize..5).prop_map(|(amount, unit)| Value::Duration(Duration {
            amount,
            unit: DurationUnit::ALL[unit]
        })),
        (0_i64..101).prop_map(|percent| Value::Percent(Number::Integer(percent))),
        "[A-Za-z0-9 @.\"$\\\\]{0,12}x"
            .prop_map(|name| Value::Reference(Reference::lookup(Target::Group, name.trim()))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| Value::from(items.into_iter().map(here).collect::<Vec<_>>())),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|entries| Value::from(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, here(value)))
                    .collect::<indexmap::IndexMap<_, _>>()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_value_is_read_back(value in values()) {
        let (printed, problems) = evaluated(&sound("locals {}\n"), &value.to_string());
        prop_assert_eq!(problems, Vec::<String>::new());
        prop_assert_eq!(printed, value.to_string());
    }

    #[test]
    fn no_expression_makes_evaluation_fail_to_return(
        text in "(a|1|\\(|\\)|\\[|\\]|\\{|\\}|\\.|\\?|:|=>|for| in |\\+|==|\\$|\"|,|upper|var\\.x|each\\.key|4h|10%|\\*| ){0,24}",
    ) {
        // Whatever does not parse is an error node; nothing panics and nothing hangs.
        let project = super::project(&[("main.capol", &format!("output \"o\" {{\n  value = {text}\n}}\n"))]);
        prop_assert!(project.output("o").is_some() || !project.diagnostics().is_empty());
    }
}
