//! How many sign-ins a second are evaluated, membership resolved beforehand.

use std::collections::BTreeSet;
use std::hint::black_box;

use capol::access::{
    ClientApp, Condition, Device, Estate, Fact, IDENTITY, Identity, Joined, LEVELS, Replay, Resource, Share,
    SignIn,
};

use super::dice::Dice;
use super::effect::{GROUPS, LOCATIONS, estate, id};
use super::runner::Runner;

const SIGN_INS: usize = 1_000_000;

/// What sign-ins are made of, held against the policies.
fn shares(dice: &mut Dice, replay: &Replay<'_>) -> [Vec<Share>; 7] {
    let looked_after = Device::default().with("isCompliant", "True");
    let mut sign_in = SignIn::new(
        Identity::User {
            id: String::new(),
            groups: Fact::Absent,
            roles: Fact::Absent,
            external: Fact::Absent,
        },
        Resource::Unrecorded,
    );
    let mut variants =
        |conditions: &[Condition], count: usize, set: &mut dyn FnMut(&mut Dice, &mut SignIn, usize)| {
            let each = (0..count).map(|place| {
                set(dice, &mut sign_in, place);
                replay.share(conditions, &sign_in, &sign_in)
            });
            each.collect::<Vec<_>>()
        };
    [
        variants(&IDENTITY, 5_000, &mut |dice, sign_in, place| {
            let groups = (0..12).map(|_| id(1, dice.below(GROUPS))).collect();
            sign_in.identity = Identity::User {
                id: format!("u{place}"),
                groups: Fact::Is(groups),
                roles: Fact::Absent,
                external: Fact::Absent,
            };
        }),
        variants(&[Condition::Applications], 60, &mut |_, sign_in, place| {
            sign_in.resource = Resource::Applications {
                ids: BTreeSet::from([id(3, 4 + 6 * place)]),
                attributes: Fact::Absent,
            };
        }),
        variants(
            &[Condition::ClientApps],
            ClientApp::ALL.len(),
            &mut |_, sign_in, place| {
                sign_in.client_app = Fact::Is(ClientApp::ALL[place]);
            },
        ),
        variants(&[Condition::Platforms], 3, &mut |_, sign_in, place| {
            sign_in.platform = Fact::Is(["iOS", "windows", "macOS"][place].to_owned());
        }),
        variants(&[Condition::Locations], 1_000, &mut |dice, sign_in, place| {
            let host = dice.below(250);
            let address = format!("10.{}.7.{host}", place % (LOCATIONS + 20));
            sign_in.network.ip = Fact::Is(address.parse().unwrap());
        }),
        variants(&[Condition::Devices], 4, &mut |_, sign_in, place| {
            sign_in.device = match place {
                0 => Fact::Absent,
                tier => Fact::Is(
                    looked_after
                        .clone()
                        .with("extensionAttribute1", format!("tier{tier}")),
                ),
            };
        }),
        variants(&LEVELS, 4, &mut |_, sign_in, place| {
            sign_in.sign_in_risk = Fact::Is(["none", "low", "medium", "high"][place].to_owned());
        }),
    ]
}

fn evaluate(runner: &mut Runner, count: usize) {
    let name = format!("evaluate a million sign-ins against {count} policies");
    if !runner.wants(&name) {
        return;
    }
    let mut dice = Dice(1);
    let (estate, nothing) = (estate(count, false), Estate::default());
    let replay = Replay::new(&estate, &nothing);
    let choice = shares(&mut dice, &replay);
    let sign_ins: Vec<[&Share; 7]> = (0..SIGN_INS)
        .map(|_| std::array::from_fn(|part| &choice[part][dice.below(choice[part].len())]))
        .collect();
    let mut joined = Joined::default();
    runner.rate(&name, SIGN_INS, || {
        for sign_in in &sign_ins {
            replay.join(sign_in.iter().copied(), &mut joined);
            black_box(&joined);
        }
    });
}

pub(super) fn measure(runner: &mut Runner) {
    for count in [10, 50, 200, 1_000] {
        evaluate(runner, count);
    }
}
