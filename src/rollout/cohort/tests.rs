use proptest::prelude::*;

use super::*;

fn members(count: usize) -> Vec<Member<'static>> {
    spread(count, 1)
}

fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}

fn spread(count: usize, strata: usize) -> Vec<Member<'static>> {
    (0..count)
        .map(|number| Member {
            id: id(number).into(),
            stratum: format!("department {}", number % strata).into(),
        })
        .collect()
}

fn wanted(share: u32) -> Wanted<'static> {
    Wanted {
        key: "rollout.mfa",
        share,
        ..Wanted::default()
    }
}

fn taken(members: &[Member<'_>], wanted: &Wanted<'_>) -> BTreeSet<String> {
    Cut::draw(members, wanted)
        .expect("a share")
        .cut
        .of(members, wanted)
}

#[test]
fn places_never_change() {
    // Worked out with Python's hashlib over the address, a zero byte and the id.
    assert_eq!(
        place("rollout.mfa", "00000001-0000-4000-8000-000000000001"),
        0x93a6_2d11_0c7c_b3a8
    );
    assert_eq!(
        place("rollout.mfa", "ABCDEF00-0000-4000-8000-000000000001"),
        place("rollout.mfa", "abcdef00-0000-4000-8000-000000000001")
    );
}

#[test]
fn a_share_is_met_to_the_nearest_person() {
    for count in [1, 7, 100, 2_000, 20_000] {
        for share in [1_000, 10_000, 100_000, 333_333, 500_000, 999_999, WHOLE] {
            let members = members(count);
            let taken = taken(&members, &wanted(share)).len();
            let part = |people: usize| people as u64 * u64::from(WHOLE);
            let asked = (count as u64 * u64::from(share)).max(u64::from(WHOLE));
            let off = part(taken).abs_diff(asked);
            assert!(off <= u64::from(WHOLE) / 2, "{taken} of {count} for {share}");
        }
    }
}

#[test]
fn rollouts_do_not_begin_with_the_same_people() {
    let members = members(10_000);
    let one = taken(&members, &wanted(100_000));
    let other = taken(
        &members,
        &Wanted {
            key: "rollout.other",
            ..wanted(100_000)
        },
    );
    let both = one.intersection(&other).count();
    assert!((50..200).contains(&both), "{both} of 1,000 are in both");
}

#[test]
fn every_department_has_somebody_when_there_is_a_place_for_each() {
    // One department has most people, and fifty have three each.
    let mut members = spread(1_850, 1);
    members.extend((0..150).map(|number| Member {
        id: id(5_000 + number).into(),
        stratum: format!("small {}", number / 3).into(),
    }));
    let wanted = wanted(50_000);
    let drawn = Cut::draw(&members, &wanted).expect("a share");
    assert_eq!(drawn.unrepresented, BTreeSet::new());
    let taken = drawn.cut.of(&members, &wanted);
    assert_eq!(taken.len(), 100);
    let strata: BTreeSet<&str> = members
        .iter()
        .filter(|member| taken.contains(member.id.as_ref()))
        .map(|member| member.stratum.as_ref())
        .collect();
    assert_eq!(strata.len(), 51);
}

#[test]
fn more_departments_than_places_are_told_of() {
    let members = spread(100, 50);
    let drawn = Cut::draw(&members, &wanted(100_000)).expect("a share");
    assert_eq!(drawn.asked, 10);
    assert_eq!(drawn.cut.of(&members, &wanted(100_000)).len(), 10);
    assert_eq!(drawn.unrepresented.len(), 40);
}

#[test]
fn departments_are_filled_evenly() {
    let members = spread(10_000, 10);
    let taken = taken(&members, &wanted(250_000));
    for department in 0..10 {
        let name = format!("department {department}");
        let count = members
            .iter()
            .filter(|member| member.stratum == name && taken.contains(member.id.as_ref()))
            .count();
        assert!((249..=251).contains(&count), "{count} of {name}");
    }
}

#[test]
fn the_pinned_come_first_and_the_last_come_with_the_whole_group_only() {
    let members = members(100);
    let mut asked = Wanted {
        first: (0..20).map(id).collect(),
        last: (50..100).map(id).collect(),
        ..wanted(100_000)
    };
    // More are pinned than the share has places.
    assert_eq!(taken(&members, &asked), asked.first);
    asked.share = 300_000;
    let some = taken(&members, &asked);
    assert_eq!(some.len(), 30);
    assert!(asked.first.is_subset(&some) && asked.last.is_disjoint(&some));
    // Only half of the group may come before the whole does.
    asked.share = 990_000;
    assert_eq!(taken(&members, &asked).len(), 50);
    asked.share = WHOLE;
    assert_eq!(taken(&members, &asked).len(), 100);
}

#[test]
fn somebody_in_first_and_last_nobody_at_all_and_impossible_shares_are_refused() {
    let both = Wanted {
        first: BTreeSet::from([id(1)]),
        last: BTreeSet::from([id(1)]),
        ..wanted(100_000)
    };
    assert_eq!(
        Cut::draw(&members(5), &both),
        Err(CohortError::FirstAndLast { id: id(1) })
    );
    assert_eq!(Cut::draw(&[], &wanted(100_000)), Err(CohortError::Empty));
    assert_eq!(Cut::draw(&members(5), &wanted(0)), Err(CohortError::Share));
    assert_eq!(
        Cut::draw(&members(5), &wanted(WHOLE + 1)),
        Err(CohortError::Share)
    );
}

#[test]
fn a_cut_is_kept_as_json() {
    let drawn = Cut::draw(&spread(100, 3), &wanted(100_000)).expect("a share");
    let text = serde_json::to_string(&drawn.cut).expect("JSON");
    assert_eq!(serde_json::from_str::<Cut>(&text).expect("a cut"), drawn.cut);
}

fn shares() -> impl Strategy<Value = u32> {
    1..=WHOLE
}

proptest! {
    #[test]
    fn a_larger_share_moves_nobody_out(
        count in 1..400_usize, strata in 1..30_usize, one in shares(), other in shares(),
        first in 0..20_usize, last in 0..20_usize,
    ) {
        let members = spread(count, strata);
        let asked = |share| Wanted {
            first: (0..first).map(id).collect(),
            last: (20..20 + last).map(id).collect(),
            ..wanted(share)
        };
        let small = taken(&members, &asked(one.min(other)));
        let large = taken(&members, &asked(one.max(other)));
        prop_assert!(small.is_subset(&large));
    }

    #[test]
    fn joiners_and_leavers_move_nobody_else(
        before in 1..300_usize, after in 1..300_usize, skipped in 0..50_usize,
        strata in 1..10_usize, share in shares(),
    ) {
        let asked = wanted(share);
        let then = spread(before, strata);
        let cut = Cut::draw(&then, &asked).expect("a share").cut;
        let now: Vec<Member<'_>> = spread(skipped + after, strata).split_off(skipped);
        let were = cut.of(&then, &asked);
        let are = cut.of(&now, &asked);
        for member in then.iter().filter(|member| now.contains(member)) {
            prop_assert_eq!(were.contains(member.id.as_ref()), are.contains(member.id.as_ref()));
        }
    }

    #[test]
    fn the_order_in_which_members_are_listed_does_not_matter(
        mut shuffled in Just(spread(120, 7)).prop_shuffle(), share in shares(),
    ) {
        let asked = wanted(share);
        let straight = Cut::draw(&spread(120, 7), &asked);
        prop_assert_eq!(Cut::draw(&shuffled, &asked), straight.clone());
        for member in &mut shuffled {
            member.id = member.id.to_uppercase().into();
        }
        prop_assert_eq!(Cut::draw(&shuffled, &asked), straight);
    }

    #[test]
    fn the_share_is_right_whatever_the_strata(
        count in 1..600_usize, strata in 1..100_usize, share in 1..WHOLE,
    ) {
        let members = spread(count, strata);
        let asked = Cut::draw(&members, &wanted(share)).expect("a share").asked;
        prop_assert_eq!(taken(&members, &wanted(share)).len(), asked);
    }
}
