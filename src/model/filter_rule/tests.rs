use miette::Diagnostic;
use proptest::prelude::*;

use super::*;
use crate::model::catalogue::corpus;

/// The rule with its tree made visible: every operator in parentheses.
#[track_caller]
fn check_tree(text: &str, tree: &str) {
    assert_eq!(
        bracketed(&FilterRule::parse(text).unwrap().expression),
        tree,
        "{text}"
    );
}

fn bracketed(expression: &Expression) -> String {
    let join = |parts: &[Expression], word: &str| {
        let parts: Vec<String> = parts.iter().map(bracketed).collect();
        format!("({})", parts.join(word))
    };
    match expression {
        Expression::And(parts) => join(parts, " & "),
        Expression::Or(parts) => join(parts, " | "),
        Expression::Not(inner) => format!("!{}", bracketed(inner)),
        Expression::Comparison(comparison) => comparison.to_string(),
    }
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    let cases = [
        (
            "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\" -and device.model -ne \"X\"",
            "(device.isCompliant -eq True | (device.trustType -eq \"ServerAD\" & device.model -ne \"X\"))",
        ),
        (
            "(device.isCompliant -eq True -or device.trustType -eq \"ServerAD\") -and device.model -ne \"X\"",
            "((device.isCompliant -eq True | device.trustType -eq \"ServerAD\") & device.model -ne \"X\")",
        ),
        (
            "-not device.isCompliant -eq True -and -not (device.model -contains \"X\")",
            "(!device.isCompliant -eq True & !device.model -contains \"X\")",
        ),
        (
            "DEVICE.ISCOMPLIANT -EQ true -AND (((device.deviceid -In [\"a\",\"b\"])))",
            "(device.isCompliant -eq True & device.deviceId -in [\"a\", \"b\"])",
        ),
        (
            "device.extensionAttribute15 -eq null",
            "device.extensionAttribute15 -eq null",
        ),
        (
            "device.model eq \"X\" or not device.model in [\"Y\"]",
            "(device.model -eq \"X\" | !device.model -in [\"Y\"])",
        ),
        (
            "CustomSecurityAttribute.Set_Attr -contains \"IT\"",
            "CustomSecurityAttribute.Set_Attr -contains \"IT\"",
        ),
        (
            "device.physicalIds -contains \"[ZTDId]:a(b)\"",
            "device.physicalIds -contains \"[ZTDId]:a(b)\"",
        ),
        (
            "device.displayName -eq \"say `\"hi`\" ` \\\"",
            "device.displayName -eq \"say `\"hi`\" `` \\\"",
        ),
        ("device.somethingNew -eq \"x\"", "device.somethingNew -eq \"x\""),
    ];
    for (text, tree) in cases {
        check_tree(text, tree);
    }
}

#[test]
fn an_error_stands_under_the_words_it_is_about() {
    let cases = [
        (
            "  ",
            "model::empty_filter_rule",
            None,
            "write a comparison like `device.isCompliant -eq True`",
        ),
        (
            "device.isCompliant -equals True",
            "model::filter_rule_operator",
            Some("-equals"),
            "write one of -eq, -ne, -startsWith, -notStartsWith, -endsWith, -notEndsWith, -contains, -notContains, -in, -notIn",
        ),
        (
            "device.model -startWith \"X\"",
            "model::filter_rule_operator",
            Some("-startWith"),
            "write `-startsWith`",
        ),
        (
            "device.trustType -eq ServerAD",
            "model::filter_rule_syntax",
            Some("ServerAD"),
            "write `\"ServerAD\"`",
        ),
        (
            "device.isCompliant -eq",
            "model::filter_rule_syntax",
            Some(""),
            "write a text in double quotes, `True`, `False`, `null`, or a list like `[\"a\", \"b\"]`",
        ),
        (
            "device.isCompliant",
            "model::filter_rule_syntax",
            Some(""),
            "write an operator like `-eq` behind the property",
        ),
        (
            "(device.isCompliant -eq True",
            "model::filter_rule_syntax",
            Some(""),
            "close the parenthesis with `)`",
        ),
        (
            "device.isCompliant -eq True)",
            "model::filter_rule_syntax",
            Some(")"),
            "put `-and` or `-or` between two comparisons",
        ),
        (
            "device.isCompliant -eq True device.model -eq \"X\"",
            "model::filter_rule_syntax",
            Some("device.model"),
            "put `-and` or `-or` between two comparisons",
        ),
        (
            "-and device.model -eq \"X\"",
            "model::filter_rule_syntax",
            Some("-and"),
            "write a comparison like `device.isCompliant -eq True`",
        ),
        (
            "device.model -in [\"X\" \"Y\"]",
            "model::filter_rule_syntax",
            Some("\"Y\""),
            "write lists like `[\"a\", \"b\"]`",
        ),
        (
            "device.model -in []",
            "model::filter_rule_syntax",
            Some("]"),
            "write lists like `[\"a\", \"b\"]`",
        ),
        (
            "device.model -eq \"Sürface",
            "model::filter_rule_quote",
            Some("\"Sürface"),
            "put `\"` behind the text",
        ),
    ];
    for (text, code, under, help) in cases {
        let error = FilterRule::parse(text).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), code, "{text}");
        assert_eq!(
            error.place().and_then(|at| text.get(at.start..at.end)),
            under,
            "{text}"
        );
        assert_eq!(error.help().unwrap().to_string(), help, "{text}");
    }
}

#[test]
fn what_the_service_refuses_is_found() {
    let long = format!("device.model -eq \"{}\"", "x".repeat(LONGEST_RULE));
    let cases = [
        ("device.isCompliant -eq True", Scope::Devices, vec![]),
        (
            "CustomSecurityAttribute.Set_Attr -eq \"x\"",
            Scope::ServicePrincipals,
            vec![],
        ),
        (
            "device.isComplaint -eq True",
            Scope::Devices,
            vec!["`device.isComplaint` is not a property of devices: write `device.isCompliant`"],
        ),
        (
            "device.extensionAttribute16 -eq \"x\"",
            Scope::Devices,
            vec![
                "`device.extensionAttribute16` is not a property of devices: write `device.extensionAttribute1`",
            ],
        ),
        (
            "user.department -eq \"x\"",
            Scope::Devices,
            vec![
                "`user.department` is not a property of devices: write a device property like `device.isCompliant` or `device.extensionAttribute1`",
            ],
        ),
        (
            "device.isCompliant -eq True",
            Scope::ServicePrincipals,
            vec![
                "`device.isCompliant` is not a property of service principals: write a custom security attribute like `CustomSecurityAttribute.Set_Attribute`",
            ],
        ),
        (
            "CustomSecurityAttribute.Set -eq \"x\"",
            Scope::ServicePrincipals,
            vec![
                "`CustomSecurityAttribute.Set` is not a property of service principals: write a custom security attribute like `CustomSecurityAttribute.Set_Attribute`",
            ],
        ),
        (
            "device.model -in \"X\"",
            Scope::Devices,
            vec!["`-in` compares with a list, not with `\"X\"`: write `[\"X\"]`"],
        ),
        (
            "device.model -ne [\"X\", \"Y\"]",
            Scope::Devices,
            vec!["`-ne` compares with one value, not with `[\"X\", \"Y\"]`: write `-notIn [\"X\", \"Y\"]`"],
        ),
        (
            long.as_str(),
            Scope::Devices,
            vec![
                "the filter rule has 3091 characters, and the service takes 3072: put the devices' common property into an extension attribute and compare that",
            ],
        ),
    ];
    for (text, scope, expected) in cases {
        let refusals: Vec<String> = FilterRule::parse(text)
            .unwrap()
            .refusals(text, scope)
            .iter()
            .map(|error| format!("{error}: {}", error.help().unwrap()))
            .collect();
        assert_eq!(refusals, expected, "{text}");
    }
}

#[test]
fn a_rule_that_can_never_match_is_warned_about() {
    let cases: [(&str, &[&str]); 8] = [
        ("device.isCompliant -eq \"True\"", &[]),
        ("device.trustType -eq \"serverad\"", &[]),
        (
            "device.trustType -eq \"ServerAd \"",
            &["`device.trustType` is never `ServerAd `: write `\"ServerAD\"`"],
        ),
        (
            "device.trustType -eq \"HybridAzureADJoined\"",
            &["`device.trustType` is never `HybridAzureADJoined`: write one of AzureAD, ServerAD, Workplace"],
        ),
        (
            "device.mdmAppId -in [\"intune\"]",
            &["`device.mdmAppId` is never `intune`: write an id, which is a GUID"],
        ),
        (
            "device.model -eq True",
            &["`device.model` is never `True`: write a text like `\"True\"`"],
        ),
        (
            "device.systemLabels -eq \"CloudPC\"",
            &["`-eq` is not documented for `device.systemLabels`: write one of `-contains`, `-notContains`"],
        ),
        (
            "device.model -eq 'Surface'",
            &[
                "`'Surface'` is in single quotes: write \"Surface\", or the service may compare with the quotes too",
            ],
        ),
    ];
    for (text, expected) in cases {
        let warnings: Vec<String> = FilterRule::parse(text)
            .unwrap()
            .warnings(text)
            .iter()
            .map(|warning| format!("{warning}: {}", warning.help().unwrap()))
            .collect();
        assert_eq!(warnings, expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    for text in ["(".repeat(100_000), "-not ".repeat(100_000)] {
        let error = FilterRule::parse(&text).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), "model::filter_rule_depth");
    }
}

#[test]
fn every_rule_of_real_policies_parses() {
    let Some(found) = corpus::strings_under(&["rule"]) else {
        return;
    };
    for text in found {
        let rule = FilterRule::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let scope = if text.starts_with("device.") {
            Scope::Devices
        } else {
            Scope::ServicePrincipals
        };
        assert_eq!(rule.refusals(&text, scope), [], "{text}");
        assert_eq!(FilterRule::parse(&rule.to_string()).as_ref(), Ok(&rule), "{text}");
    }
}

fn comparisons() -> impl Strategy<Value = Expression> {
    let properties: Vec<Property> = DeviceProperty::all()
        .map(Property::Device)
        .chain([
            Property::SecurityAttribute("Set_Attr".to_owned()),
            Property::Other("device.new".to_owned()),
        ])
        .collect();
    let values = prop_oneof![
        ".{0,12}".prop_map(Literal::Text),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
        prop::collection::vec(".{0,6}", 1..4).prop_map(Literal::List),
    ];
    (
        prop::sample::select(properties),
        prop::sample::select(Operator::ALL.to_vec()),
        values,
    )
        .prop_map(|(property, operator, value)| {
            Expression::Comparison(Comparison {
                property,
                operator,
                value,
                place: ComparisonPlace::default(),
            })
        })
}

fn expressions() -> impl Strategy<Value = Expression> {
    comparisons().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_rule_reads_back_as_it_was(expression in expressions()) {
        let rule = FilterRule { expression };
        prop_assert_eq!(FilterRule::parse(&rule.to_string()), Ok(rule));
    }

    #[test]
    fn no_text_makes_it_fail_otherwise_than_with_an_error(text in "[a-z.()\\[\\]\"'`, -]{0,60}|.{0,40}") {
        if let Err(error) = FilterRule::parse(&text) {
            let at = error.place().unwrap_or_default();
            prop_assert!(text.get(at.start..at.end).is_some());
        }
    }
}
