//! Random objects of every kind, made from the property table: what round trips are tried on.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::properties::{Access, Property, Shape, Symbols, TextKind};
use super::set::Set;
use super::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency,
};
use super::{Kind, Object, Reference, Target, Value};

/// The kinds that capol writes.
pub(crate) const WRITTEN: [Kind; 6] = [
    Kind::Policy,
    Kind::IpLocation,
    Kind::CountryLocation,
    Kind::Strength,
    Kind::Context,
    Kind::Group,
];

/// An object of this kind with some of its properties set, references by id.
pub(crate) fn object(kind: Kind) -> BoxedStrategy<Object> {
    let mut all = Just(Object::new(kind)).boxed();
    for property in kind.properties() {
        if property.access == Access::ReadOnly {
            continue;
        }
        let value = if property.required {
            value(property).prop_map(Some).boxed()
        } else {
            proptest::option::weighted(0.3, value(property)).boxed()
        };
        all = (all, value)
            .prop_map(move |(mut object, value)| {
                object.set(property.wire, value.filter(|value| !property.is_default(value)));
                object
            })
            .boxed();
    }
    all.prop_map(without_implied_users).boxed()
}

/// `includeUsers: ["None"]` of a workload policy is what leaving users out means.
fn without_implied_users(mut object: Object) -> Object {
    let users = "conditions.users.includeUsers";
    if object.reference_set(users).eq([&Reference::keyword("None")]) {
        object.set(users, None);
    }
    object
}

fn value(property: &Property) -> BoxedStrategy<Value> {
    match property.shape {
        Shape::Text { .. } if property.wire == "id" => (1..=99_u8)
            .prop_map(|number| Value::Text(format!("c{number}")))
            .boxed(),
        Shape::Text { .. } | Shape::TextMode { .. } => {
            "[A-Za-z0-9 åß.:-]{1,12}".prop_map(Value::Text).boxed()
        }
        Shape::Boolean | Shape::Toggle | Shape::Flag(_) => Just(Value::Boolean(true)).boxed(),
        Shape::Symbol(symbols) | Shape::Mode { symbols, .. } => {
            symbol(symbols).prop_map(Value::Symbol).boxed()
        }
        Shape::SymbolSet(symbols) => some(symbols).prop_map(Value::Symbols).boxed(),
        Shape::Flags(symbols) => some(symbols)
            .prop_map(|set| set.into_iter().filter(|one| one != "none").collect())
            .prop_filter("no flags", |set: &Set<String>| !set.is_empty())
            .prop_map(Value::Symbols)
            .boxed(),
        Shape::Texts(kind) => vec(text(kind), 1..4)
            .prop_map(|texts| Value::Texts(texts.into_iter().collect()))
            .boxed(),
        Shape::References(accepts) => references(accepts.target, accepts.keywords),
        Shape::Guests => guests(),
        Shape::Filter => (any::<bool>(), "[a-z.]{1,9} -eq \"[a-z]{1,5}\"")
            .prop_map(|(include, rule)| {
                let mode = if include {
                    FilterMode::Include
                } else {
                    FilterMode::Exclude
                };
                Value::Filter(Filter { mode, rule })
            })
            .boxed(),
        Shape::Grant => grant(),
        Shape::SignInFrequency => frequency(),
        Shape::Combinations => subsequence(super::catalogue::strengths::combinations().to_vec(), 1..5)
            .prop_map(|found| Value::Symbols(found.into_iter().map(str::to_owned).collect()))
            .boxed(),
        Shape::CombinationConfigurations => vec(configuration(), 1..3)
            .prop_map(Value::CombinationConfigurations)
            .boxed(),
    }
}

fn guid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11}1"
}

fn symbol(symbols: &'static Symbols) -> impl Strategy<Value = String> {
    let all: Vec<&'static str> = symbols.rows.iter().map(|row| row.wire).collect();
    select(all).prop_map(str::to_owned)
}

fn some(symbols: &'static Symbols) -> impl Strategy<Value = Set<String>> {
    let all: Vec<&'static str> = symbols.rows.iter().map(|row| row.wire).collect();
    let most = all.len();
    subsequence(all, 1..=most).prop_map(|found| found.into_iter().map(str::to_owned).collect())
}

fn text(kind: TextKind) -> BoxedStrategy<String> {
    match kind {
        TextKind::Countries => select(super::catalogue::countries::all())
            .prop_map(|country| country.code.to_owned())
            .boxed(),
        TextKind::IpRanges => prop_oneof![
            (1..=223_u8, any::<u8>(), 9..=32_u8).prop_map(|(a, b, mask)| format!("{a}.{b}.0.0/{mask}")),
            (any::<u16>(), 9..=128_u8).prop_map(|(a, mask)| format!("2001:db8:{a:x}::/{mask}")),
        ]
        .boxed(),
        TextKind::Plain => "[A-Za-z0-9]{1,8}".boxed(),
    }
}

fn references(target: Target, keywords: &'static Symbols) -> BoxedStrategy<Value> {
    let ids = match target {
        Target::Context => (1..=99_u8).prop_map(|number| format!("c{number}")).boxed(),
        Target::Action => symbol(keywords).boxed(),
        _ => guid().boxed(),
    };
    let by_id = ids.prop_map(move |id| Reference::id(target, &id));
    let one = if target == Target::Action || keywords.rows.is_empty() {
        by_id.boxed()
    } else {
        prop_oneof![by_id, symbol(keywords).prop_map(Reference::keyword)].boxed()
    };
    vec(one, 1..4)
        .prop_map(|found| Value::References(found.into_iter().collect()))
        .boxed()
}

fn guests() -> BoxedStrategy<Value> {
    let kinds = some(super::properties::guest_kinds())
        .prop_map(|kinds| kinds.into_iter().filter(|one| one != "none").collect())
        .prop_filter("no kinds", |kinds: &Set<String>| !kinds.is_empty());
    let tenants = prop_oneof![
        Just(ExternalTenants::All),
        vec(guid(), 0..3).prop_map(|ids| ExternalTenants::Enumerated(ids.into_iter().collect())),
    ];
    (kinds, tenants)
        .prop_map(|(kinds, tenants)| Value::Guests(Box::new(Guests { kinds, tenants })))
        .boxed()
}

fn grant() -> BoxedStrategy<Value> {
    let control = prop_oneof![
        4 => symbol(super::properties::grant_controls()).prop_map(Control::BuiltIn),
        1 => guid().prop_map(|id| Control::Terms(Reference::id(Target::Terms, &id))),
        1 => "[A-Za-z]{3,9}".prop_map(Control::Custom),
    ];
    let strength = proptest::option::of(guid());
    (vec(control, 1..3), strength, any::<bool>())
        .prop_map(|(controls, strength, all)| {
            let mut controls: Vec<Control> = controls;
            controls.extend(strength.map(|id| Control::Strength(Reference::id(Target::Strength, &id))));
            let operator = if all { Operator::All } else { Operator::Any };
            Value::Grant(Grant {
                operator,
                controls: controls.into_iter().collect(),
            })
        })
        .boxed()
}

fn frequency() -> BoxedStrategy<Value> {
    let interval = prop_oneof![
        Just(Interval::EveryTime),
        (1..=23_i64).prop_map(Interval::Hours),
        (1..=365_i64).prop_map(Interval::Days),
    ];
    (interval, any::<bool>())
        .prop_map(|(interval, secondary_only)| {
            Value::SignInFrequency(SignInFrequency {
                interval,
                secondary_only,
            })
        })
        .boxed()
}

fn configuration() -> impl Strategy<Value = CombinationConfiguration> {
    let texts = || vec("[a-f0-9]{8}", 1..3).prop_map(|texts| texts.into_iter().collect::<Set<String>>());
    prop_oneof![
        vec(guid(), 1..3).prop_map(|ids| CombinationConfiguration {
            applies_to: ["fido2".to_owned()].into(),
            allowed: Allowed::Fido2 {
                aaguids: ids.into_iter().collect()
            },
        }),
        (texts(), texts()).prop_map(|(issuer_skis, policy_oids)| CombinationConfiguration {
            applies_to: ["x509CertificateMultiFactor".to_owned()].into(),
            allowed: Allowed::X509 {
                issuer_skis,
                policy_oids
            },
        }),
    ]
}
