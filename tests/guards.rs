//! Nobody is locked out by a plan who must always get in: the emergency accounts, and whoever applies it.

use capol::ops::workspace::WorkError;
use capol::plan::{Act, Plan};
use serde_json::json;

use crate::world::{World, id_of};

const ROLE: &str = "62e90394-69f5-4237-9190-012177145e10";
const ACCOUNTS: &str = r#"emergency_access {
  users = [user("breakglass1@contoso.com"), user("breakglass2@contoso.com")]
}
"#;
const GROUP_OF_ACCOUNTS: &str = "emergency_access {\n  groups = [group(\"Break glass\")]\n}\n";

/// A project and a tenant, and what becomes of a plan.
#[derive(Default)]
struct Case {
    what: &'static str,
    /// Who signs in; else an application does.
    me: Option<&'static str>,
    /// Who is in which group or role, instead of whom the tenant has.
    members: &'static [(&'static str, &'static [&'static str])],
    /// What is there already, made by capol.
    before: String,
    after: String,
    /// A policy of somebody else: who is in, who is out.
    theirs: Option<(&'static str, &'static str)>,
    /// Whether groups and roles may not be read.
    is_blind: bool,
    /// What the refusal or the note says; nothing where the plan passes.
    refused: Option<&'static str>,
    noted: Option<&'static str>,
}

fn with_accounts(text: &str) -> String {
    format!("{ACCOUNTS}{text}")
}

/// A policy that blocks everything for these, and catches emergency accounts unless it says otherwise.
fn block(include: &str, exclude: &str) -> String {
    let exclude = if exclude.is_empty() {
        String::new()
    } else {
        format!("    exclude = [{exclude}]\n")
    };
    format!(
        "policy \"p\" {{\n  name = \"P\"\n  state = enabled\n  emergency_access = include(\"a test\")\n  users {{\n    \
         include = [{include}]\n{exclude}  }}\n  apps = all\n  grant = block\n}}\n"
    )
}

fn managed(label: &str, members: &[&str]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|name| format!("user(\"{name}@contoso.com\")"))
        .collect();
    format!(
        "group \"{label}\" {{\n  managed = true\n  name = \"{label}\"\n  members = [{}]\n}}\n",
        members.join(", ")
    )
}

/// What is not as the case says.
async fn check(case: Case) -> Option<String> {
    let what = case.what;
    let mut world = World::with(&case.before).await;
    std::fs::remove_file(world.path("settings.capol")).unwrap();
    if !case.after.contains("emergency_access {") {
        let none = "capol { emergency_access = none(\"a tenant of a test\") }\n";
        std::fs::write(world.path("settings.capol"), none).unwrap();
    }
    world.accept_gap = None;
    world.signed_in = case.me.map(str::to_owned);
    if !case.before.is_empty() {
        world.settle().await;
    }
    world.sandbox.with_tenant(|tenant| {
        for (container, members) in case.members {
            let ids: Vec<String> = members.iter().map(|name| id_of(tenant, name)).collect();
            let members = json!({ "members": { id_of(tenant, container): ids } });
            tenant.load_objects(&members).unwrap();
        }
        if let Some((include, exclude)) = case.theirs {
            let (include, exclude) = (id_of(tenant, include), id_of(tenant, exclude));
            let everybody = include == "All";
            let policy = json!({
                "displayName": "Theirs",
                "state": "enabled",
                "conditions": {
                    "users": {
                        "includeUsers": if everybody { vec!["All"] } else { vec![] },
                        "includeGroups": if everybody { vec![] } else { vec![include] },
                        "excludeGroups": [exclude],
                    },
                    "applications": { "includeApplications": ["All"] },
                    "clientAppTypes": ["all"],
                },
                "grantControls": { "operator": "OR", "builtInControls": ["block"] },
            });
            tenant.load_objects(&json!({ "policies": [policy] })).unwrap();
        }
        if case.is_blind {
            tenant.settings.enforce_permissions = true;
            tenant.settings.permissions = [
                "Policy.Read.All",
                "Policy.ReadWrite.ConditionalAccess",
                "User.Read.All",
                "Organization.Read.All",
            ]
            .map(str::to_owned)
            .to_vec();
        }
    });
    world.write(&case.after);
    match (world.plan().await, case.refused) {
        (Ok(plan), None) => {
            let notes: Vec<&String> = plan.notes.iter().map(|note| &note.message).collect();
            let has = |text: &str| notes.iter().any(|note| note.contains(text));
            let is_right = match case.noted {
                Some(text) => has(text),
                None => !has("every emergency account"),
            };
            (!is_right).then(|| format!("{what}: {notes:#?}"))
        }
        (Ok(_), Some(_)) => Some(format!("{what}: not refused")),
        (Err(WorkError::Refused(errors)), Some(refused)) => {
            let said: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
            let is_right = said.iter().any(|said| said.contains(refused));
            (!is_right).then(|| format!("{what}: {said:#?}"))
        }
        (Err(error), _) => Some(format!("{what}: {error:?}")),
    }
}

async fn check_all(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for case in cases {
        wrong.extend(check(case).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const LOCKED_OUT: &str = "would block every emergency account";
const UNCLEAR: &str = "nobody can tell whether";

#[tokio::test]
async fn no_policy_blocks_all_emergency_accounts_also_through_groups_nested_groups_and_roles() {
    let nested: &[(&str, &[&str])] = &[("CA exclusions", &["Break glass"])];
    let mixed: &[(&str, &[&str])] = &[("CA exclusions", &["breakglass1@contoso.com"])];
    check_all(vec![
        Case {
            what: "all, and nobody left out",
            after: with_accounts(&block("all", "")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "left out through a group that they are in",
            after: with_accounts(&block("all", "group(\"Break glass\")")),
            ..Case::default()
        },
        Case {
            what: "left out through a group that they are not in",
            after: with_accounts(&block("all", "group(\"CA exclusions\")")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "one is enough",
            members: mixed,
            after: with_accounts(&block("all", "group(\"CA exclusions\")")),
            ..Case::default()
        },
        Case {
            what: "left out through a group in a group",
            members: nested,
            after: with_accounts(&block("all", "group(\"CA exclusions\")")),
            ..Case::default()
        },
        Case {
            what: "left out through a role",
            after: with_accounts(&block("all", "role.global_administrator")),
            ..Case::default()
        },
        Case {
            what: "left out through a role that they do not hold",
            after: with_accounts(&block("all", "role.helpdesk_administrator")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "left out through a role that their group holds",
            members: &[(ROLE, &["Break glass"])],
            after: with_accounts(&block("all", "role.global_administrator")),
            ..Case::default()
        },
        Case {
            what: "caught through a role",
            after: with_accounts(&block("role.global_administrator", "")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "caught through a group",
            after: with_accounts(&block("group(\"Break glass\")", "")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "caught through a group in a group",
            members: nested,
            after: with_accounts(&block("group(\"CA exclusions\")", "")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "not caught through a group that they are not in",
            after: with_accounts(&block("group(\"IT\")", "")),
            ..Case::default()
        },
        Case {
            what: "the accounts are the members of a group, caught through a role",
            after: format!("{GROUP_OF_ACCOUNTS}{}", block("role.global_administrator", "")),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "the accounts are the members of a group, which is left out with another",
            members: nested,
            after: format!("{GROUP_OF_ACCOUNTS}{}", block("all", "group(\"CA exclusions\")")),
            ..Case::default()
        },
        Case {
            what: "nobody is in the group of accounts",
            members: &[("Break glass", &[])],
            after: format!(
                "{GROUP_OF_ACCOUNTS}{}",
                block("all", "").replace("  emergency_access = include(\"a test\")\n", "")
            ),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "a group of this plan that holds them",
            after: with_accounts(&format!(
                "{}{}",
                managed("glass", &["breakglass1"]),
                block("all", "group.glass")
            )),
            ..Case::default()
        },
        Case {
            what: "a group of this plan that does not hold them",
            after: with_accounts(&format!(
                "{}{}",
                managed("glass", &["ada"]),
                block("all", "group.glass")
            )),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "the plan takes the last of them out of the group that a policy leaves out",
            before: with_accounts(&format!(
                "{}{}",
                managed("glass", &["breakglass1", "ada"]),
                block("all", "group.glass")
            )),
            after: with_accounts(&format!(
                "{}{}",
                managed("glass", &["ada"]),
                block("all", "group.glass")
            )),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "the plan takes one of two out of the group that a policy leaves out",
            before: with_accounts(&format!(
                "{}{}",
                managed("glass", &["breakglass1", "breakglass2"]),
                block("all", "group.glass")
            )),
            after: with_accounts(&format!(
                "{}{}",
                managed("glass", &["breakglass2"]),
                block("all", "group.glass")
            )),
            ..Case::default()
        },
        Case {
            what: "the plan takes them out of a group in a group that somebody else's policy leaves out",
            before: with_accounts(&managed("glass", &["breakglass1", "ada"])),
            members: &[("CA exclusions", &["glass"])],
            theirs: Some(("All", "CA exclusions")),
            after: with_accounts(&managed("glass", &["ada"])),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "the plan puts them into a group that somebody else's policy blocks",
            before: with_accounts(&managed("blocked", &["ada"])),
            theirs: Some(("blocked", "IT")),
            after: with_accounts(&managed("blocked", &["ada", "breakglass1", "breakglass2"])),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "the plan puts one of them into a group that somebody else's policy blocks",
            before: with_accounts(&managed("blocked", &["ada"])),
            theirs: Some(("blocked", "IT")),
            after: with_accounts(&managed("blocked", &["ada", "breakglass1"])),
            ..Case::default()
        },
        Case {
            what: "somebody else's policy that leaves out whom they are not among",
            theirs: Some(("All", "IT")),
            after: with_accounts(""),
            noted: Some("`Theirs` may block every emergency account"),
            ..Case::default()
        },
        Case {
            what: "somebody else's policy that leaves them out through a group in a group",
            members: nested,
            theirs: Some(("All", "CA exclusions")),
            after: with_accounts(""),
            ..Case::default()
        },
        Case {
            what: "what can't be read is no exclusion",
            is_blind: true,
            after: with_accounts(&block("all", "group(\"40000000-0000-4000-8000-000000000001\")")),
            refused: Some(UNCLEAR),
            ..Case::default()
        },
        Case {
            what: "somebody else's policy of which nobody can tell",
            is_blind: true,
            theirs: Some(("All", "IT")),
            after: with_accounts(""),
            noted: Some(UNCLEAR),
            ..Case::default()
        },
        Case {
            what: "who is left out by name needs no reading",
            is_blind: true,
            after: with_accounts(&block("all", "user(\"breakglass1@contoso.com\")")),
            ..Case::default()
        },
    ])
    .await;
}

#[tokio::test]
async fn no_policy_blocks_whoever_applies_it_also_through_groups_nested_groups_and_roles() {
    const ADA: Option<&str> = Some("ada@contoso.com");
    const LOCKED_OUT: &str = "would block `ada@contoso.com`, as which this run is signed in";
    const NO_ROBOT: &str =
        "would block `b07de910-0000-4000-8000-00000000b07d`, as which this run is signed in";
    const GUEST: Option<&str> = Some("partner_fabrikam.com#EXT#@contoso.com");
    let workloads = |who: &str| {
        format!(
            "{ACCOUNTS}policy \"p\" {{\n  name = \"P\"\n  state = enabled\n  {who}\n  apps = all\n  grant =              block\n}}\n"
        )
    };
    // What emergency accounts are is said elsewhere; here they are left out.
    let block = |include: &str, exclude: &str| {
        let text = block(include, exclude).replace("  emergency_access = include(\"a test\")\n", "");
        with_accounts(&text)
    };
    check_all(vec![
        Case {
            what: "all, and I am not left out",
            me: ADA,
            after: block("all", "group(\"Finance\")"),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "left out through a group that I am in",
            me: ADA,
            after: block("all", "group(\"IT\")"),
            ..Case::default()
        },
        Case {
            what: "left out through a group in a group",
            me: ADA,
            members: &[("CA exclusions", &["Tier 0 admins"])],
            after: block("all", "group(\"CA exclusions\")"),
            ..Case::default()
        },
        Case {
            what: "left out through a role",
            me: ADA,
            after: block("all", "role.conditional_access_administrator"),
            ..Case::default()
        },
        Case {
            what: "left out through a role that I do not hold",
            me: ADA,
            after: block("all", "role.helpdesk_administrator"),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "caught through a role",
            me: ADA,
            after: block("role.global_administrator", ""),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "caught through a group in a group",
            me: ADA,
            members: &[("CA exclusions", &["Tier 0 admins"])],
            after: block("group(\"CA exclusions\")", ""),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "not caught through a group that I am not in",
            me: ADA,
            after: block("group(\"Finance\")", ""),
            ..Case::default()
        },
        Case {
            what: "the plan takes me out of the group that a policy leaves out",
            me: ADA,
            before: block("all", "group.deployers")
                .replace("policy", &format!("{}policy", managed("deployers", &["ada"]))),
            after: block("all", "group.deployers")
                .replace("policy", &format!("{}policy", managed("deployers", &["alan"]))),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "an application left out does not let me in",
            me: ADA,
            after: block("all", "").replace(
                "  apps = all",
                "  apps {\n    include = all\n    exclude = app(\"Salesforce\")\n  }",
            ),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "guests are left out, and I am none",
            me: ADA,
            after: block("all", "guests(b2b_collaboration_guest)"),
            refused: Some(LOCKED_OUT),
            ..Case::default()
        },
        Case {
            what: "guests are left out, and I may be one",
            me: GUEST,
            after: block("all", "guests(b2b_collaboration_guest)"),
            refused: Some(UNCLEAR),
            ..Case::default()
        },
        Case {
            what: "an application is no user",
            after: block("all", ""),
            ..Case::default()
        },
        Case {
            what: "all of the tenant's own applications, and I am one",
            after: workloads("workloads = owned"),
            refused: Some(NO_ROBOT),
            ..Case::default()
        },
        Case {
            what: "another application",
            after: workloads("workloads = service_principal(\"Payroll API\")"),
            ..Case::default()
        },
        Case {
            what: "all applications but me",
            after: workloads(
                "workloads {\n    include = owned\n    exclude = service_principal(\"Deploy bot\")\n  }",
            ),
            ..Case::default()
        },
        Case {
            what: "all applications but another",
            after: workloads(
                "workloads {\n    include = owned\n    exclude = service_principal(\"Payroll API\")\n  }",
            ),
            refused: Some(NO_ROBOT),
            ..Case::default()
        },
        Case {
            what: "applications by attributes that nobody reads",
            after: workloads("workloads = filter(\"CustomSecurityAttribute.Robots_Kind -eq \\\"batch\\\"\")"),
            refused: Some(UNCLEAR),
            ..Case::default()
        },
    ])
    .await;
}

/// The writes of a plan, in their order.
fn writes(plan: &Plan) -> Vec<String> {
    let named = plan.steps.iter().map(|step| {
        let verb = match step.act {
            Act::AddMembers { .. } => "join",
            Act::RemoveMember { .. } => "leave",
            _ => "write",
        };
        format!("{verb} {}", step.address)
    });
    named.collect()
}

/// A world of one emergency account whose gaps nobody takes on, once this is applied.
async fn settled(before: &str) -> World {
    let mut world = World::with(before).await;
    std::fs::remove_file(world.path("settings.capol")).unwrap();
    world.accept_gap = None;
    world.settle().await;
    world
}

const ONE_ACCOUNT: &str = "emergency_access {\n  users = [user(\"breakglass1@contoso.com\")]\n}\n";

#[tokio::test]
async fn an_order_is_found_in_which_no_moment_locks_out_the_last_emergency_account() {
    let glass = |members: &[&str], exclude: &str| {
        format!(
            "{ONE_ACCOUNT}{}{}",
            managed("glass", members),
            block("all", exclude)
        )
    };
    let two = |first: &[&str], second: &[&str]| {
        format!(
            "{ONE_ACCOUNT}{}{}{}",
            managed("a", first),
            managed("b", second),
            block("all", "group.a, group.b")
        )
    };
    let account = "user(\"breakglass1@contoso.com\")";
    for (what, before, after, order) in [
        (
            "from a user to a group that is filled by the same plan",
            glass(&["ada"], account),
            glass(&["ada", "breakglass1"], "group.glass"),
            &["join group.glass", "write policy.p"][..],
        ),
        (
            "from a group that is emptied by the same plan to a user",
            glass(&["ada", "breakglass1"], "group.glass"),
            glass(&["ada"], &format!("group.glass, {account}")),
            &["write policy.p", "leave group.glass"],
        ),
        (
            "from one group to another, while somebody moves the other way",
            two(&["breakglass1"], &["alan"]),
            two(&["alan"], &["breakglass1"]),
            &["join group.b", "leave group.a"],
        ),
    ] {
        let world = settled(&before).await;
        world.write(&after);
        let plan = world
            .plan()
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let written = writes(&plan);
        let place = |one: &str| written.iter().position(|write| write == one).unwrap();
        assert!(place(order[0]) < place(order[1]), "{what}: {written:?}");
        // Not only by their numbers: the later waits for the earlier, through others or by itself.
        let mut waits = vec![&plan.steps[place(order[1])]];
        let mut reached = Vec::new();
        while let Some(step) = waits.pop() {
            reached.push(step.id);
            waits.extend(step.after.iter().map(|id| plan.step(*id).unwrap()));
        }
        assert!(
            reached.contains(&plan.steps[place(order[0])].id),
            "{what}: {:#?}",
            plan.steps
        );
        world.settle().await;
    }
}

#[tokio::test]
async fn where_no_order_keeps_somebody_in_the_two_changes_are_named_and_may_be_taken_on() {
    let text = |members: &[&str]| format!("{ONE_ACCOUNT}{}{}", managed("x", members), managed("y", members));
    for (me, who, said) in [
        (None, "breakglass1", "block every emergency account in between"),
        (Some("ada@contoso.com"), "ada", "block `ada@contoso.com`"),
    ] {
        let mut world = settled(&text(&["alan"])).await;
        world.signed_in = me.map(str::to_owned);
        world.sandbox.with_tenant(|tenant| {
            for (include, exclude) in [("x", "y"), ("y", "x")] {
                let policy = json!({
                    "displayName": format!("Block {include}"),
                    "state": "enabled",
                    "conditions": {
                        "users": {
                            "includeGroups": [id_of(tenant, include)],
                            "excludeGroups": [id_of(tenant, exclude)],
                        },
                        "applications": { "includeApplications": ["All"] },
                        "clientAppTypes": ["all"],
                    },
                    "grantControls": { "operator": "OR", "builtInControls": ["block"] },
                });
                tenant.load_objects(&json!({ "policies": [policy] })).unwrap();
            }
        });
        world.write(&text(&["alan", who]));
        let Err(WorkError::Refused(errors)) = world.plan().await else {
            panic!("{who}: not refused");
        };
        let errors: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
        assert!(
            errors
                .iter()
                .any(|error| error.contains(said) && error.contains("joins x") && error.contains("joins y")),
            "{errors:#?}"
        );
        world.accept_gap = Some("at night".into());
        assert_eq!(
            world.plan().await.unwrap().accepted_gap.as_deref(),
            Some("at night")
        );
    }
}
