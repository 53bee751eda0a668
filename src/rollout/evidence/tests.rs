use super::*;
use crate::access::log::Line;

const MFA: &str = "C0000000-0000-4000-8000-000000000001";
const TWIN: &str = "c0000000-0000-4000-8000-000000000002";
const ADA: &str = "a0000000-0000-4000-8000-000000000001";
const BO: &str = "a0000000-0000-4000-8000-000000000002";

fn scope(people: Option<&[&str]>) -> Scope {
    let mut people = people.map(|people| people.iter().copied());
    Scope::new(
        [MFA, TWIN],
        "2026-11-20T08:00:00Z".parse().expect("a moment"),
        people
            .as_mut()
            .map(|people| -> &mut dyn Iterator<Item = &str> { people }),
    )
}

fn line(number: u32, when: &str, who: &str, status: u32, policies: &str) -> String {
    format!(
        r#"{{"id":"{number:08}-0000-4000-8000-000000000000","createdDateTime":"{when}","userId":"{who}",
        "userPrincipalName":"user@contoso.com","appDisplayName":"Mail","status":{{"errorCode":{status}}},
        "location":{{"countryOrRegion":"DK"}},"appliedConditionalAccessPolicies":[{policies}]}}"#
    )
}

fn policy(id: &str, result: &str) -> String {
    format!(r#"{{"id":"{id}","result":"{result}"}}"#)
}

fn counted(scope: &Scope, lines: &[String]) -> Evidence {
    let mut evidence = Evidence::new(scope);
    for text in lines {
        let line: Line<'_> = serde_json::from_str(text).expect("a line");
        if let Some(sighting) = scope.sighting(&line).expect("a sign-in") {
            evidence.take(&sighting);
        }
    }
    evidence
}

/// Success, failure and interruption of the first policy.
fn counts(scope: &Scope, lines: &[String]) -> [u64; 3] {
    let all = counted(scope, lines).finish().expect("evidence");
    let counts = all[0].counts;
    [counts.success, counts.failure, counts.interrupted]
}

const NOW: &str = "2026-11-21T08:00:00.1234567Z";

#[test]
fn each_result_counts_for_what_it_means_to_a_person() {
    for (result, status, wanted) in [
        ("success", 0, [1, 0, 0]),
        ("failure", 53003, [0, 1, 0]),
        // Somebody was asked for a second factor.
        ("failure", 50074, [0, 0, 1]),
        ("failure", 50079, [0, 0, 1]),
        ("reportOnlySuccess", 0, [1, 0, 0]),
        ("reportOnlyFailure", 50074, [0, 1, 0]),
        ("reportOnlyInterrupted", 0, [0, 0, 1]),
        ("notApplied", 0, [0, 0, 0]),
        ("reportOnlyNotApplied", 0, [0, 0, 0]),
        ("notEnabled", 0, [0, 0, 0]),
    ] {
        let line = line(1, NOW, ADA, status, &policy(MFA, result));
        assert_eq!(counts(&scope(None), &[line]), wanted, "{result} with {status}");
    }
}

#[test]
fn only_the_wave_since_it_began_counts_and_each_sign_in_once() {
    let fine = policy(MFA, "reportOnlySuccess");
    let lines = [
        line(1, "2026-11-20T07:59:59.9999999Z", ADA, 0, &fine),
        line(2, "2026-11-20T08:00:00Z", ADA, 0, &fine),
        line(3, NOW, BO, 0, &fine),
        line(2, "2026-11-20T08:00:00Z", ADA, 0, &fine),
    ];
    assert_eq!(counts(&scope(None), &lines), [2, 0, 0]);
    let upper = ADA.to_uppercase();
    assert_eq!(counts(&scope(Some(&[&upper])), &lines), [1, 0, 0]);
    assert_eq!(counts(&scope(Some(&[])), &lines), [0, 0, 0]);
}

#[test]
fn people_apps_and_countries_are_told_apart() {
    let lines = [
        line(1, NOW, ADA, 0, &policy(MFA, "reportOnlyFailure")),
        line(2, NOW, ADA, 0, &policy(MFA, "reportOnlySuccess")),
        line(3, NOW, BO, 0, &policy(MFA, "reportOnlyInterrupted")).replace("Mail", "Files"),
        line(4, NOW, BO, 0, &policy(TWIN, "reportOnlyFailure")),
    ];
    let all = counted(&scope(None), &lines).finish().expect("evidence");
    assert_eq!(
        all[0].people,
        Counts {
            failure: 1,
            interrupted: 1,
            success: 0
        }
    );
    let names: Vec<(&str, u64)> = all[0]
        .apps
        .iter()
        .map(|app| (app.name.as_str(), app.counts.all()))
        .collect();
    assert_eq!(names, [("Mail", 2), ("Files", 1)]);
    assert_eq!(all[0].countries[0].name, "DK");
    assert_eq!(all[0].named[0].counts.all(), 2);
    assert_eq!(all[1].counts.failure, 1);
}

#[test]
fn a_log_that_shows_no_policies_is_no_good_news() {
    let blind = [line(1, NOW, ADA, 0, ""), line(2, NOW, BO, 0, "")];
    assert_eq!(
        counted(&scope(None), &blind).finish(),
        Err(EvidenceError::Blind { sign_ins: 2 })
    );
    let missing = blind[0].replace("appliedConditionalAccessPolicies", "other");
    assert_eq!(
        counted(&scope(None), &[missing]).finish(),
        Err(EvidenceError::Blind { sign_ins: 1 })
    );
    // One sign-in without policies is nothing strange beside others that have some.
    let some = [blind[0].clone(), line(3, NOW, BO, 0, &policy(TWIN, "success"))];
    assert_eq!(counts(&scope(None), &some), [0, 0, 0]);
    assert!(counted(&scope(None), &[]).finish().is_ok());
}

#[test]
fn results_without_a_word_are_no_good_news() {
    let hidden = [line(1, NOW, ADA, 0, &policy(MFA, "unknownFutureValue"))];
    assert_eq!(
        counted(&scope(None), &hidden).finish(),
        Err(EvidenceError::Unknown { unknown: 1 })
    );
}

#[test]
fn log_analytics_and_diagnostic_settings_count_alike() {
    let columns = format!(
        r#"{{"Id":"1","CreatedDateTime":"2026-11-21T08:00:00Z","UserId":"{ADA}","ResultType":"50074","Location":"DK",
        "AppDisplayName":"Mail","ConditionalAccessPolicies":"[{{\"id\":\"{MFA}\",\"result\":\"failure\"}}]"}}"#
    );
    let wrapped = format!(
        r#"{{"category":"NonInteractiveUserSignInLogs","resultType":"0","properties":{}}}"#,
        line(7, NOW, ADA, 50074, &policy(MFA, "failure"))
    );
    assert_eq!(counts(&scope(None), &[columns, wrapped]), [0, 0, 2]);
}
