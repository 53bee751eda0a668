//! What the document promises.

use proptest::collection::btree_map;
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const TENANT: &str = "11111111-1111-4111-8111-111111111111";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A property's JSON; null is how an absent one reads back, so it is never kept.
fn any_properties() -> impl Strategy<Value = Option<Json>> {
    let present = any_json().prop_filter("null is absence", |value| !value.is_null());
    option::of(present.prop_map(Json::from))
}

fn any_address() -> impl Strategy<Value = String> {
    "(module\\.[a-z]{1,4}(\\[\"[a-z. ]{1,4}\"\\])?\\.){0,2}(policy|location|group)\\.[a-z_]{1,8}(\\[\"[a-z.]{1,5}\"\\])?"
}

prop_compose! {
    fn any_resource()(
        kind in proptest::sample::select(&Kind::ALL),
        id in "[0-9a-f-]{8,36}",
        beta in any::<bool>(),
        sent in any_properties(),
        answered in any_properties(),
        dependencies in btree_set(any_address(), 0..3),
        prevent_destroy in any::<bool>(),
        reason in option::of(any::<String>()),
        created_by_import in any::<bool>(),
        modified_date_time in option::of(any::<String>()),
    ) -> ResourceState {
        ResourceState {
            kind, id, sent, answered, dependencies, created_by_import, modified_date_time,
            api_version: if beta { ApiVersion::Beta } else { ApiVersion::V1 },
            lifecycle: Lifecycle { prevent_destroy, reason },
        }
    }
}

prop_compose! {
    fn any_document()(
        serial in any::<u64>(),
        lineage in any::<u128>(),
        resources in btree_map(any_address(), any_resource(), 0..5),
        outputs in btree_map(any::<String>(), (any_json(), any::<bool>()), 0..3),
        rollouts in btree_map(any_address(), any_json(), 0..3),
        approvals in btree_map("[0-9a-f]{8}", any_json(), 0..3),
    ) -> Document {
        Document {
            serial,
            resources,
            rollouts,
            approvals,
            outputs: outputs
                .into_iter()
                .map(|(name, (value, sensitive))| (name, OutputState { value, sensitive }))
                .collect(),
            ..Document::new(Uuid::from_u128(lineage), TENANT)
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_to_the_byte(document in any_document()) {
        let text = document.render().unwrap();
        let ends_in_a_line = text.ends_with("}\n");
        prop_assert!(ends_in_a_line);
        let read = Document::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &document);
        prop_assert_eq!(read.render().unwrap(), text);
    }

    #[test]
    fn a_document_cut_anywhere_is_refused(document in any_document(), part in 0.0..1.0_f64) {
        let text = document.render().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let cut = ((text.trim_end().len() as f64) * part) as usize;
        prop_assert!(Document::parse(&text.as_bytes()[..cut]).is_err());
    }

    #[test]
    fn a_field_nobody_knows_is_never_overlooked(document in any_document(), name in "zz[a-z]{1,5}") {
        let mut whole = serde_json::to_value(&document).unwrap();
        let mut places = vec![String::new()];
        for address in document.resources.keys() {
            let address = address.replace('~', "~0").replace('/', "~1");
            places.push(format!("/resources/{address}"));
        }
        for place in places {
            let fields = whole.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            fields.insert(name.clone(), json!(1));
            let text = whole.to_string();
            let refused = matches!(Document::parse(text.as_bytes()), Err(DocumentError::NotFullyRead { .. }));
            prop_assert!(refused);
            prop_assert_eq!(&Document::parse_for_display(text.as_bytes()).unwrap(), &document);
            whole.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(&name);
        }
    }

    #[test]
    fn the_difference_of_a_document_to_itself_is_nothing(document in any_document()) {
        prop_assert!(Changes::between(Some(&document), &document).is_empty());
    }
}

#[test]
fn an_object_that_only_a_later_version_manages_bars_writing_and_is_left_out_of_what_is_shown() {
    let text = holding(&["policy.a", "policy.b"]).render().unwrap();
    let newer = text.replacen("\"policy\"", "\"passkey_profile\"", 1);
    let refused = Document::parse(newer.as_bytes()).unwrap_err();
    assert!(matches!(refused, DocumentError::NotFullyRead { .. }) && !refused.is_damage());
    let shown = Document::parse_for_display(newer.as_bytes()).unwrap();
    assert_eq!(addresses(&shown), ["policy.b"]);
}

#[test]
fn a_document_in_another_layout_reads_the_same() {
    let document = holding(&["policy.a", "policy.b"]);
    let value: Value = serde_json::to_value(&document).unwrap();
    assert_eq!(Document::parse(value.to_string().as_bytes()).unwrap(), document);
}

fn holding(addresses: &[&str]) -> Document {
    let mut document = Document::new(Uuid::from_u128(1), TENANT);
    for address in addresses {
        document.resources.insert(
            (*address).to_owned(),
            ResourceState {
                kind: Kind::Policy,
                id: format!("id of {address}"),
                api_version: ApiVersion::V1,
                sent: None,
                answered: Some(json!({}).into()),
                dependencies: BTreeSet::new(),
                lifecycle: Lifecycle::default(),
                created_by_import: true,
                modified_date_time: None,
            },
        );
    }
    document
}

fn addresses(document: &Document) -> Vec<&str> {
    document.resources.keys().map(String::as_str).collect()
}

#[test]
fn the_form_of_the_document_is_this() {
    let mut document = holding(&["location.office", "policy.mfa"]);
    document.serial = 7;
    document.capol_version = "1.2.3".to_owned();
    document.outputs.insert(
        "mfa_id".to_owned(),
        OutputState {
            value: json!("id"),
            sensitive: false,
        },
    );
    let policy = document.resources.get_mut("policy.mfa").unwrap();
    policy.created_by_import = false;
    policy.sent = Some(json!({"state": "enabled", "displayName": "MFA"}).into());
    policy.dependencies.insert("location.office".to_owned());
    policy.lifecycle = Lifecycle {
        prevent_destroy: true,
        reason: Some("audited".to_owned()),
    };
    policy.modified_date_time = Some("2026-01-01T00:00:00Z".to_owned());
    insta::assert_snapshot!(document.render().unwrap());
}

#[test]
fn a_move_takes_members_modules_and_dependencies_along() {
    let cases: [(&[&str], &str, &str, &[&str]); 5] = [
        (
            &["policy.a", "policy.ab"],
            "policy.a",
            "policy.b",
            &["policy.ab", "policy.b"],
        ),
        (
            &["policy.a[\"x.y\"]", "policy.a[\"z\"]"],
            "policy.a",
            "policy.b",
            &["policy.b[\"x.y\"]", "policy.b[\"z\"]"],
        ),
        (&["policy.a"], "policy.a", "policy.a[\"k\"]", &["policy.a[\"k\"]"]),
        (
            &["module.m.policy.a", "module.mm.policy.a"],
            "module.m",
            "module.n[\"k\"]",
            &["module.mm.policy.a", "module.n[\"k\"].policy.a"],
        ),
        (
            &["policy.a"],
            "policy.a",
            "module.m.policy.a",
            &["module.m.policy.a"],
        ),
    ];
    for (before, from, to, after) in cases {
        let mut document = holding(before);
        let mut dependent = holding(&["group.g"]).resources.remove("group.g").unwrap();
        dependent.dependencies = before.iter().map(|it| (*it).to_owned()).collect();
        document.resources.insert("group.g".to_owned(), dependent);
        let moved = document.move_address(from, to).unwrap();
        assert!(!moved.moved.is_empty());
        let dependent = document.resources.remove("group.g").unwrap();
        assert_eq!(addresses(&document), after, "{from} to {to}");
        let follow: Vec<&str> = dependent.dependencies.iter().map(String::as_str).collect();
        assert_eq!(follow, after, "{from} to {to}");
        for (old, new, id) in moved.moved {
            assert_eq!(document.resources[&new].id, id);
            assert_eq!(id, format!("id of {old}"));
        }
    }
}

#[test]
fn a_move_that_cannot_be_meant_changes_nothing() {
    let document = holding(&[
        "location.b",
        "module.m.policy.a",
        "policy.a",
        "policy.mfa_for_admins",
    ]);
    let cases = [
        ("policy.a", "location.a"),
        ("policy.a", "policy.mfa_for_admins"),
        ("policy.a", "policy.a"),
        ("policy.mfa_for_admin", "policy.c"),
        ("policy.none", "policy.c"),
        ("policy.a", "c"),
        ("module.m", "module.m.module.n"),
        ("module.m", "policy.m"),
    ];
    let mut told = String::new();
    for (from, to) in cases {
        let mut changed = document.clone();
        let error = changed.move_address(from, to).unwrap_err();
        assert_eq!(changed, document, "{from} to {to}");
        told.push_str(&tell(&error));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn letting_go_names_each_object_and_is_all_or_nothing() {
    let mut document = holding(&["module.m.policy.a", "policy.a", "policy.b[\"k\"]", "policy.c"]);
    let dependent = document.resources.get_mut("policy.c").unwrap();
    dependent.dependencies.insert("policy.a".to_owned());
    let before = document.clone();
    let wanted = ["policy.a", "policy.none"].map(str::to_owned);
    assert!(document.remove_addresses(&wanted).is_err());
    assert_eq!(document, before);
    let wanted = ["policy.a", "policy.b", "module.m"].map(str::to_owned);
    let removed = document.remove_addresses(&wanted).unwrap().removed;
    let gone: Vec<&str> = removed.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(gone, ["module.m.policy.a", "policy.a", "policy.b[\"k\"]"]);
    assert_eq!(addresses(&document), ["policy.c"]);
    assert!(document.resources["policy.c"].dependencies.is_empty());
}

#[test]
fn a_push_must_be_of_the_same_tenant_and_history_and_newer() {
    let mut current = holding(&["policy.a"]);
    current.serial = 5;
    let behind = holding(&["policy.b"]);
    let mut ahead = behind.clone();
    ahead.serial = 6;
    let mut stranger = ahead.clone();
    stranger.lineage = Uuid::from_u128(2);
    let mut foreign = ahead.clone();
    foreign.tenant_id = "22222222-2222-4222-8222-222222222222".to_owned();

    assert_eq!(ahead.clone().pushed_over(Some(&current), false).unwrap(), ahead);
    let first = behind.clone().pushed_over(None, false).unwrap();
    assert_eq!(first, behind);
    let same = current.clone().pushed_over(Some(&current), false).unwrap();
    assert_eq!(same, current);
    let mut told = String::new();
    for refused in [behind.clone(), stranger.clone(), foreign.clone()] {
        let error = refused.pushed_over(Some(&current), false).unwrap_err();
        told.push_str(&tell(&error));
    }
    insta::assert_snapshot!(told);
    assert_eq!(behind.pushed_over(Some(&current), true).unwrap().serial, 5);
    assert!(stranger.pushed_over(Some(&current), true).is_ok());
    assert!(foreign.pushed_over(Some(&current), true).is_err());
}

#[test]
fn the_difference_tells_moves_from_replacements() {
    let before = holding(&["policy.a", "policy.b", "policy.c"]);
    let mut after = before.clone();
    after.move_address("policy.a", "policy.z").unwrap();
    after.resources.remove("policy.b");
    after.resources.get_mut("policy.c").unwrap().sent = Some(json!({}).into());
    after.resources.extend(holding(&["policy.d"]).resources);
    after.rollouts.insert("rollout.r".to_owned(), json!({}));
    let changes = Changes::between(Some(&before), &after);
    assert_eq!(
        changes,
        Changes {
            added: vec!["policy.d".to_owned()],
            removed: vec!["policy.b".to_owned()],
            changed: vec!["policy.c".to_owned()],
            moved: vec![("policy.a".to_owned(), "policy.z".to_owned())],
            sections: vec!["rollouts".to_owned()],
        }
    );
}

fn tell(error: &DocumentError) -> String {
    use miette::Diagnostic;
    format!(
        "{error}\n  code: {}\n  help: {}\n\n",
        error.code().unwrap(),
        error.help().unwrap()
    )
}
