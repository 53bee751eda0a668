//! What is exported as text and read again is what was exported.

use std::collections::BTreeMap;
use std::sync::Arc;

use capol::export::{Exported, KnownNames, Options, Project, export, read};
use capol::lang::memory::Memory;
use capol::lang::{Input, Inputs, Severity, configuration, load};
use capol::model::catalogue::strengths;
use capol::model::configuration::Configuration;
use capol::model::properties::{self, Property, Shape, Symbols, TextKind};
use capol::model::set::Set;
use capol::model::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency,
};
use capol::model::{Kind, Object, Reference, Target, Value};
use capol::syntax::{FileId, SourceFile, format, parse};
use proptest::prelude::*;

use crate::shared;

/// A GUID for the placeholder with this number.
fn stand_in(number: usize) -> String {
    format!("dddddddd-0000-4000-8000-{number:012}")
}

/// The project read by the language; placeholders have the stand-ins as their values.
#[track_caller]
fn loaded(what: &str, project: &Project) -> Configuration {
    let files = project
        .files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let mut inputs = Inputs::at("2026-11-23T12:00:00Z".parse().unwrap());
    inputs.command_line = project
        .unset_variables
        .iter()
        .enumerate()
        .map(|(number, variable)| Input::Value {
            name: variable.name.clone(),
            value: format!("\"{}\"", stand_in(number)),
        })
        .collect();
    let loaded = load(Arc::new(Memory::new(files)), "".as_ref(), &inputs);
    let (configuration, diagnostics) = configuration(&loaded);
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .map(|one| format!("{} ({}) {:?}", one.message, one.help, one.span()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
    configuration
}

/// The object as the language would say it: references to what is managed by address, placeholders
/// by their stand-ins.
fn expected(object: &Object, objects: &[Exported], project: &Project, names: &KnownNames) -> Object {
    let mut managed = BTreeMap::new();
    for (exported, address) in objects.iter().zip(&project.addresses) {
        if let (Some(target), Some(id)) = (exported.object.kind.target(), &exported.id) {
            managed.insert((target, id.to_ascii_lowercase()), address.clone());
        }
    }
    object.map_references(|reference| {
        let Reference::Id { target, id } = reference else {
            return reference.clone();
        };
        let placeholder = project
            .unset_variables
            .iter()
            .position(|variable| variable.target == *target && variable.placeholder == *id);
        let address = managed.get(&(*target, id.to_ascii_lowercase())).or_else(|| {
            let name = names.name(*target, id)?;
            let known = objects.iter().position(|exported| {
                exported.object.kind.target() == Some(*target) && exported.object.name() == name
            })?;
            project.addresses.get(known)
        });
        match (placeholder, address) {
            (Some(number), _) => Reference::id(*target, &stand_in(number)),
            (_, Some(address)) => Reference::managed(*target, address.clone()),
            _ if names.name(*target, id) == Some(capol::model::properties::COMPLIANT_NETWORK) => {
                Reference::lookup(Target::Location, capol::model::properties::COMPLIANT_NETWORK)
            }
            _ if *target == Target::Action
                || capol::model::reference::is_guid(id)
                || *target == Target::Context =>
            {
                reference.clone()
            }
            _ => Reference::lookup(*target, id),
        }
    })
}

#[track_caller]
fn comes_back(what: &str, objects: &[Exported], names: &KnownNames, options: &Options) {
    let project = export(objects, names, options);
    let configuration = loaded(what, &project);
    for (exported, address) in objects.iter().zip(&project.addresses) {
        let resource = configuration
            .resources
            .get(address)
            .unwrap_or_else(|| panic!("{what}: {address} is not there"));
        let wanted = expected(&exported.object, objects, &project, names);
        assert!(
            resource.object == wanted,
            "{what} {address}:\n{:#?}\nis not\n{wanted:#?}",
            resource.object
        );
    }
    assert_eq!(configuration.resources.len(), objects.len(), "{what}");
}

/// Texts with everything in them that the language could take for its own.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "\\PC{1,40}",
        "[ -~]{1,30}",
        Just("a \"quoted\" \\\\ ${var.x} %{if} $${y} line\nbreak\ttab".to_owned()),
        Just("100 - <RING> - %Env% - {{name}}".to_owned()),
        Just("# not a comment // nor /* this */ <<EOT".to_owned()),
    ]
    .prop_filter("blank texts are no names", |text| !text.trim().is_empty())
    .boxed()
}

fn guid() -> BoxedStrategy<String> {
    any::<u128>()
        .prop_map(|bits| uuid::Uuid::from_u128(bits).to_string())
        .boxed()
}

fn some_of<T: Clone + std::fmt::Debug + std::hash::Hash + Eq + 'static>(
    all: Vec<T>,
) -> BoxedStrategy<Set<T>> {
    let most = all.len().min(5);
    prop::sample::subsequence(all, 1..=most)
        .prop_shuffle()
        .prop_map(|values| values.into_iter().collect())
        .boxed()
}

fn wires(symbols: &'static Symbols) -> Vec<String> {
    symbols
        .rows
        .iter()
        .map(|row| row.wire.to_owned())
        .chain(["somethingNew".to_owned()])
        .collect()
}

fn one_reference(target: Target, keywords: &'static Symbols) -> BoxedStrategy<Reference> {
    let keywords: Vec<Reference> = keywords
        .rows
        .iter()
        .map(|row| match target {
            Target::Action => Reference::id(Target::Action, row.wire),
            _ => Reference::keyword(row.wire),
        })
        .collect();
    let id = match target {
        Target::Action => Just(Reference::id(Target::Action, "urn:user:registersecurityinfo")).boxed(),
        Target::Context => (1..99_u8)
            .prop_map(|number| Reference::id(Target::Context, &format!("c{number}")))
            .boxed(),
        Target::Role => Just(Reference::id(target, "62e90394-69f5-4237-9190-012177145e10")).boxed(),
        _ => prop_oneof![
            guid().prop_map(move |id| Reference::id(target, &id)),
            Just(Reference::lookup(target, "Tier 0 \"admins\"")),
        ]
        .boxed(),
    };
    if keywords.is_empty() {
        id
    } else {
        prop_oneof![id, prop::sample::select(keywords)].boxed()
    }
}

/// Any value of a property that the table allows.
fn value(property: &'static Property) -> BoxedStrategy<Value> {
    let filter = |mode| {
        Value::Filter(Filter {
            mode,
            rule: "device.model -eq \"a \\\"quoted\\\" model\"".replace("\\\"", "'"),
        })
    };
    match property.shape {
        Shape::Text { .. } if property.wire == "id" => {
            (1..99_u8).prop_map(|n| Value::Text(format!("c{n}"))).boxed()
        }
        Shape::Text { max } => text()
            .prop_map(move |text| Value::Text(text.chars().take(max).collect()))
            .boxed(),
        Shape::TextMode { .. } => guid().prop_map(Value::Text).boxed(),
        Shape::Boolean | Shape::Toggle | Shape::Flag(_) => Just(Value::Boolean(true)).boxed(),
        Shape::Symbol(symbols) | Shape::Mode { symbols, .. } => prop::sample::select(wires(symbols))
            .prop_map(Value::Symbol)
            .boxed(),
        Shape::SymbolSet(symbols) | Shape::Flags(symbols) => {
            some_of(wires(symbols)).prop_map(Value::Symbols).boxed()
        }
        Shape::Texts(TextKind::Countries) => some_of(vec!["DK".to_owned(), "NO".into(), "SE".into()])
            .prop_map(Value::Texts)
            .boxed(),
        Shape::Texts(TextKind::IpRanges) => {
            some_of(vec!["203.0.113.0/24".to_owned(), "2001:db8::/48".into()])
                .prop_map(Value::Texts)
                .boxed()
        }
        Shape::Texts(TextKind::Plain) => some_of(vec!["one".to_owned(), "a \"b\"".into()])
            .prop_map(Value::Texts)
            .boxed(),
        Shape::References(accepts) => {
            prop::collection::vec(one_reference(accepts.target, accepts.keywords), 1..4)
                .prop_map(|references| Value::References(references.into_iter().collect()))
                .boxed()
        }
        Shape::Guests => (
            some_of(wires(properties::guest_kinds())),
            prop_oneof![
                Just(ExternalTenants::All),
                prop::collection::vec(guid(), 0..3)
                    .prop_map(|ids| ExternalTenants::Enumerated(ids.into_iter().collect())),
            ],
        )
            .prop_map(|(kinds, tenants)| Value::Guests(Box::new(Guests { kinds, tenants })))
            .boxed(),
        Shape::Filter => prop_oneof![
            Just(filter(FilterMode::Include)),
            Just(filter(FilterMode::Exclude))
        ]
        .boxed(),
        Shape::Grant => grant(),
        Shape::SignInFrequency => (
            prop_oneof![
                Just(Interval::EveryTime),
                (1..1000_i64).prop_map(Interval::Hours),
                (1..400_i64).prop_map(Interval::Days)
            ],
            any::<bool>(),
        )
            .prop_map(|(interval, secondary_only)| {
                Value::SignInFrequency(SignInFrequency {
                    interval,
                    secondary_only,
                })
            })
            .boxed(),
        Shape::Combinations => combinations().prop_map(Value::Symbols).boxed(),
        Shape::CombinationConfigurations => prop::collection::vec(
            (combinations(), prop::collection::vec(guid(), 1..3), any::<bool>()).prop_map(
                |(applies_to, ids, fido2)| {
                    let ids: Set<String> = ids.into_iter().collect();
                    let allowed = if fido2 {
                        Allowed::Fido2 { aaguids: ids }
                    } else {
                        Allowed::X509 {
                            issuer_skis: ids,
                            policy_oids: Set::default(),
                        }
                    };
                    CombinationConfiguration { applies_to, allowed }
                },
            ),
            1..3,
        )
        .prop_map(Value::CombinationConfigurations)
        .boxed(),
    }
}

fn combinations() -> BoxedStrategy<Set<String>> {
    some_of(
        strengths::combinations()
            .iter()
            .map(|text| (*text).to_owned())
            .collect(),
    )
}

fn grant() -> BoxedStrategy<Value> {
    let control = prop_oneof![
        prop::sample::select(wires(properties::grant_controls())).prop_map(Control::BuiltIn),
        guid().prop_map(|id| Control::Strength(Reference::id(Target::Strength, &id))),
        guid().prop_map(|id| Control::Terms(Reference::id(Target::Terms, &id))),
        text().prop_map(Control::Custom),
    ];
    (prop::collection::vec(control, 1..4), any::<bool>())
        .prop_map(|(controls, all)| {
            Value::Grant(Grant {
                operator: if all { Operator::All } else { Operator::Any },
                controls: controls.into_iter().collect(),
            })
        })
        .boxed()
}

/// Any object of a kind: required properties, and each other one or not.
fn object(kind: Kind) -> impl Strategy<Value = Object> {
    let members: Vec<_> = kind
        .properties()
        .iter()
        .filter(|property| !property.dsl.is_empty())
        .map(|property| {
            if property.required {
                value(property).prop_map(Some).boxed()
            } else {
                prop::option::weighted(0.3, value(property)).boxed()
            }
        })
        .collect();
    members.prop_map(move |values| {
        let mut object = Object::new(kind);
        let rows = kind
            .properties()
            .iter()
            .filter(|property| !property.dsl.is_empty());
        for (property, value) in rows.zip(values) {
            object.set(property.wire, value.filter(|value| !property.is_default(value)));
        }
        object
    })
}

fn any_object() -> impl Strategy<Value = Object> {
    prop_oneof![
        4 => object(Kind::Policy),
        1 => object(Kind::IpLocation),
        1 => object(Kind::CountryLocation),
        1 => object(Kind::Strength),
        1 => object(Kind::Context),
        1 => object(Kind::Group),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_object_is_read_back_as_it_was(objects in prop::collection::vec(any_object(), 1..4)) {
        let objects: Vec<Exported> = objects
            .into_iter()
            .map(|object| Exported { object, id: None, has_identity: false, remarks: Vec::new(), label: None })
            .collect();
        let project = export(&objects, &KnownNames::default(), &Options::default());
        for (name, text) in &project.files {
            let parsed = parse(&SourceFile::new(FileId(0), name.as_str(), text.as_str()));
            prop_assert!(parsed.errors.is_empty(), "{text}\n{:#?}", parsed.errors);
            prop_assert_eq!(&format(&parsed).unwrap(), text);
        }
        let files = project.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let inputs = Inputs::at("2026-11-23T12:00:00Z".parse().unwrap());
        // What the service refuses is refused here too; the objects are read all the same.
        let (configuration, diagnostics) = configuration(&load(Arc::new(Memory::new(files)), "".as_ref(), &inputs));
        for (exported, address) in objects.iter().zip(&project.addresses) {
            let read = configuration.resources.get(address).map(|resource| &resource.object);
            prop_assert!(
                read == Some(&exported.object),
                "{:#?}\nis not\n{:#?}\n{}\n{:?}",
                read,
                exported.object,
                project.files.iter().map(|(_, text)| text.as_str()).collect::<String>(),
                diagnostics.iter().map(|one| one.message.clone()).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn every_object_of_the_corpus_is_read_back_as_it_was() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let mut repositories: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for path in [".json", ".yaml"]
        .iter()
        .flat_map(|ending| shared::files(&corpus, ending))
    {
        let name = path.strip_prefix(&corpus).unwrap().to_string_lossy().into_owned();
        let repository = name.split('/').next().unwrap_or_default().to_owned();
        repositories
            .entry(repository)
            .or_default()
            .push((name, std::fs::read(&path).unwrap()));
    }
    let mut count = 0;
    for (repository, files) in repositories {
        let intake = read(&files);
        let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
        comes_back(&repository, &objects, &intake.names, &Options::default());
        count += objects.len();
    }
    println!("{count} objects came back");
}
