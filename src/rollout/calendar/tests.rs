use super::*;

const HOME: &str = "Mon-Thu 08:00-15:00 Europe/Copenhagen";

fn calendar(windows: &[&str], freezes: &[&str]) -> Calendar {
    Calendar::read(&Written {
        windows,
        freezes,
        ..Written::default()
    })
    .expect("a calendar")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// When it may next advance, in the words that people see.
#[track_caller]
fn check(calendar: &Calendar, now: &str, next: &str) {
    let opening = calendar.at(at(now));
    let shown = opening
        .next
        .map_or_else(|| "never".to_owned(), |next| calendar.show(next));
    assert_eq!(shown, next, "from {now}");
    assert_eq!(
        opening.is_open(),
        opening.next == Some(at(now)),
        "{:?}",
        opening.closed
    );
}

#[test]
fn a_window_is_open_from_its_first_minute_to_the_last_one_before_its_end() {
    let calendar = calendar(&[HOME], &[]);
    check(
        &calendar,
        "2026-11-23T06:59:59Z",
        "Mon 2026-11-23 08:00 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2026-11-23T07:00:00Z",
        "Mon 2026-11-23 08:00 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2026-11-23T13:59:00Z",
        "Mon 2026-11-23 14:59 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2026-11-23T14:00:00Z",
        "Tue 2026-11-24 08:00 Europe/Copenhagen",
    );
    // Thursday afternoon: the next is on Monday.
    check(
        &calendar,
        "2026-11-26T14:30:00Z",
        "Mon 2026-11-30 08:00 Europe/Copenhagen",
    );
    // In summer the same hours are two hours before UTC.
    check(
        &calendar,
        "2026-07-06T06:00:00Z",
        "Mon 2026-07-06 08:00 Europe/Copenhagen",
    );
}

#[test]
fn windows_take_turns() {
    let calendar = calendar(&[HOME, "Sat,Sun 10:00-11:00,20:00-21:00 America/New_York"], &[]);
    check(
        &calendar,
        "2026-11-26T14:30:00Z",
        "Sat 2026-11-28 16:00 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2026-11-28T16:30:00Z",
        "Sun 2026-11-29 02:00 Europe/Copenhagen",
    );
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let calendar = calendar(&["Fri 22:00-02:00 UTC"], &[]);
    check(&calendar, "2026-11-27T21:00:00Z", "Fri 2026-11-27 22:00 UTC");
    check(&calendar, "2026-11-28T01:59:00Z", "Sat 2026-11-28 01:59 UTC");
    check(&calendar, "2026-11-28T02:00:00Z", "Fri 2026-12-04 22:00 UTC");
    // Not on Friday's first hours.
    check(&calendar, "2026-11-27T01:00:00Z", "Fri 2026-11-27 22:00 UTC");
}

#[test]
fn days_may_be_left_out_wrap_around_and_end_at_24() {
    check(
        &calendar(&["00:00-24:00 UTC"], &[]),
        "2026-11-28T23:59:59Z",
        "Sat 2026-11-28 23:59 UTC",
    );
    let weekend = calendar(&["Sat-Mon 12:00-13:00 UTC"], &[]);
    check(&weekend, "2026-11-27T12:30:00Z", "Sat 2026-11-28 12:00 UTC");
    check(&weekend, "2026-11-30T12:30:00Z", "Mon 2026-11-30 12:30 UTC");
    check(&weekend, "2026-12-01T12:30:00Z", "Sat 2026-12-05 12:00 UTC");
}

/// Copenhagen's clock goes from 02:00 to 03:00 on 2027-03-28.
#[test]
fn an_hour_that_the_clock_skips_never_comes() {
    let within = calendar(&["Sun 02:15-02:45 Europe/Copenhagen"], &[]);
    check(
        &within,
        "2027-03-27T12:00:00Z",
        "Sun 2027-04-04 02:15 Europe/Copenhagen",
    );
    // A window that begins in the gap opens as soon as the clock has jumped.
    let into = calendar(&["Sun 02:30-05:00 Europe/Copenhagen"], &[]);
    check(
        &into,
        "2027-03-27T12:00:00Z",
        "Sun 2027-03-28 03:00 Europe/Copenhagen",
    );
    assert!(!into.at(at("2027-03-28T00:59:59Z")).is_open());
    assert!(into.at(at("2027-03-28T01:00:00Z")).is_open());
}

/// Copenhagen's clock goes from 03:00 back to 02:00 on 2026-10-25.
#[test]
fn an_hour_that_the_clock_repeats_comes_twice() {
    let calendar = calendar(&["Sun 02:15-02:45 Europe/Copenhagen"], &[]);
    let opens = |now: &str| calendar.at(at(now)).next;
    assert_eq!(opens("2026-10-24T12:00:00Z"), Some(at("2026-10-25T00:15:00Z")));
    assert_eq!(opens("2026-10-25T00:45:00Z"), Some(at("2026-10-25T01:15:00Z")));
    assert_eq!(opens("2026-10-25T01:45:00Z"), Some(at("2026-11-01T01:15:00Z")));
    // One that begins before the hour and ends in it opens again when the clock is put back.
    let around = super::Calendar::read(&Written {
        windows: &["Sun 01:30-02:30 Europe/Copenhagen"],
        ..Written::default()
    })
    .expect("a calendar");
    assert_eq!(
        around.at(at("2026-10-25T00:30:00Z")).next,
        Some(at("2026-10-25T01:00:00Z"))
    );
}

#[test]
fn a_freeze_holds_both_its_days() {
    let calendar = calendar(&[HOME], &["2026-12-18 to 2027-01-04 Europe/Copenhagen"]);
    check(
        &calendar,
        "2026-12-17T13:00:00Z",
        "Thu 2026-12-17 14:00 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2026-12-17T15:00:00Z",
        "Tue 2027-01-05 08:00 Europe/Copenhagen",
    );
    check(
        &calendar,
        "2027-01-04T22:59:59Z",
        "Tue 2027-01-05 08:00 Europe/Copenhagen",
    );
    let closed = calendar.at(at("2027-01-04T10:00:00Z")).closed;
    assert_eq!(
        closed
            .iter()
            .map(|one| calendar.sentence(one))
            .collect::<Vec<_>>(),
        [
            "frozen by `2026-12-18 to 2027-01-04 Europe/Copenhagen` until Tue 2027-01-05 00:00 Europe/Copenhagen"
        ]
    );
}

#[test]
fn freezes_are_days_spans_and_times_in_the_zone_of_the_window() {
    let one_day = calendar(&[HOME], &["2026-11-24"]);
    check(
        &one_day,
        "2026-11-24T10:00:00Z",
        "Wed 2026-11-25 08:00 Europe/Copenhagen",
    );
    let times = calendar(&[HOME], &["2026-11-24 10:30 to 2026-11-25 09:15"]);
    check(
        &times,
        "2026-11-24T09:29:00Z",
        "Tue 2026-11-24 10:29 Europe/Copenhagen",
    );
    check(
        &times,
        "2026-11-24T09:30:00Z",
        "Wed 2026-11-25 09:15 Europe/Copenhagen",
    );
    // Without a window it is in UTC.
    let utc = calendar(&[], &["2026-11-24"]);
    check(&utc, "2026-11-24T12:00:00Z", "Wed 2026-11-25 00:00 UTC");
    check(&utc, "2026-11-23T23:59:00Z", "Mon 2026-11-23 23:59 UTC");
}

#[test]
fn every_reason_is_told_and_a_calendar_that_never_opens_says_so() {
    let calendar = Calendar::read(&Written {
        windows: &["Sun 08:00-15:00 UTC"],
        freezes: &["2026-11-23 to 2026-11-30"],
        days_off: Some(ICS),
        not_before: Some("2026-12-01"),
    })
    .expect("a calendar");
    let opening = calendar.at(at("2026-11-24T10:00:00Z"));
    let told: Vec<String> = opening.closed.iter().map(|one| calendar.sentence(one)).collect();
    assert_eq!(
        told,
        [
            "not before Tue 2026-12-01 00:00 UTC",
            "frozen by `2026-11-23 to 2026-11-30` until Tue 2026-12-01 00:00 UTC",
            "2026-11-24 is a day off: A day of rest, at last",
            "outside `Sun 08:00-15:00 UTC`",
        ]
    );
    // All Sundays are frozen.
    let never = super::tests::calendar(&["Sun 08:00-15:00 UTC"], &["2026-01-01 to 2099-12-31"]);
    check(&never, "2026-11-24T10:00:00Z", "never");
}

#[test]
fn not_before_is_a_date_or_a_moment() {
    let from = |text| {
        Calendar::read(&Written {
            windows: &["00:00-24:00 Europe/Copenhagen"],
            not_before: Some(text),
            ..Written::default()
        })
        .map(|calendar| calendar.at(at("2026-11-01T00:00:00Z")).next)
    };
    assert_eq!(from("2026-11-23"), Ok(Some(at("2026-11-22T23:00:00Z"))));
    assert_eq!(
        from("2026-11-23T08:00:00+01:00"),
        Ok(Some(at("2026-11-23T07:00:00Z")))
    );
    assert!(matches!(from("next week"), Err(CalendarError::Moment { .. })));
}

const ICS: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
SUMMARY:A day of\r
  rest\\, at last\r
DTSTART;VALUE=DATE:20261124\r
DTEND;VALUE=DATE:20261126\r
BEGIN:VALARM\r
DURATION:PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Christmas\r
DTSTART;VALUE=DATE:20201225\r
DURATION:P2D\r
RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Cancelled\r
STATUS:CANCELLED\r
DTSTART;VALUE=DATE:20261201\r
END:VEVENT\r
END:VCALENDAR\r
";

#[test]
fn days_off_are_the_all_day_events_of_an_icalendar_file() {
    let days_off = DaysOff::read(ICS).expect("days off");
    let name = |date: &str| days_off.name(date.parse().expect("a date"));
    assert_eq!(name("2026-11-23"), None);
    assert_eq!(name("2026-11-24"), Some("A day of rest, at last"));
    assert_eq!(name("2026-11-25"), Some("A day of rest, at last"));
    assert_eq!(name("2026-11-26"), None);
    assert_eq!(name("2030-12-25"), Some("Christmas"));
    assert_eq!(name("2030-12-26"), Some("Christmas"));
    assert_eq!(name("2030-12-27"), None);
    assert_eq!(name("2019-12-25"), None);
    assert_eq!(name("2026-12-01"), None);
}

#[test]
fn a_business_calendar_that_is_not_understood_is_refused() {
    let event = |lines: &str| {
        DaysOff::read(&format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
        ))
    };
    for lines in [
        "DTSTART:20261224T120000Z",
        "DTSTART;TZID=Europe/Copenhagen:20261224T120000",
        "SUMMARY:When",
        "DTSTART:20261224\nRRULE:FREQ=WEEKLY",
        "DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=4TH",
        "DTSTART:20261224\nEXDATE:20271224",
        "DTSTART:20261224\nDTEND:20261224",
        "DTSTART:20261224\nDURATION:PT12H",
        "DTSTART:20261324",
        "nonsense",
    ] {
        assert!(
            matches!(event(lines), Err(CalendarError::DaysOff { .. })),
            "{lines}"
        );
    }
    assert!(DaysOff::read("2026-12-24 Christmas").is_err());
    assert!(DaysOff::read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n").is_err());
}

#[test]
fn what_is_no_window_no_freeze_and_no_zone_says_what_is_wrong() {
    let mut told = Vec::new();
    let mut tell = |windows: &[&str], freezes: &[&str]| {
        let error = Calendar::read(&Written {
            windows,
            freezes,
            ..Written::default()
        })
        .expect_err("refused");
        let help = miette::Diagnostic::help(&error).expect("help").to_string();
        told.push(format!("{error}\n  help: {help}"));
    };
    for window in [
        "",
        "whenever",
        "Mon-Thu 08:00-15:00",
        "Mun-Thu 08:00-15:00 UTC",
        "Mon-Thu 8-15 UTC",
        "Mon-Thu 08:00-25:00 UTC",
        "Mon 08:00-08:00 UTC",
        "Mon 08:00-15:00 Copenhagen",
        "Mon 08:00-15:00 Europe/Copenhagn",
        "Mon 08:00-15:00 Narnia",
    ] {
        tell(&[window], &[]);
    }
    for freeze in [
        "Christmas",
        "2026-12-18 to",
        "2026-12-18 until 2027-01-04",
        "18.12.2026",
        "2026-12-18 10:00",
        "2027-01-04 to 2026-12-18",
        "2026-02-30",
    ] {
        tell(&[], &[freeze]);
    }
    insta::assert_snapshot!(told.join("\n"));
}
