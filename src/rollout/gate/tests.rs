use super::*;

fn share(text: &str) -> Share {
    let number: f64 = text.trim_end_matches('%').parse().expect("a number");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a test"
    )]
    Share {
        millionths: (number * 10_000.0).round() as u32,
        text: text.to_owned(),
    }
}

fn gate() -> Gate {
    Gate {
        origin: crate::model::Origin {
            file: 0,
            start: 0,
            end: 0,
        },
        min_sign_ins: None,
        max_failure_rate: None,
        max_interruption_rate: None,
        min_registered: None,
        webhook: None,
        command: None,
        invariants: Vec::new(),
    }
}

fn evidence(failure: u64, all: u64) -> Vec<(String, PolicyEvidence)> {
    let counts = Counts {
        success: all - failure,
        failure,
        interrupted: 0,
    };
    let policy = PolicyEvidence {
        counts,
        people: counts,
        ..PolicyEvidence::default()
    };
    vec![("policy.mfa".to_owned(), policy)]
}

/// What a limit on failures comes to.
fn limit(text: &str, failure: u64, all: u64) -> Answer {
    let gate = Gate {
        max_failure_rate: Some(share(text)),
        ..gate()
    };
    let evidence = evidence(failure, all);
    let answers = ask(
        &gate,
        &Known {
            evidence: &evidence,
            ..Known::default()
        },
    );
    assert_eq!(answers.len(), 1);
    answers.into_iter().next().expect("one")
}

#[test]
fn none_of_twelve_does_not_pass_for_none_at_all() {
    for text in ["0%", "0.1%", "2%", "10%"] {
        assert_eq!(limit(text, 0, 12).outcome, Outcome::NotEnough, "{text}");
    }
    assert_eq!(limit("2%", 0, 0).outcome, Outcome::NotEnough);
    // Not even very many show a rate of zero.
    assert_eq!(limit("0%", 0, 1_000_000).outcome, Outcome::NotEnough);
    assert_eq!(limit("0%", 1, 1_000_000).outcome, Outcome::Fail);
}

#[test]
fn a_limit_passes_or_fails_when_the_whole_interval_does() {
    for (text, failure, all, wanted) in [
        ("2%", 0, 188, Outcome::NotEnough),
        ("2%", 0, 189, Outcome::Pass),
        ("2%", 3, 100, Outcome::NotEnough),
        ("2%", 5, 1_000, Outcome::Pass),
        ("2%", 20, 1_000, Outcome::NotEnough),
        ("2%", 31, 1_000, Outcome::Fail),
        ("100%", 50, 50, Outcome::Pass),
    ] {
        let answer = limit(text, failure, all);
        assert_eq!(answer.outcome, wanted, "{}", answer.why);
    }
}

#[test]
fn as_many_more_as_are_asked_for_are_enough_and_no_fewer() {
    for (failure, all) in [(0, 12), (1, 100), (3, 300), (15, 1_000)] {
        let answer = limit("2%", failure, all);
        let more = answer.more.expect("a number");
        // The same rate over a larger number; scaled up so that it stays the same.
        let needed = all + more;
        let at = |number: u64| {
            let rate = Rate::of(failure * number, all * number);
            (rate.of, rate.high)
        };
        let (enough, high) = at(needed.div_ceil(all));
        assert!(enough >= needed && high <= 0.02, "{}: {high}", answer.why);
        let fewer = Rate::of(failure * (needed - 1) / all, needed - 1);
        if failure == 0 {
            assert!(fewer.high > 0.02, "{}", answer.why);
        }
    }
    assert_eq!(limit("2%", 3, 100).more, None);
}

#[test]
fn the_interval_is_the_one_of_the_tables() {
    // Wilson's score interval as published for these counts.
    for (count, of, low, high) in [
        (0, 20, 0.0, 0.1611),
        (1, 10, 0.0179, 0.4042),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (29, 29, 0.8830, 1.0),
    ] {
        let rate = Rate::of(count, of);
        assert!((rate.low - low).abs() < 5e-5, "{count} of {of}: {}", rate.low);
        assert!((rate.high - high).abs() < 5e-5, "{count} of {of}: {}", rate.high);
    }
}

#[test]
fn every_condition_says_why() {
    let gate = Gate {
        min_sign_ins: Some(500),
        max_failure_rate: Some(share("2%")),
        max_interruption_rate: Some(share("20%")),
        min_registered: Some(share("90%")),
        webhook: Some("https://desk.contoso.com/hold".to_owned()),
        command: Some("./ask".to_owned()),
        invariants: vec!["legacy reaches nothing".to_owned(), "admins use keys".to_owned()],
        ..gate()
    };
    let few = evidence(0, 12);
    let webhook = Told::read(br#"{"result":"hold","reason":"40 calls about codes today"}"#);
    let invariants = [
        ("legacy reaches nothing".to_owned(), Ok(())),
        (
            "admins use keys".to_owned(),
            Err("ada signs in with a code".to_owned()),
        ),
    ];
    let mut lines = Vec::new();
    let mut tell = |head: &str, known: &Known<'_>| {
        let answers = ask(&gate, known);
        lines.push(format!("{head}: {:?}", overall(&answers)));
        for answer in answers {
            let breach = if answer.is_breach() { ", a breach" } else { "" };
            lines.push(format!(
                "  {} {:?}{breach}: {}",
                answer.condition.word(),
                answer.outcome,
                answer.why
            ));
        }
    };
    tell("nothing known", &Known::default());
    tell(
        "little known",
        &Known {
            evidence: &few,
            coverage: Some(Coverage {
                registered: 80,
                people: 100,
            }),
            webhook: Some(&webhook),
            command: Some(&Told::Nothing {
                why: "it took longer than 10 seconds".to_owned(),
            }),
            invariants: &invariants,
        },
    );
    let many = evidence(7, 4_000);
    tell(
        "much known",
        &Known {
            evidence: &many,
            coverage: Some(Coverage {
                registered: 90,
                people: 100,
            }),
            webhook: Some(&Told::read(br#"{"result":"pass"}"#)),
            command: Some(&Told::read(br#"{"result":"fail","reason":"too many tickets"}"#)),
            invariants: &invariants[..1],
        },
    );
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn only_pass_fail_and_hold_are_answers() {
    for text in [
        "",
        "pass",
        "\"pass\"",
        "{}",
        r#"{"result":"ok"}"#,
        r#"{"result":"PASS"}"#,
        r#"{"result":true}"#,
        r#"{"reason":"fine"}"#,
        r#"{"result":"pass"}{"result":"fail"}"#,
    ] {
        assert!(
            matches!(Told::read(text.as_bytes()), Told::Nothing { .. }),
            "{text}"
        );
    }
    let shouting = format!(
        r#"{{"result":"fail","reason":"line\none\u001b[31m {}"}}"#,
        "x".repeat(900)
    );
    let Told::Fail { reason } = Told::read(shouting.as_bytes()) else {
        panic!("an answer");
    };
    assert!(
        reason.starts_with("line one [31m x") && reason.len() == 500,
        "{reason}"
    );
}

#[test]
fn a_gate_without_conditions_is_open() {
    assert_eq!(overall(&ask(&gate(), &Known::default())), Outcome::Pass);
}
