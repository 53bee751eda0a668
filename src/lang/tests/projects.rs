//! Whole projects: modules, circles, duplicates, settings.

use std::sync::Arc;

use super::{noon, problems, project, sound};
use crate::lang::memory::Memory;
use crate::lang::{Inputs, load};

#[test]
fn a_module_has_its_own_scope_and_gives_out_its_outputs() {
    let project = project(&[
        (
            "main.capol",
            "module \"site\" {\n  source   = \"./modules/site\"\n  for_each = { dk = \"Denmark\", se = \"Sweden\" }\n  name     = each.value\n  prefix   = local.prefix\n}\nlocals {\n  prefix = \"CA\"\n}\noutput \"all\" {\n  value = [for key, site in module.site : site.title]\n}\noutput \"one\" {\n  value = module.site[\"dk\"].location\n}\noutput \"folder\" {\n  value = module.site[\"dk\"].folder\n}\n",
        ),
        (
            "modules/site/main.capol",
            "variable \"name\" {\n  type = string\n}\nvariable \"prefix\" {\n  default = \"X\"\n}\nlocals {\n  title = \"${var.prefix} ${var.name}\"\n}\nlocation \"office\" {\n  name = local.title\n}\noutput \"title\" {\n  value = local.title\n}\noutput \"location\" {\n  value = location.office\n}\noutput \"folder\" {\n  value = path.module\n}\n",
        ),
    ]);
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    assert_eq!(
        project.output("all").unwrap().to_string(),
        "[\"CA Denmark\", \"CA Sweden\"]"
    );
    assert_eq!(
        project.output("one").unwrap().to_string(),
        "module.site[\"dk\"].location.office"
    );
    assert_eq!(project.output("folder").unwrap().to_string(), "\"modules/site\"");
    let addresses: Vec<String> = project
        .instances()
        .iter()
        .map(|one| one.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "module.site[\"dk\"].location.office",
            "module.site[\"se\"].location.office"
        ]
    );
}

#[test]
fn modules_come_from_git_and_from_capol_itself() {
    let project = project(&[
        (
            "main.capol",
            "module \"a\" {\n  source = \"git::https://example.com/r.git//sub?ref=v1.0.0\"\n}\nmodule \"b\" {\n  source = \"capol:baseline/x\"\n}\n",
        ),
        ("cache/v1.0.0/sub/main.capol", "policy \"p\" {}\n"),
        ("builtin/baseline/x/main.capol", "policy \"q\" {}\n"),
    ]);
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    let addresses: Vec<String> = project
        .instances()
        .iter()
        .map(|one| one.address.to_string())
        .collect();
    assert_eq!(addresses, ["module.a.policy.p", "module.b.policy.q"]);
}

#[test]
fn a_module_is_refused_for_what_is_wrong_with_it() {
    let inner = (
        "m/main.capol",
        "variable \"name\" {}\noutput \"it\" {\n  value = 1\n}\n",
    );
    for (module, expected) in [
        (
            "source = \"./nowhere\"",
            "lang::file: the folder `nowhere` could not be read: there is no such file or folder (write a path from the folder of this file, such as `./modules/offices`)",
        ),
        (
            "name = 1",
            "lang::missing: the module does not say where it lies (add `source = \"./FOLDER\"`, a pinned `git::https://…?ref=v1.0.0`, or `capol:baseline/…`)",
        ),
        (
            "source = \"./m\"",
            "lang::missing_variable: the variable `name` has no value (add `name = …` to the module, a value)",
        ),
        (
            "source = \"./m\"\n  name = 1\n  nane = 2",
            "lang::unknown_variable: the module has no variable `nane` (write `name`)",
        ),
        (
            "source = \"./m\"\n  name = 1\n  count = 2",
            "lang::terraform: the module has no variable `count` (use `for_each`, and `each.key` in the inputs)",
        ),
        (
            "source = \"./${\"m\"}\"\n  name = 1",
            "lang::module_source: the source of a module must be written out, not computed (write a string without `${…}`, such as `\"./modules/offices\"`)",
        ),
        (
            "source = \"git::https://example.com/r?ref=main\"",
            "lang::module_source: `main` is a branch, which moves (write `git::https://example.com/r?ref=v1.0.0` with a tag or a full commit hash)",
        ),
        (
            "source = \"./.\"",
            "lang::cycle: the module `m` contains itself (name another folder, or take the inner `module` block away)",
        ),
    ] {
        let text = format!("module \"m\" {{\n  {module}\n}}\n");
        assert_eq!(
            problems(project(&[("main.capol", &text), inner]).diagnostics()),
            [expected],
            "{module}"
        );
    }
}

#[test]
fn what_a_module_does_not_give_out_is_named() {
    let project = project(&[
        (
            "main.capol",
            "module \"m\" {\n  source = \"./m\"\n}\nmodule \"n\" {\n  source   = \"./m\"\n  for_each = [\"a\"]\n}\nlocals {\n  x = module.m.titel\n  y = module.n.title\n  z = module.k.title\n}\n",
        ),
        ("m/main.capol", "output \"title\" {\n  value = 1\n}\ncapol {}\n"),
    ]);
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::unknown_name: the module has no output `titel` (write `title`)",
            "lang::out_of_range: a module with `for_each` has no output `title` of its own (choose an instance first: `[\"a\"]`)",
            "lang::unknown_name: there is no module `k` (write `module.m`)",
            "lang::misplaced: `capol` may stand only in the root module (move the block to the project's own folder)",
        ]
    );
}

#[test]
fn a_circle_is_shown_as_a_path() {
    let project = project(&[(
        "main.capol",
        "locals {\n  a = local.b\n  b = [local.c]\n  c = \"${local.a}\"\n  d = try(local.d, 1)\n}\n",
    )]);
    let found = problems(project.diagnostics());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("lang::cycle: `local.c` needs itself: local.c → local.a → local.b → local.c")
            || found[0]
                .starts_with("lang::cycle: `local.a` needs itself: local.a → local.b → local.c → local.a"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("lang::cycle: `local.d` needs itself: local.d → local.d"),
        "{found:?}"
    );
    let circle = project.diagnostics().iter().next().unwrap();
    assert_eq!(circle.labels.len(), 3);
}

#[test]
fn a_circle_through_a_module_is_found() {
    let project = project(&[
        (
            "main.capol",
            "module \"m\" {\n  source = \"./m\"\n  x      = module.m.y\n}\n",
        ),
        (
            "m/main.capol",
            "variable \"x\" {}\noutput \"y\" {\n  value = var.x\n}\n",
        ),
    ]);
    let found = problems(project.diagnostics());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("var.x → output.y → var.x"), "{found:?}");
}

#[test]
fn the_same_name_twice_is_shown_at_both_places() {
    let project = project(&[
        (
            "a.capol",
            "policy \"p\" {}\nlocals {\n  x = 1\n}\ncapol {}\nscenario \"s\" {\n  sign_in {}\n  expect { access = denied }\n}\n",
        ),
        (
            "b.capol",
            "policy \"p\" {}\nlocals {\n  x = 2\n}\ncapol {}\nscenario \"s\" {\n  sign_in {}\n  expect { access = denied }\n}\nvariable \"v\" {\n  default = 1\n}\nvariable \"v\" {\n  default = 1\n}\n",
        ),
    ]);
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::duplicate: there are two blocks `policy \"p\"` (rename one of them)",
            "lang::duplicate: there are two locals `x` (rename one of them)",
            "lang::duplicate: there are two blocks `capol` (put everything into one block)",
            "lang::duplicate: there are two blocks `scenario \"s\"` (rename one of them)",
            "lang::duplicate: there are two blocks `variable \"v\"` (rename one of them)",
        ]
    );
    let first = project.diagnostics().iter().next().unwrap();
    let names: Vec<&str> = first
        .labels
        .iter()
        .map(|label| project.sources().get(label.span.file).unwrap().name())
        .collect();
    assert_eq!(names, ["b.capol", "a.capol"]);
}

#[test]
fn words_of_terraform_are_answered() {
    for (text, expected) in [
        (
            "resource \"azuread_named_location\" \"x\" {}",
            "lang::terraform: `resource` blocks are Terraform's (write `location \"x\" { … }`)",
        ),
        (
            "data \"azuread_group\" \"x\" {}",
            "lang::terraform: `data` blocks are Terraform's (look it up in place: `group(\"…\")`, `user(\"…\")`, `app(\"…\")`)",
        ),
        (
            "terraform {}",
            "lang::terraform: `terraform` blocks are Terraform's (write `capol { required_version = \"…\" }`)",
        ),
        (
            "provider \"azuread\" {}",
            "lang::terraform: `provider` blocks are Terraform's (write `tenant \"NAME\" { … }` to say which tenant and how to sign in)",
        ),
        (
            "polcy \"x\" {}",
            "lang::unknown_block: there is no block `polcy` (write `policy`)",
        ),
        (
            "policy {}",
            "lang::label: `policy` needs a name (write `policy \"NAME\" { … }`)",
        ),
        (
            "policy \"a\" \"b\" {}",
            "lang::label: `policy` takes one label (take `\"b\"` away)",
        ),
        (
            "policy \"CA001: MFA\" {}",
            "lang::label: `CA001: MFA` is not a name (write `\"ca001_mfa\"`, and put what people call it into `name = …`)",
        ),
        (
            "x = 1",
            "lang::misplaced: `x` stands outside of any block (put it into `locals { x = … }`, or into a `.capolvars` file if it gives a variable its value)",
        ),
    ] {
        let found = project(&[("main.capol", &format!("{text}\n"))]);
        assert_eq!(problems(found.diagnostics()), [expected], "{text}");
    }
}

#[test]
fn settings_become_the_models() {
    let project = sound(
        r#"
capol {
  required_version = ">= 0.1"
  visibility_lag   = 10m
}
tenant "contoso" {
  id      = "contoso.onmicrosoft.com"
  cloud   = usgov
  sign_in = workload_identity
}
emergency_access {
  users  = [user("breakglass1@contoso.com"), "00000000-0000-0000-0000-0000000000AA"]
  groups = [group.emergency]
}
group "emergency" {
  name = "Emergency access"
}
policy "now" {}
import {
  to = policy.now
  id = "11111111-0000-0000-0000-000000000001"
}
import {
  for_each = { a = "11111111-0000-0000-0000-00000000000a", b = "11111111-0000-0000-0000-00000000000b" }
  to       = location.many[each.key]
  id       = each.value
}
moved {
  from = policy.before
  to   = policy.now
}
removed {
  from = module.old.policy.gone
}
output "answer" {
  value = { policy = policy.now, app = app.office365, soak = 3d }
}
"#,
    );
    assert_eq!(project.settings.visibility_lag_seconds, Some(600));
    assert_eq!(project.tenants["contoso"].cloud.as_deref(), Some("usgov"));
    let emergency = project.emergency_access.as_ref().unwrap();
    assert_eq!(
        (
            emergency.users.len(),
            emergency.groups.len(),
            emergency.reference_origins.len()
        ),
        (2, 1, 3)
    );
    let imports: Vec<String> = project
        .imports
        .iter()
        .map(|one| format!("{} {}", one.to, one.id))
        .collect();
    assert_eq!(
        imports,
        [
            "policy.now 11111111-0000-0000-0000-000000000001",
            "location.many[\"a\"] 11111111-0000-0000-0000-00000000000a",
            "location.many[\"b\"] 11111111-0000-0000-0000-00000000000b"
        ]
    );
    assert_eq!(project.moves[0].from.to_string(), "policy.before");
    assert_eq!(project.removals[0].from.to_string(), "module.old.policy.gone");
    assert_eq!(
        project.outputs["answer"].value,
        serde_json::json!({ "policy": null, "app": "Office365", "soak": "3d" })
    );
}

#[test]
fn a_moved_module_moves_every_block_inside() {
    let project = project(&[
        (
            "main.capol",
            "module \"new\" {\n  source = \"./m\"\n}\nmoved {\n  from = module.old\n  to   = module.new\n}\n",
        ),
        (
            "m/main.capol",
            "policy \"p\" {}\nlocation \"l\" {\n  for_each = [\"a\"]\n}\n",
        ),
    ]);
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    let moves: Vec<String> = project
        .moves
        .iter()
        .map(|one| format!("{} {}", one.from, one.to))
        .collect();
    assert_eq!(
        moves,
        [
            "module.old.location.l[\"a\"] module.new.location.l[\"a\"]",
            "module.old.policy.p module.new.policy.p",
        ]
    );
}

#[test]
fn unreadable_files_are_errors_and_the_rest_is_still_read() {
    let files = Memory::new([
        ("good.capol", "policy \"p\" {}\n"),
        ("broken.capol", "policy \"q\" {\n  name = \n}\n"),
    ])
    .with("latin1.capol", b"# caf\xe9\n");
    let project = load(Arc::new(files), "".as_ref(), &Inputs::at(noon()));
    let codes: Vec<String> = project
        .diagnostics()
        .iter()
        .map(|one| one.code.to_string())
        .collect();
    assert_eq!(codes, ["syntax::missing_value", "syntax::not_utf8"]);
    assert_eq!(project.instances().len(), 2);
}

#[test]
fn an_empty_folder_is_an_error() {
    let project = load(Arc::new(Memory::default()), "".as_ref(), &Inputs::at(noon()));
    assert_eq!(
        problems(project.diagnostics()),
        [
            "lang::file: the folder `.` holds no `.capol` files (write one, or name another folder with `--chdir DIR`)"
        ]
    );
}

#[test]
fn what_is_typed_at_the_console_is_answered_in_the_root_module() {
    let project = sound("locals {\n  names = [\"a\", \"b\"]\n}\n");
    let (value, diagnostics, _) = project.evaluate_text("join(\"+\", local.names)");
    assert_eq!(
        (value.to_string(), diagnostics.is_empty()),
        ("\"a+b\"".to_owned(), true)
    );
    let (_, diagnostics, sources) = project.evaluate_text("local.nams");
    assert_eq!(
        problems(&diagnostics),
        ["lang::unknown_name: there is no local `nams` (write `local.names`)"]
    );
    assert_eq!(sources.slice(diagnostics.iter().next().unwrap().span()), "nams");
    assert!(project.evaluate_text("[1,").1.has_errors());
}
