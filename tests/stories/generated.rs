//! The parts of pages that the program writes: `<!-- generated: NAME -->` to `<!-- end -->`.

use clap::CommandFactory as _;

use capol::cli::Invocation;
use capol::graph::permissions;
use capol::lang::blocks::{self, LabelRule, Role};
use capol::lang::functions;
use capol::model::Kind;
use capol::model::catalogue::roles::{self, RoleStanding};
use capol::model::catalogue::{apps, strengths};
use capol::model::gap::{Needs, RuleRow};
use capol::model::properties::{Access, ApiVersion, Property, Shape, Symbols, TextKind};

use super::{root, settle};
use crate::shared;

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

#[test]
fn what_the_program_writes_of_itself_is_up_to_date() {
    let mut wrong = Vec::new();
    let mut commands = Vec::new();
    for path in shared::files(&root().join("book/src"), ".md") {
        let text = std::fs::read_to_string(&path).expect("a readable page");
        let mut wanted = String::new();
        let mut rest = text.as_str();
        while let Some((before, behind)) = rest.split_once(BEGIN) {
            let (name, behind) = behind.split_once(" -->\n").expect("a name");
            let (_, behind) = behind.split_once(END).expect("an end");
            wanted += &format!("{before}{BEGIN}{name} -->\n{}\n{END}", section(name).trim_end());
            commands.extend(name.strip_prefix("command ").map(str::to_owned));
            rest = behind;
        }
        wanted += rest;
        wrong.extend(settle(&path, &text, &wanted).err());
    }
    let missing: Vec<String> = Invocation::command()
        .get_subcommands()
        .flat_map(|command| {
            let name = command.get_name().to_owned();
            let inner: Vec<String> = command
                .get_subcommands()
                .map(|inner| format!("{name} {}", inner.get_name()))
                .collect();
            if inner.is_empty() { vec![name] } else { inner }
        })
        .filter(|name| !commands.contains(name))
        .collect();
    assert!(missing.is_empty(), "commands that no page describes: {missing:?}");
    assert!(
        wrong.is_empty(),
        "run with CAPOL_STORIES=overwrite:\n{}",
        wrong.join("\n")
    );
}

fn section(name: &str) -> String {
    let (what, which) = name.split_once(' ').unwrap_or((name, ""));
    match (what, which) {
        ("properties", "policy") => properties(Kind::Policy),
        ("properties", "ip_location") => properties(Kind::IpLocation),
        ("properties", "country_location") => properties(Kind::CountryLocation),
        ("properties", "strength") => properties(Kind::Strength),
        ("properties", "context") => properties(Kind::Context),
        ("properties", "group") => properties(Kind::Group),
        ("blocks", "") => all_blocks(),
        ("block", name) => block(name),
        ("functions", "") => all_functions(),
        ("apps", "") => all_apps(),
        ("roles", "") => all_roles(),
        ("strengths", "") => all_strengths(),
        ("methods", "") => methods(),
        ("permissions", "") => all_permissions(),
        ("gaps", "") => all_gaps(),
        ("command", path) => command(path),
        ("global-options", "") => global_options(),
        _ => panic!("nothing writes the section `{name}`"),
    }
}

fn all_gaps() -> String {
    let rows = RuleRow::all().iter().map(|row| {
        vec![
            format!("`{}`", row.code),
            row.severity.word().to_owned(),
            match row.needs {
                Needs::Nothing => "`validate`, `plan`".to_owned(),
                Needs::Tenant => "`plan`".to_owned(),
            },
            format!("{}.", row.title),
        ]
    });
    table(&["code", "at most a", "asked by", "finds"], rows)
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let mut text = line(&head);
    text += &line(&vec!["---".to_owned(); head.len()]);
    for row in rows {
        let row: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text += &line(&row);
    }
    text
}

fn code(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    words.join(", ")
}

fn properties(kind: Kind) -> String {
    let written = kind
        .properties()
        .iter()
        .filter(|property| !property.dsl.is_empty() && property.access != Access::ReadOnly);
    let rows = written.map(|property| {
        vec![
            code(property.dsl),
            takes(property),
            format!("`{}`", property.wire),
            notes(property),
        ]
    });
    table(&["write", "takes", "in Graph", ""], rows)
}

fn takes(property: &Property) -> String {
    let symbols = || code(property.symbols().into_iter().flat_map(Symbols::words));
    match property.shape {
        Shape::Text { .. } => "a string".into(),
        Shape::Boolean | Shape::Toggle => "`true` or `false`".into(),
        Shape::Flag(word) => format!("`{word}`"),
        Shape::Symbol(_) | Shape::Mode { .. } => format!("one of {}", symbols()),
        Shape::SymbolSet(_) | Shape::Flags(_) => format!("a list of {}", symbols()),
        Shape::TextMode { .. } => "an id".into(),
        Shape::Texts(TextKind::Countries) => "a list of two-letter codes".into(),
        Shape::Texts(TextKind::IpRanges) => "a list of ranges".into(),
        Shape::Texts(TextKind::Plain) => "a list of strings".into(),
        Shape::References(accepts) => {
            let word = accepts.target.word();
            let mut kinds = format!("a list of {word} references");
            // `action.register_security_info`, `app.office365`: some keywords are written as references.
            let words = code(accepts.keywords.words().map(|keyword| match word {
                "action" => format!("action.{keyword}"),
                "app" if apps::by_name(keyword).is_some() => format!("app.{keyword}"),
                _ => keyword.to_owned(),
            }));
            if !words.is_empty() {
                kinds += &format!(", {words}");
            }
            kinds
        }
        Shape::Guests => format!("`guests([kind, …], tenants = [id, …])`; kinds are {}", symbols()),
        Shape::Filter => "`filter(\"rule\")`".into(),
        Shape::Grant => format!(
            "a control, `any_of(…)` or `all_of(…)`; controls are {}, `strength.NAME`, `terms.NAME`, `custom(\"…\")`",
            symbols()
        ),
        Shape::SignInFrequency => {
            "a number of hours or days (`4h`, `7d`), or `every_time`; `sign_in_frequency_for` takes `secondary` or `primary_and_secondary`".into()
        }
        Shape::Combinations => format!(
            "a list of methods, or `all_of(…)` of two; methods are {}",
            symbols()
        ),
        Shape::CombinationConfigurations => "blocks `fido2 { … }` and `x509 { … }`".into(),
    }
}

fn notes(property: &Property) -> String {
    let mut notes = property.doc.to_owned();
    if property.required {
        notes += " Must be written.";
    }
    if property.access == Access::CreateOnly {
        notes += " A change makes a new object.";
    }
    if property.version == ApiVersion::Beta {
        notes += " Beta.";
    }
    notes
}

fn all_blocks() -> String {
    let rows = blocks::all().iter().map(|kind| {
        let shape = match kind.label {
            LabelRule::None => format!("`{} {{ … }}`", kind.name),
            LabelRule::Name => format!("`{} \"NAME\" {{ … }}`", kind.name),
            LabelRule::Text => format!("`{} \"TEXT\" {{ … }}`", kind.name),
        };
        let standing = match kind.role {
            Role::Language => "part of the language",
            Role::Resource => "an object in Entra",
            Role::LookUp => "a look-up",
            Role::Setting => "a setting",
            Role::Expectation => "a test of effect",
            Role::Rollout => "a staged rollout",
            Role::Deferred => "checked, not yet carried out",
        };
        let only = if kind.root_only {
            " In the root module only."
        } else {
            ""
        };
        vec![shape, standing.to_owned(), format!("{}{only}", kind.doc)]
    });
    table(&["block", "", "for"], rows)
}

fn block(name: &str) -> String {
    let kind = blocks::find(name).unwrap_or_else(|| panic!("no block `{name}`"));
    let mut rows = Vec::new();
    for attribute in kind.schema.attributes {
        let required = if attribute.required {
            " Must be written."
        } else {
            ""
        };
        rows.push(vec![
            format!("`{}`", attribute.name),
            shape(attribute.shape),
            format!("{}{required}", attribute.doc),
        ]);
    }
    for inner in kind.schema.blocks {
        let label = if inner.labelled { " \"NAME\"" } else { "" };
        rows.push(vec![
            format!("`{}{label} {{ … }}`", inner.name),
            "a block".into(),
            inner.doc.to_owned(),
        ]);
    }
    table(&["write", "takes", ""], rows)
}

fn shape(shape: blocks::Shape) -> String {
    use blocks::Shape as S;
    match shape {
        S::Any => "any value".into(),
        S::Expression => "an expression".into(),
        S::Text => "a string".into(),
        S::Bool => "`true` or `false`".into(),
        S::Count => "a whole number".into(),
        S::Duration => "a duration".into(),
        S::Percent => "a percentage".into(),
        S::Moment => "a date or time".into(),
        S::Word(words) => format!("one of {}", code(words)),
        S::List(inner) => format!("a list: {}", self::shape(*inner)),
        S::Reference(targets) => {
            let words: Vec<&str> = targets.iter().map(|target| target.word()).collect();
            format!("{} references", words.join(", "))
        }
        S::Block(kinds) => format!("a reference to a {} block", code(kinds)),
        S::Constructor(names, words) => {
            let names = names.iter().map(|name| format!("{name}(…)"));
            code(names.chain(words.iter().map(ToString::to_string)))
        }
        S::Either(shapes) => {
            let shapes: Vec<String> = shapes.iter().map(|inner| self::shape(*inner)).collect();
            shapes.join("; or ")
        }
    }
}

fn all_functions() -> String {
    let mut text = String::new();
    let mut family = "";
    let mut rows = Vec::new();
    for function in functions::all() {
        if function.family != family && !rows.is_empty() {
            text += &format!(
                "### Functions: {family}\n\n{}\n",
                table(&["function", ""], std::mem::take(&mut rows))
            );
        }
        family = function.family;
        rows.push(vec![format!("`{}`", function.signature), function.doc.to_owned()]);
    }
    text + &format!("### Functions: {family}\n\n{}", table(&["function", ""], rows))
}

fn all_apps() -> String {
    let rows = apps::all().iter().map(|app| {
        vec![
            format!("`app.{}`", app.name),
            app.display_name.to_owned(),
            format!("`{}`", app.target.wire()),
        ]
    });
    table(&["write", "name", "in Graph"], rows)
}

fn all_roles() -> String {
    let rows = roles::all().iter().map(|role| {
        let standing = match role.standing {
            RoleStanding::Ordinary => "",
            RoleStanding::Privileged => "privileged",
            RoleStanding::Deprecated => "should not be used",
            RoleStanding::Implicit => "held by the service itself",
        };
        vec![
            format!("`role.{}`", role.name),
            role.display_name.to_owned(),
            format!("`{}`", role.template_id),
            standing.to_owned(),
        ]
    });
    table(&["write", "name", "template id", ""], rows)
}

fn all_strengths() -> String {
    let rows = strengths::all().iter().map(|strength| {
        vec![
            format!("`strength.{}`", strength.name),
            strength.display_name.to_owned(),
            format!("`{}`", strength.id),
        ]
    });
    table(&["write", "name", "id"], rows)
}

fn methods() -> String {
    let rows = capol::model::properties::authentication_methods()
        .rows
        .iter()
        .map(|row| vec![format!("`{}`", row.word), format!("`{}`", row.wire)]);
    table(&["write", "in Graph"], rows)
}

/// What capol asks Graph for, and whether it ever writes there.
const ASKED: &[(&str, &str, bool)] = &[
    (
        "policies and named locations",
        "identity/conditionalAccess/policies",
        true,
    ),
    (
        "authentication strengths",
        "policies/authenticationStrengthPolicies",
        true,
    ),
    (
        "authentication contexts",
        "identity/conditionalAccess/authenticationContextClassReferences",
        true,
    ),
    (
        "deleted policies and locations",
        "identity/conditionalAccess/deletedItems",
        true,
    ),
    (
        "security defaults",
        "policies/identitySecurityDefaultsEnforcementPolicy",
        false,
    ),
    ("the organisation", "organization", false),
    ("users", "users", false),
    ("groups; writing for `managed = true`", "groups", true),
    ("applications and service principals", "servicePrincipals", false),
    ("role holders", "roleManagement/directory", false),
    ("terms of use", "identityGovernance/termsOfUse", false),
];

fn all_permissions() -> String {
    let needed = |path: &str, writes| {
        let words = permissions::needed(path, writes).expect("a known path");
        words.trim_end_matches(',').to_owned()
    };
    let rows = ASKED.iter().map(|(what, path, writes)| {
        let write = if *writes {
            needed(path, true)
        } else {
            String::new()
        };
        vec![(*what).to_owned(), needed(path, false), write]
    });
    table(&["what", "to read", "to write"], rows)
}

/// A command's own usage and options, as its `--help` shows them.
fn command(path: &str) -> String {
    let whole = Invocation::command();
    let mut found = &whole;
    for name in path.split(' ') {
        found = found
            .find_subcommand(name)
            .unwrap_or_else(|| panic!("no command `{path}`"));
    }
    let mut own = clap::Command::new("capol")
        .bin_name(format!("capol {path}"))
        .args(found.get_arguments().cloned())
        .disable_help_flag(true)
        .term_width(92)
        .help_template("{usage}\n\n{all-args}");
    let help = own.render_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let about = found.get_about().map(ToString::to_string).unwrap_or_default();
    format!("{about}.\n\n```text\n{}\n```", lines.join("\n").trim())
}

fn global_options() -> String {
    let whole = Invocation::command();
    let mut own = clap::Command::new("capol")
        .args(
            whole
                .get_arguments()
                .filter(|argument| argument.is_global_set())
                .cloned(),
        )
        .disable_help_flag(true)
        .term_width(92)
        .help_template("{all-args}");
    let help = own.render_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    format!("```text\n{}\n```", lines.join("\n").trim())
}
