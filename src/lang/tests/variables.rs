//! Values given to variables, from wherever they come.

use std::path::PathBuf;
use std::sync::Arc;

use super::{noon, problems, project};
use crate::lang::memory::Memory;
use crate::lang::{Input, Inputs, load};

fn flags(values: &[(&str, &str)]) -> Inputs {
    let command_line = values
        .iter()
        .map(|(name, value)| Input::Value {
            name: (*name).into(),
            value: (*value).into(),
        })
        .collect();
    Inputs {
        command_line,
        ..Inputs::at(noon())
    }
}

/// What `var.x` comes to when it is declared so and given so.
#[track_caller]
fn given(declared: &str, value: &str) -> Result<String, Vec<String>> {
    let text = format!("variable \"x\" {{\n  {declared}\n}}\noutput \"x\" {{\n  value = var.x\n}}\n");
    let project = load(
        Arc::new(Memory::new([("main.capol", text.as_str())])),
        "".as_ref(),
        &flags(&[("x", value)]),
    );
    if project.diagnostics().is_empty() {
        Ok(project.output("x").unwrap().to_string())
    } else {
        Err(problems(project.diagnostics()))
    }
}

#[test]
fn a_flag_is_read_by_the_type_of_its_variable() {
    for (declared, value, expected) in [
        ("type = string", "10", "\"10\""),
        ("type = string", "\"quoted\"", "\"quoted\""),
        ("type = string", "a, b", "\"a, b\""),
        ("", "10", "10"),
        ("", "[1, 2]", "[1, 2]"),
        ("", "enabled", "enabled"),
        ("", "blue # sky", "\"blue # sky\""),
        ("", "a\nb = 2", "\"a\\nb = 2\""),
        ("", "ada@contoso.com", "\"ada@contoso.com\""),
        ("", "contoso.com", "\"contoso.com\""),
        ("", "group(\"IT\")", "group(\"IT\")"),
        ("type = number", "10", "10"),
        ("type = bool", "true", "true"),
        ("type = duration", "4h", "4h"),
        ("type = percent", "10%", "10%"),
        ("type = list(string)", "[\"a\", 1]", "[\"a\", \"1\"]"),
        ("type = set(string)", "[\"b\", \"a\", \"b\"]", "[\"a\", \"b\"]"),
        ("type = map(number)", "{ a = \"1\" }", "{ a = 1 }"),
        ("type = tuple([string, number])", "[\"a\", 1]", "[\"a\", 1]"),
        ("type = user", "ada@contoso.com", "user(\"ada@contoso.com\")"),
        (
            "type = list(group)",
            "[\"IT\", group(\"HR\")]",
            "[group(\"IT\"), group(\"HR\")]",
        ),
        (
            "type = role",
            "role.global_administrator",
            "role(\"62e90394-69f5-4237-9190-012177145e10\")",
        ),
        (
            "type = one_of(enabled, report_only)",
            "report_only",
            "report_only",
        ),
        (
            "type = object({ a = string, b = optional(duration, 3d), c = optional(string) })",
            "{ a = 1 }",
            "{ a = \"1\", b = 3d, c = null }",
        ),
        ("nullable = false\n  default = 4", "null", "4"),
    ] {
        assert_eq!(
            given(declared, value),
            Ok(expected.to_owned()),
            "{declared} {value}"
        );
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_the_path_to_it() {
    for (declared, value, expected) in [
        (
            "type = number",
            "many",
            "lang::wrong_type: the variable `x` is `number`: `many` is not a number (write a number; the type is `number`)",
        ),
        (
            "type = list(object({ name = string, soak = duration }))",
            "[{ name = \"a\", soak = \"soon\" }]",
            "lang::wrong_type: the variable `x` is `list(object({ name = string, soak = duration }))`: `soon` at `[0].soak` is not a duration such as `4h` (write a duration such as `4h`; the type is `duration`)",
        ),
        (
            "type = object({ exclude = optional(list(string)) })",
            "{ exclde = [] }",
            "lang::wrong_type: the variable `x` is `object({ exclude = optional(list(string)) })`: the object has no attribute `exclde` (write `exclude`)",
        ),
        (
            "type = one_of(enabled, report_only)",
            "enable",
            "lang::wrong_type: the variable `x` is `one_of(enabled, report_only)`: `enable` is not `enabled` or `report_only` (write `enabled`)",
        ),
        (
            "type = user",
            "group(\"IT\")",
            "lang::wrong_type: the variable `x` is `user`: this is a group, not a user (write `user(\"…\")` or `user.NAME`)",
        ),
        (
            "type = list(string)",
            "a",
            "lang::wrong_type: the variable `x` is `list(string)`: `a` is not a list (put it in brackets: `[a]`)",
        ),
        (
            "nullable = false",
            "null",
            "lang::wrong_type: the variable `x` takes no `null` (give it a value, or take the line away)",
        ),
        (
            "type = strng\n",
            "a",
            "lang::unknown_type: `strng` is not a type (write `string`)",
        ),
        (
            "typ = string\n",
            "a",
            "lang::unknown_attribute: variable `x` has no attribute `typ` (write `type`)",
        ),
    ] {
        assert_eq!(
            given(declared, value),
            Err(vec![expected.to_owned()]),
            "{declared} {value}"
        );
    }
}

#[test]
fn later_sources_win() {
    let files = Memory::new([
        (
            "main.capol",
            "variable \"x\" {\n  default = \"default\"\n}\noutput \"x\" {\n  value = var.x\n}\n",
        ),
        ("capol.capolvars", "x = \"project\"\n"),
        ("b.auto.capolvars", "x = \"automatic b\"\n"),
        ("a.auto.capolvars", "x = \"automatic a\"\n"),
        ("contoso.capolvars", "x = \"tenant\"\n"),
        ("other.capolvars", "x = \"other\"\n"),
    ]);
    let loader = Arc::new(files);
    let value = |inputs: Inputs| {
        let project = load(loader.clone(), "".as_ref(), &inputs);
        assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
        project.output("x").unwrap().to_string()
    };
    let environment = [
        ("x".to_owned(), "environment".to_owned()),
        ("unknown".to_owned(), "y".to_owned()),
    ];
    let base = Inputs {
        environment: environment.into(),
        ..Inputs::at(noon())
    };
    assert_eq!(value(base.clone()), "\"automatic b\"");
    assert_eq!(
        value(Inputs {
            tenant: Some("contoso".into()),
            ..base.clone()
        }),
        "\"tenant\""
    );
    let command_line = vec![
        Input::Value {
            name: "x".into(),
            value: "flag".into(),
        },
        Input::File(PathBuf::from("other.capolvars")),
    ];
    assert_eq!(value(Inputs { command_line, ..base }), "\"other\"");
}

#[test]
fn a_variable_without_value_and_a_value_without_variable_are_errors() {
    let project = load(
        Arc::new(Memory::new([
            (
                "main.capol",
                "variable \"state\" {\n  type = one_of(enabled, disabled)\n}\n",
            ),
            ("capol.capolvars", "sate = enabled\n"),
        ])),
        "".as_ref(),
        &flags(&[("stat", "enabled")]),
    );
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::missing_variable: the variable `state` has no value (pass `--var state=…` with `enabled` or `disabled`, write `state = …` in `capol.capolvars`, or give it a `default`)",
            "lang::unknown_variable: there is no variable `sate` (write `state`)",
            "lang::unknown_variable: there is no variable `stat` (write `state`)",
        ]
    );
}

#[test]
fn a_validation_speaks_in_its_own_words() {
    let text = "variable \"n\" {\n  default = 7\n  validation {\n    condition     = var.n < 5\n    error_message = \"n is ${var.n}, and at most 4 will do.\"\n  }\n}\n";
    let project = project(&[("main.capol", text)]);
    let found: Vec<_> = project.diagnostics().iter().collect();
    assert_eq!(
        problems(project.diagnostics()),
        ["lang::validation: n is 7, and at most 4 will do (give `n` a value that keeps the rule)"]
    );
    assert_eq!(project.sources().slice(found[0].span()), "7");
    assert_eq!(project.sources().slice(found[0].labels[1].span), "var.n < 5");
}

#[test]
fn what_is_sensitive_stays_so_wherever_it_goes() {
    let text = "variable \"key\" {\n  default   = \"s3cret\"\n  sensitive = true\n}\nlocals {\n  url = \"https://x/${var.key}\"\n}\noutput \"url\" {\n  value     = local.url\n  sensitive = true\n}\noutput \"open\" {\n  value = [local.url]\n}\noutput \"length\" {\n  value = nonsensitive(length(local.url))\n}\n";
    let project = project(&[("main.capol", text)]);
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::sensitive: the output `open` would show a sensitive value (add `sensitive = true` to the output, or wrap the value in `nonsensitive(…)`)"
        ]
    );
    assert_eq!(project.output("url").unwrap().to_string(), "(sensitive)");
    assert_eq!(project.output("length").unwrap().to_string(), "16");
    assert!(project.outputs["url"].sensitive);
}

#[test]
fn a_problem_in_a_given_list_points_at_the_element() {
    let project = load(
        Arc::new(Memory::new([
            ("main.capol", "variable \"ranges\" {\n  type = list(number)\n}\n"),
            ("capol.capolvars", "ranges = [1, two]\n"),
        ])),
        "".as_ref(),
        &Inputs::at(noon()),
    );
    let found = project.diagnostics().iter().next().unwrap();
    assert_eq!(project.sources().slice(found.span()), "two");
}
