//! Operators, templates, conditionals, `for`, splats, indexing.

use super::{check, problems, project, refuse};

#[test]
fn operators_mean_what_they_mean_in_hcl() {
    check(
        "locals {}",
        &[
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("7 / 2", "3.5"),
            ("7 % 3", "1"),
            ("-2 + 1", "-1"),
            ("\"2\" + 3", "5"),
            ("1 == 1.0", "true"),
            ("1 == \"1\"", "false"),
            ("enabled == \"enabled\"", "true"),
            ("[1, 2] == [1, 2]", "true"),
            ("{ a = 1, b = 2 } == { b = 2, a = 1 }", "true"),
            ("null == null", "true"),
            ("1 < 2 && 2 <= 2 && !(3 > 4)", "true"),
            ("1h == 60m", "true"),
            ("2h > 90m", "true"),
            ("1h + 30m", "90m"),
            ("3 * 4h", "12h"),
            ("1% + 0.5%", "1.5%"),
            ("2% < 10%", "true"),
        ],
    );
}

#[test]
fn only_the_side_that_counts_is_evaluated() {
    check(
        "locals {}",
        &[
            ("true ? 1 : var.absent", "1"),
            ("false ? [][0] : 2", "2"),
            ("false && 1 / 0 == 1", "false"),
            ("true || 1 / 0 == 1", "true"),
        ],
    );
}

#[test]
fn a_string_shows_what_is_put_into_it() {
    check(
        "locals {}",
        &[
            ("\"a${1 + 1}b\"", "\"a2b\""),
            ("\"${true} ${4h} ${10%}\"", "\"true 4h 10%\""),
            ("\"${[1]}\"", "[1]"),
            ("\"$${x}\"", "\"$${x}\""),
            (
                "\"id ${role.global_administrator}\"",
                "\"id 62e90394-69f5-4237-9190-012177145e10\"",
            ),
            ("[for w in [a, b] : \"<${w}>\"]", "[\"<a>\", \"<b>\"]"),
        ],
    );
}

#[test]
fn for_expressions_walk_lists_by_place_and_objects_by_key() {
    check(
        "locals {}",
        &[
            ("[for x in [1, 2, 3] : x * 2 if x != 2]", "[2, 6]"),
            ("[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]", "[\"0a\", \"1b\"]"),
            (
                "[for k, v in { b = 2, a = 1 } : \"${k}${v}\"]",
                "[\"a1\", \"b2\"]",
            ),
            (
                "{ for x in [\"a\", \"b\"] : x => upper(x) }",
                "{ a = \"A\", b = \"B\" }",
            ),
            (
                "{ for x in [\"ab\", \"ac\", \"b\"] : substr(x, 0, 1) => x... }",
                "{ a = [\"ab\", \"ac\"], b = [\"b\"] }",
            ),
            ("[for x in [[1], [2]] : [for y in x : y + 1]]", "[[2], [3]]"),
            ("[for x in [] : x.y]", "[]"),
        ],
    );
}

#[test]
fn elements_are_reached_by_attribute_index_and_splat() {
    check(
        "locals { people = [{ name = \"a\", tags = [1] }, { name = \"b\", tags = [2] }] }",
        &[
            ("local.people[1].name", "\"b\""),
            ("local.people.0.name", "\"a\""),
            ("local.people[*].name", "[\"a\", \"b\"]"),
            ("local.people.*.name", "[\"a\", \"b\"]"),
            ("local.people[*].tags[0]", "[1, 2]"),
            ("{ a = { b = 1 } }[\"a\"][\"b\"]", "1"),
            ("null[*]", "[]"),
            ("4[*]", "[4]"),
        ],
    );
}

#[test]
fn what_cannot_be_computed_says_why_and_what_to_do() {
    refuse(
        "locals { n = 0, list = [1] }",
        &[
            (
                "1 / local.n",
                "lang::arithmetic: a division by zero has no answer (guard it: `n == 0 ? 0 : x / n`)",
            ),
            (
                "\"a\" + \"b\"",
                "lang::wrong_type: `+` does not work between a string and a string (join strings with `\"${a}${b}\"`)",
            ),
            (
                "1h < 3",
                "lang::wrong_type: `<` does not work between a duration and a number (give two numbers, two durations or two percentages)",
            ),
            (
                "!5",
                "lang::condition: a condition is true or false, not a number (compare it with something, as in `x == y`)",
            ),
            (
                "local.list[3]",
                "lang::out_of_range: the list has 1 elements, so none at `3` (write a number from 0 to 0)",
            ),
            (
                "{ name = 1 }.nmae",
                "lang::unknown_attribute: the object has no attribute `nmae` (write `name`)",
            ),
            (
                "{ a = 1 }[\"b\"]",
                "lang::out_of_range: the object has no key `b` (write `a`)",
            ),
            (
                "local.list.name",
                "lang::unknown_attribute: a list has no attribute `name` (take it from every element: `[*].name`)",
            ),
            (
                "[for x in 4 : x]",
                "lang::wrong_type: `for` walks over a list or an object, not a number (put a single value in brackets: `[x]`)",
            ),
            (
                "{ for x in [1, 1] : x => x }",
                "lang::key_twice: the key `1` comes up more than once (group the values of equal keys with `...` after the value, or make the keys differ)",
            ),
            (
                "9223372036854775807 + 1",
                "lang::arithmetic: the result is too large a number (keep numbers below 2^63)",
            ),
            (
                "\"a ${nmae}\"",
                "lang::unknown_name: `nmae` names nothing here (write `${var.nmae}` or `${local.nmae}`, or `nmae` without `${…}`)",
            ),
            (
                "\"a ${[1]}\"",
                "lang::wrong_type: a list cannot stand in a string (make a text of it with `join(\", \", …)` or `jsonencode(…)`)",
            ),
            (
                "\"a ${group(\"IT\")}\"",
                "lang::not_known_yet: the id of `group(\"IT\")` is not known before the apply, so it cannot stand in a string (refer to it outside of a string, or use its `name`)",
            ),
        ],
    );
}

#[test]
fn one_problem_is_told_once_and_hides_no_other() {
    let project = super::project(&[(
        "main.capol",
        "locals {\n  a = var.x\n  b = local.a + 1\n  c = \"${local.b}\"\n  d = [local.c, 1 / 0]\n}\n",
    )]);
    assert_eq!(
        super::problems(project.diagnostics()),
        [
            "lang::unknown_name: there is no variable `x` (declare it: `variable \"x\" {}`)",
            "lang::arithmetic: a division by zero has no answer (guard it: `n == 0 ? 0 : x / n`)",
        ]
    );
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let sum = vec!["1"; 250].join(" + ");
    let chain: Vec<String> = (0..2_000)
        .map(|n| format!("  l{n} = local.l{}\n", n + 1))
        .collect();
    let chain = chain.concat();
    check(
        &format!("locals {{\n{chain}  l2000 = 7\n}}\n"),
        &[(&sum, "250"), ("local.l0", "7")],
    );
    let nested: Vec<String> = (0..400)
        .map(|n| format!("  n{n} = [local.n{}]\n", n + 1))
        .collect();
    let nested = project(&[(
        "main.capol",
        &format!("locals {{\n{}  n400 = 1\n}}\n", nested.concat()),
    )]);
    assert_eq!(
        problems(nested.diagnostics()),
        [
            "lang::too_deep: the value nests more than 256 levels deep (take a level of brackets away, or use `flatten(…)`)"
        ]
    );
    let brackets = |count: usize| format!("{}1{}", "[".repeat(count), "]".repeat(count));
    refuse(
        &format!("locals {{\n  deep = {}\n}}\n", brackets(80)),
        &[(
            &format!(
                "{}jsondecode(\"1\") + local.absent{}",
                "(".repeat(80),
                ")".repeat(80)
            ),
            "lang::unknown_name: there is no local `absent` (write `local.deep`)",
        )],
    );
    let around = |inner: &str| brackets(90).replace('1', inner);
    let root = format!(
        "locals {{\n  y = {}\n}}\nmodule \"m\" {{\n  source = \"./m\"\n  x      = {}\n}}\n",
        around("module.m.x"),
        brackets(90)
    );
    let inner = format!(
        "variable \"x\" {{}}\noutput \"x\" {{\n  value = {}\n}}\n",
        around("var.x")
    );
    let twice = project(&[("main.capol", &root), ("m/main.capol", &inner)]);
    assert_eq!(
        problems(twice.diagnostics()),
        ["lang::too_deep: this nests more than 256 levels deep (give the inner parts names with `locals`)"]
    );
}
