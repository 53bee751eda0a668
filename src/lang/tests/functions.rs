//! Every family of functions, as a user of Terraform expects it.

use std::sync::Arc;

use super::{check, noon, problems, refuse};
use crate::lang::functions::all;
use crate::lang::memory::Memory;
use crate::lang::{Inputs, load};

#[test]
fn strings() {
    check(
        "locals {}",
        &[
            ("upper(\"straße\")", "\"STRASSE\""),
            ("title(\"hello wide world\")", "\"Hello Wide World\""),
            ("join(\"-\", [\"a\", 1, true])", "\"a-1-true\""),
            ("split(\",\", \"a,b,\")", "[\"a\", \"b\", \"\"]"),
            ("split(\",\", \"\")", "[]"),
            ("replace(\"1 + 2\", \"+\", \"-\")", "\"1 - 2\""),
            ("replace(\"ab12\", \"/[0-9]+/\", \"<$0>\")", "\"ab<12>\""),
            (
                "regex(\"[a-z]+\", \"53453453.345345aaabbbccc23454\")",
                "\"aaabbbccc\"",
            ),
            ("regex(\"(\\\\d+)-(\\\\d+)\", \"10-20\")", "[\"10\", \"20\"]"),
            (
                "regex(\"(?P<from>\\\\d+)-(?P<to>\\\\d+)\", \"10-20\")",
                "{ from = \"10\", to = \"20\" }",
            ),
            ("regexall(\"[a-z]\", \"a1b2\")", "[\"a\", \"b\"]"),
            ("substr(\"hello world\", 1, 4)", "\"ello\""),
            ("substr(\"hello\", -2, -1)", "\"lo\""),
            ("trimprefix(\"helloworld\", \"hello\")", "\"world\""),
            ("trim(\"?!hello?!\", \"!?\")", "\"hello\""),
            ("trimspace(\"  a \\n\")", "\"a\""),
            ("chomp(\"a\\r\\n\\n\")", "\"a\""),
            ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
            ("strrev(\"añb\")", "\"bña\""),
            ("startswith(\"hello\", \"he\")", "true"),
            ("strcontains(\"hello\", \"ell\")", "true"),
            (
                "format(\"CA%03d %s %q %v %.2f %x %5s|%-5s|%%\", 7, \"a\", \"b\", [1], 3.14159, 255, \"r\", \"l\")",
                "\"CA007 a \\\"b\\\" [1] 3.14 ff     r|l    |%\"",
            ),
            ("format(\"%[2]s %[1]s\", \"a\", \"b\")", "\"b a\""),
            (
                "formatlist(\"%s@%s\", [\"a\", \"b\"], \"x\")",
                "[\"a@x\", \"b@x\"]",
            ),
        ],
    );
}

#[test]
fn collections() {
    check(
        "locals {}",
        &[
            ("length([1, 2])", "2"),
            ("length(\"añb\")", "3"),
            ("length({ a = 1 })", "1"),
            ("concat([1], [2], [])", "[1, 2]"),
            ("flatten([1, [2, [3]]])", "[1, 2, 3]"),
            ("distinct([1, 2, 1])", "[1, 2]"),
            ("compact([\"a\", \"\", null, \"b\"])", "[\"a\", \"b\"]"),
            ("contains([enabled], \"enabled\")", "true"),
            ("coalesce(null, \"\", \"a\")", "\"a\""),
            ("coalescelist([], [1])", "[1]"),
            ("element([1, 2, 3], 4)", "2"),
            ("element([1, 2, 3], -1)", "3"),
            ("index([\"a\", \"b\"], \"b\")", "1"),
            ("keys({ b = 1, a = 2 })", "[\"a\", \"b\"]"),
            ("values({ b = 1, a = 2 })", "[2, 1]"),
            ("lookup({ a = 1 }, \"b\", 9)", "9"),
            ("merge({ a = 1 }, null, { a = 2, b = 3 })", "{ a = 2, b = 3 }"),
            ("one([])", "null"),
            ("one([4])", "4"),
            ("range(3)", "[0, 1, 2]"),
            ("range(1, 8, 3)", "[1, 4, 7]"),
            ("range(3, 0)", "[3, 2, 1]"),
            ("reverse([1, 2])", "[2, 1]"),
            ("slice([1, 2, 3], 1, 3)", "[2, 3]"),
            ("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"),
            ("sum([1, 2.5])", "3.5"),
            ("zipmap([\"a\", \"b\"], [1, 2])", "{ a = 1, b = 2 }"),
            (
                "transpose({ a = [\"1\", \"2\"], b = [\"2\"] })",
                "{ 1 = [\"a\"], 2 = [\"a\", \"b\"] }"
                    .replace("1 =", "\"1\" =")
                    .replace("2 =", "\"2\" =")
                    .leak(),
            ),
            ("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
            ("matchkeys([1, 2], [\"a\", \"b\"], [\"b\"])", "[2]"),
            ("alltrue([true, \"true\"])", "true"),
            ("anytrue([])", "false"),
            ("setunion([1], [2, 1])", "[1, 2]"),
            ("setintersection([1, 2], [2, 3])", "[2]"),
            ("setsubtract([1, 2], [2])", "[1]"),
            ("setproduct([1, 2], [\"a\"])", "[[1, \"a\"], [2, \"a\"]]"),
            ("max([1, 5, 2]...)", "5"),
        ],
    );
}

#[test]
fn numbers_and_conversions() {
    check(
        "locals {}",
        &[
            ("abs(-1.5)", "1.5"),
            ("ceil(1.2)", "2"),
            ("floor(-1.2)", "-2"),
            ("log(8, 2)", "3"),
            ("pow(2, 10)", "1024"),
            ("signum(-3)", "-1"),
            ("min(3, 1, 2)", "1"),
            ("parseint(\"ff\", 16)", "255"),
            ("tostring(1)", "\"1\""),
            ("tonumber(\"1.5\")", "1.5"),
            ("tobool(\"true\")", "true"),
            ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
            ("tolist([1])", "[1]"),
            ("tomap({ a = 1 })", "{ a = 1 }"),
            ("try(var.absent, [][0], \"x\")", "\"x\""),
            ("can(tonumber(\"x\"))", "false"),
            ("can(1)", "true"),
        ],
    );
}

#[test]
fn encodings_and_hashes() {
    check(
        "locals {}",
        &[
            ("base64encode(\"Hello World\")", "\"SGVsbG8gV29ybGQ=\""),
            ("base64decode(\"SGVsbG8gV29ybGQ=\")", "\"Hello World\""),
            (
                "jsonencode({ b = [1, null], a = 4h })",
                "\"{\\\"a\\\":\\\"4h\\\",\\\"b\\\":[1,null]}\"",
            ),
            ("jsondecode(\"{\\\"a\\\": [1, 2.5, true]}\").a", "[1, 2.5, true]"),
            ("csvdecode(\"a,b\\n1,2\\n\")", "[{ a = \"1\", b = \"2\" }]"),
            ("yamldecode(\"a: 1\\nb: [x]\")", "{ a = 1, b = [\"x\"] }"),
            ("yamlencode({ a = [1] })", "\"a:\\n- 1\\n\""),
            (
                "sha256(\"hello world\")",
                "\"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9\"",
            ),
            (
                "uuidv5(\"dns\", \"www.terraform.io\")",
                "\"a5008fae-b28c-5ba5-96cd-82b4c53552d6\"",
            ),
            ("urlencode(\"a b&c\")", "\"a+b%26c\""),
        ],
    );
}

#[test]
fn networks() {
    check(
        "locals {}",
        &[
            ("cidrsubnet(\"172.16.0.0/12\", 4, 2)", "\"172.18.0.0/16\""),
            (
                "cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)",
                "\"fd00:fd12:3456:7800:a200::/72\"",
            ),
            ("cidrhost(\"10.12.112.0/20\", 16)", "\"10.12.112.16\""),
            ("cidrhost(\"10.12.112.0/20\", -1)", "\"10.12.127.255\""),
            (
                "cidrhost(\"fd00:fd12:3456:7890:00a2::/72\", 34)",
                "\"fd00:fd12:3456:7890::22\"",
            ),
            ("cidrnetmask(\"172.16.0.0/12\")", "\"255.240.0.0\""),
            (
                "cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)",
                "[\"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\", \"10.1.48.0/20\"]",
            ),
            ("cidrcontains(\"10.0.0.0/8\", \"10.9.0.0/16\")", "true"),
            ("cidrcontains(\"10.0.0.0/8\", \"11.0.0.1\")", "false"),
            ("cidrcontains(\"10.0.0.0/8\", \"fd00::1\")", "false"),
        ],
    );
}

#[test]
fn times() {
    check(
        "locals {}",
        &[
            ("now()", "\"2026-11-23T12:00:00Z\""),
            ("timestamp() == plantimestamp()", "true"),
            ("timeadd(now(), 14d)", "\"2026-12-07T12:00:00Z\""),
            (
                "timeadd(\"2017-11-22T00:00:00Z\", \"1h30m\")",
                "\"2017-11-22T01:30:00Z\"",
            ),
            (
                "timeadd(\"2017-11-22T00:00:00Z\", \"-10m\")",
                "\"2017-11-21T23:50:00Z\"",
            ),
            (
                "timecmp(\"2017-11-22T00:00:00Z\", \"2017-11-22T01:00:00+01:00\")",
                "0",
            ),
            (
                "formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2018-01-02T23:12:01Z\")",
                "\"02 Jan 2018 23:12 UTC\"",
            ),
            (
                "formatdate(\"EEEE, DD-MMM-YY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01Z\")",
                "\"Tuesday, 02-Jan-18 23:12:01 UTC\"",
            ),
            (
                "formatdate(\"EEE, DD MMM YYYY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01-08:00\")",
                "\"Tue, 02 Jan 2018 23:12:01 -0800\"",
            ),
            (
                "formatdate(\"h'h'mm AA\", \"2018-01-02T23:12:01Z\")",
                "\"23h12 PM\"",
            ),
        ],
    );
}

#[test]
fn files_come_from_the_project() {
    let files = Memory::new([
        (
            "main.capol",
            "output \"o\" {\n  value = [file(\"data/a.txt\"), fileexists(\"no\"), fileset(path.root, \"**/*.{txt,csv}\"), fileset(\"data\", \"*.txt\"), basename(\"a/b.c\"), dirname(\"a/b.c\")]\n}\n",
        ),
        ("data/a.txt", "hello"),
        ("data/deep/b.csv", "x"),
    ]);
    let project = load(Arc::new(files), "".as_ref(), &Inputs::at(noon()));
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    assert_eq!(
        project.output("o").unwrap().to_string(),
        "[\"hello\", false, [\"data/a.txt\", \"data/deep/b.csv\"], [\"a.txt\"], \"b.c\", \"a\"]"
    );
}

#[test]
fn what_a_function_refuses_it_refuses_with_a_way_out() {
    refuse(
        "locals { bad = \"x\" }",
        &[
            (
                "uper(\"a\")",
                "lang::unknown_function: there is no function `uper` (write `upper(…)`)",
            ),
            (
                "upper()",
                "lang::argument_count: `upper` takes 1 argument, not 0 (write `upper(string)`)",
            ),
            (
                "lookup({})",
                "lang::argument_count: `lookup` takes 2 to 3 arguments, not 1 (write `lookup(map, key, default)`)",
            ),
            (
                "upper(string = \"a\")",
                "lang::argument_count: `upper` has no argument called `string` (write `upper(string)`)",
            ),
            (
                "upper([])",
                "lang::function_argument: `upper` takes a string here, not a list (write `upper(string)`)",
            ),
            (
                "tonumber(local.bad)",
                "lang::function_argument: `x` is not a number (write a number; the type is `number`)",
            ),
            (
                "cidrsubnet(\"10.0.0.0/8\", 30, 0)",
                "lang::function_argument: the prefix of `10.0.0.0/8` cannot be made longer by 30 bits (write a number from 0 to 24)",
            ),
            (
                "cidrsubnet(\"10.0.0.0/8\", 1, 2)",
                "lang::function_argument: `10.0.0.0/8` has no subnet number 2 with 1 more bits (give a number that fits in 1 bits to `cidrsubnet`)",
            ),
            (
                "cidrhost(\"10.0.0\", 1)",
                "lang::function_argument: `10.0.0` is not an IP range (write it as address and prefix length: `203.0.113.0/24`)",
            ),
            (
                "timeadd(\"yesterday\", 1d)",
                "lang::function_argument: `yesterday` is not a moment in time (write it in RFC 3339: `2027-01-31T08:00:00Z`)",
            ),
            (
                "regex(\"(\", \"a\")",
                "lang::function_argument: `(` is not a regular expression: unclosed group (write a pattern without look-around or back-references in `regex`)",
            ),
            (
                "file(\"none.txt\")",
                "lang::function_argument: `none.txt` could not be read: there is no such file or folder (give a path from the project's folder, or start it with `${path.module}/`)",
            ),
            (
                "jsondecode(\"{\")",
                "lang::function_argument: the text is not JSON: EOF while parsing an object at line 1 column 1 (give one complete JSON document)",
            ),
            (
                "group(it)",
                "lang::function_argument: `group` takes a name in quotes, not the word `it` (write `group(\"it\")`)",
            ),
            (
                "group(\" \")",
                "lang::function_argument: `group` was given an empty name (write what people call it: `group(\"…\")`)",
            ),
            (
                "format(\"%d\", \"x\")",
                "lang::function_argument: `%d` in the template cannot show a string (write verbs such as `%s`, `%d`, `%03d`, `%.2f`, `%q`, `%v`, and `%%` for a percent sign)",
            ),
            (
                "try(var.a, var.b)",
                "lang::function_argument: `try` has no argument that can be evaluated (add a last argument that always can, such as `null`)",
            ),
            (
                "range(0, 100000)",
                "lang::function_argument: `range` makes at most 10000 numbers (give a nearer limit or a larger step)",
            ),
        ],
    );
}

#[test]
fn every_function_says_how_it_is_called() {
    let mut names = std::collections::BTreeSet::new();
    for function in all() {
        assert!(
            names.insert(function.name),
            "{} stands twice in the table",
            function.name
        );
        assert!(
            function.signature.starts_with(&format!("{}(", function.name)),
            "{}",
            function.signature
        );
        assert!(function.doc.ends_with('.'), "{}", function.doc);
        assert!(
            function.most.is_none_or(|most| most >= function.least),
            "{}",
            function.name
        );
    }
}
