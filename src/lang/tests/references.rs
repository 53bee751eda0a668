//! Blocks, look-ups and the built-in catalogues, referred to.

use super::{check, problems, project, refuse, sound};

const OFFICES: &str = r#"
location "offices" {
  name      = "All offices"
  ip_ranges = ["203.0.113.0/24"]
}
location "branch" {
  for_each = { dk = "203.0.113.0/24", se = "198.51.100.0/24" }
  name     = "Branch ${each.key}"
}
policy "mfa" {
  name = "CA001"
}
group "it" {
  name = "IT"
}
group "ring" {
  for_each = ["first", "second"]
  name     = "Ring ${each.key}"
}
group "owned" {
  managed = true
  name    = "Owned by capol"
}
user "ada" {
  id = "0A0A0A0A-0000-0000-0000-000000000001"
}
"#;

#[test]
fn a_reference_knows_its_kind() {
    check(
        OFFICES,
        &[
            ("location.offices", "location.offices"),
            ("location.offices.id", "location.offices"),
            ("location.offices.name", "\"All offices\""),
            ("location.branch[\"dk\"]", "location.branch[\"dk\"]"),
            ("location.branch[\"dk\"].name", "\"Branch dk\""),
            (
                "[for key, one in location.branch : one.name]",
                "[\"Branch dk\", \"Branch se\"]",
            ),
            (
                "values(location.branch)",
                "[location.branch[\"dk\"], location.branch[\"se\"]]",
            ),
            ("policy.mfa", "policy.mfa"),
            ("policy.mfa.name", "\"CA001\""),
            ("group.it", "group(\"IT\")"),
            ("group.it.name", "\"IT\""),
            ("group.ring[\"first\"]", "group(\"Ring first\")"),
            ("group.owned", "group.owned"),
            ("user.ada", "user(\"0a0a0a0a-0000-0000-0000-000000000001\")"),
        ],
    );
}

#[test]
fn look_ups_take_names_and_guids() {
    check(
        "locals {}",
        &[
            ("group(\"Tier 0 admins\")", "group(\"Tier 0 admins\")"),
            (
                "user(\"ABCDEF00-0000-0000-0000-000000000001\")",
                "user(\"abcdef00-0000-0000-0000-000000000001\")",
            ),
            (
                "service_principal(\"Deploy bot\")",
                "service_principal(\"Deploy bot\")",
            ),
            ("group(group(\"x\"))", "group(\"x\")"),
        ],
    );
}

#[test]
fn the_catalogues_need_no_look_up() {
    check(
        "locals {}",
        &[
            (
                "role.global_administrator",
                "role(\"62e90394-69f5-4237-9190-012177145e10\")",
            ),
            (
                "role(\"Global Administrator\")",
                "role(\"62e90394-69f5-4237-9190-012177145e10\")",
            ),
            (
                "strength.phishing_resistant_mfa",
                "strength(\"00000000-0000-0000-0000-000000000004\")",
            ),
            ("app.office365", "Office365"),
            (
                "app.azure_management",
                "app(\"797f4846-ba00-4fd7-ba43-dac1f8f63013\")",
            ),
            ("context.c4", "context(\"c4\")"),
            (
                "action.register_security_info",
                "action(\"urn:user:registersecurityinfo\")",
            ),
        ],
    );
}

#[test]
fn constructors_are_kept_as_data() {
    check(
        "locals {}",
        &[
            ("any_of(mfa, compliant_device)", "any_of(mfa, compliant_device)"),
            (
                "guests([internal_guest], tenants = [\"a\"])",
                "guests([internal_guest], tenants = [\"a\"])",
            ),
            (
                "filter(\"device.isCompliant -eq True\")",
                "filter(\"device.isCompliant -eq True\")",
            ),
            (
                "[include(\"why\"), none(\"why\"), custom(\"x\")]",
                "[include(\"why\"), none(\"why\"), custom(\"x\")]",
            ),
        ],
    );
}

#[test]
fn a_name_that_nothing_has_is_answered_with_the_nearest() {
    refuse(
        OFFICES,
        &[
            (
                "location.ofices",
                "lang::unknown_name: there is no location `ofices` (write `location.offices`)",
            ),
            (
                "role.global_adminstrator",
                "lang::unknown_name: there is no role `global_adminstrator` (write `role.global_administrator`)",
            ),
            (
                "app.office_365",
                "lang::unknown_name: there is no app `office_365` (write `app.office365`)",
            ),
            (
                "action.register_security",
                "lang::unknown_name: there is no action `register_security` (write `action.register_security_info`)",
            ),
            (
                "policy.nothing_like_it",
                "lang::unknown_name: there is no policy `nothing_like_it` (write `policy.mfa`)",
            ),
            (
                "context.c100",
                "lang::unknown_name: there is no context `c100` (declare it: `context \"c100\" { … }`)",
            ),
            (
                "user.bob",
                "lang::unknown_name: there is no user `bob` (look it up by what people call it, `user(\"…\")`, or declare `user \"bob\" { name = \"…\" }`)",
            ),
            (
                "polcy.mfa",
                "lang::unknown_name: `polcy` names nothing here (write `policy.mfa`)",
            ),
            (
                "data.azuread_group.x",
                "lang::unknown_name: `data` names nothing here (look it up in place: `group(\"…\")`, `user(\"…\")`, `app(\"…\")`)",
            ),
            (
                "count.index",
                "lang::unknown_name: `count` names nothing here (use `for_each` with `each.key` and `each.value`)",
            ),
            (
                "each.key",
                "lang::misplaced: `each` means something only in a block with `for_each` (add `for_each = …` to the block)",
            ),
            (
                "var",
                "lang::unknown_name: `var` alone names nothing (write `var.NAME`)",
            ),
            (
                "location.offices.trusted",
                "lang::unknown_attribute: `location.offices` has no attribute `trusted` that is known before the apply (write `.id` or `.name`)",
            ),
            (
                "policy.mfa.id",
                "lang::not_known_yet: the id of `policy.mfa` is known only to the service (refer to the block itself, without `.id`)",
            ),
            (
                "location.branch[\"no\"]",
                "lang::out_of_range: the object has no key `no` (write `dk` or `se`)",
            ),
        ],
    );
}

#[test]
fn a_label_never_hides_what_is_built_in() {
    let project = project(&[(
        "main.capol",
        "app \"office365\" {\n  name = \"x\"\n}\nrole \"global_administrator\" {\n  name = \"x\"\n}\n",
    )]);
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::shadowed: `app.office365` is built in, so no block can have that name (rename the block, or use `app.office365` without declaring it)",
            "lang::shadowed: `role.global_administrator` is built in, so no block can have that name (rename the block, or use `role.global_administrator` without declaring it)",
        ]
    );
}

#[test]
fn every_instance_has_its_address_and_scope() {
    let project = sound(OFFICES);
    let addresses: Vec<String> = project
        .instances()
        .iter()
        .map(|one| one.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "group.owned",
            "location.offices",
            "location.branch[\"dk\"]",
            "location.branch[\"se\"]",
            "policy.mfa"
        ]
    );
    let mut diagnostics = crate::lang::error::Diagnostics::new();
    let names: Vec<String> = project
        .instances()
        .iter()
        .map(|one| {
            let name = one
                .block
                .body
                .attributes()
                .find(|attribute| attribute.name.text == "name")
                .unwrap();
            project
                .evaluate(&name.value, &one.scope, &mut diagnostics)
                .to_string()
        })
        .collect();
    assert_eq!(
        names,
        [
            "\"Owned by capol\"",
            "\"All offices\"",
            "\"Branch dk\"",
            "\"Branch se\"",
            "\"CA001\""
        ]
    );
    assert!(diagnostics.is_empty());
}

#[test]
fn for_each_walks_maps_and_lists_of_strings_only() {
    for (for_each, expected) in [
        (
            "4",
            "lang::for_each: `for_each` walks over a map or a list of strings, not a number (write a map `{ a = … }` or a list `[\"a\", \"b\"]`)",
        ),
        (
            "[1]",
            "lang::for_each: `for_each` needs a string for every key, not a number (give every element a key: `{ for x in list : x.name => x }`)",
        ),
        (
            "[\"a\", \"a\"]",
            "lang::key_twice: `for_each` has the key `a` twice (wrap the list in `toset(…)`)",
        ),
        (
            "each.value",
            "lang::misplaced: `each` means something only in a block with `for_each` (add `for_each = …` to the block)",
        ),
        (
            "sensitive([\"a\"])",
            "lang::sensitive: `for_each` is sensitive, and its keys would show in addresses (walk over something else, or wrap it in `nonsensitive(…)`)",
        ),
    ] {
        let project = project(&[(
            "main.capol",
            &format!("policy \"p\" {{\n  for_each = {for_each}\n}}\n"),
        )]);
        assert_eq!(problems(project.diagnostics()), [expected], "{for_each}");
        assert!(project.instances().is_empty());
    }
}

#[test]
fn depends_on_names_blocks_and_whole_modules() {
    let project = project(&[
        (
            "main.capol",
            "policy \"a\" {\n  depends_on = [policy.b, location.l, module.m]\n}\npolicy \"b\" {}\nlocation \"l\" {\n  for_each = [\"x\", \"y\"]\n}\nmodule \"m\" {\n  source = \"./m\"\n  depends_on = [policy.b]\n}\n",
        ),
        ("m/main.capol", "policy \"inner\" {}\n"),
    ]);
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    let mut diagnostics = crate::lang::error::Diagnostics::new();
    let of = |address: &str, diagnostics: &mut _| {
        let instance = project
            .instances()
            .iter()
            .find(|one| one.address.to_string() == address)
            .unwrap();
        let all = project.depends_on(instance, diagnostics);
        all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        of("policy.a", &mut diagnostics),
        [
            "location.l[\"x\"]",
            "location.l[\"y\"]",
            "policy.b",
            "module.m.policy.inner"
        ]
    );
    assert_eq!(of("module.m.policy.inner", &mut diagnostics), ["policy.b"]);
    assert!(diagnostics.is_empty(), "{:?}", problems(&diagnostics));
}
