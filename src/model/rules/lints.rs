//! V15 to V26 and their like: stored, but probably not meant.

use super::{
    APP_FILTER, CONTINUOUS_ACCESS, EXCLUDE_APPS, FREQUENCY, Found, GRANT, INCLUDE_APPS, INCLUDE_USERS,
    PERSISTENT_BROWSER, STATE, USER_RISK, grant, has_control, has_keyword, has_strength, has_symbol, is_set,
    set_below,
};
use crate::model::object::Object;
use crate::model::value::{Interval, Value};

/// The longest rule of a device filter, in characters (V26).
const LONGEST_RULE: usize = 3072;

const PLATFORMS: &str = "conditions.platforms.includePlatforms";
const CLIENT_APPS: &str = "conditions.clientAppTypes";

pub(super) fn check(object: &Object, found: &mut Found) {
    keywords(object, found);
    blocks_everybody(object, found);
    app_controls(object, found);
    session(object, found);
    if let Some(Value::Filter(filter)) = object.get("conditions.devices.deviceFilter")
        && filter.rule.chars().count() > LONGEST_RULE
    {
        found.lint(
            "rules::long_filter",
            &["conditions.devices.deviceFilter"],
            format!("the device filter is longer than {LONGEST_RULE} characters"),
            "split the policy",
        );
    }
    let guests = "conditions.users.includeGuestsOrExternalUsers";
    if let (true, Some(Value::Guests(kinds))) =
        (is_set(object, "conditions.insiderRiskLevels"), object.get(guests))
    {
        let never = ["b2bDirectConnectUser", "otherExternalUser", "serviceProvider"];
        if never.iter().any(|kind| kinds.kinds.contains(*kind)) {
            found.lint(
                "rules::insider_risk_of_guests",
                &[guests],
                "some of these guests never have an insider risk",
                "remove `b2b_direct_connect_user`, `other_external_user` and `service_provider`",
            );
        }
    }
}

fn keywords(object: &Object, found: &mut Found) {
    // One real tenant stores both, so only what is included is refused (`FACTS` 1.3).
    let (keyword, kinds) = (
        "conditions.users.excludeUsers",
        "conditions.users.excludeGuestsOrExternalUsers",
    );
    if has_keyword(object, keyword, "GuestsOrExternalUsers") && is_set(object, kinds) {
        found.lint(
            "rules::two_kinds_of_guests",
            &[keyword, kinds],
            "`exclude` holds both `guests_legacy` and `guests(…)`",
            "keep `guests(…)`, which says the same with more precision",
        );
    }
    let beside_all: Vec<&'static str> = [
        "conditions.users.includeGroups",
        "conditions.users.includeRoles",
        "conditions.users.includeGuestsOrExternalUsers",
    ]
    .into_iter()
    .filter(|wire| is_set(object, wire))
    .collect();
    if has_keyword(object, INCLUDE_USERS, "All") && !beside_all.is_empty() {
        found.lint(
            "rules::all_and_more",
            &beside_all,
            "`all` already includes these",
            "remove `all`, or what stands beside it",
        );
    }
    for include in [INCLUDE_APPS, "conditions.locations.includeLocations"] {
        if has_keyword(object, include, "All") && object.reference_set(include).count() > 1 {
            found.lint(
                "rules::all_and_more",
                &[include],
                "`all` stands beside what it already includes",
                "remove `all`, or what stands beside it",
            );
        }
    }
    let too_wide = ["All", "None", "AllAgentIdResources"];
    if is_set(object, APP_FILTER)
        && too_wide
            .iter()
            .any(|word| has_keyword(object, INCLUDE_APPS, word))
    {
        found.lint(
            "rules::filter_beside_keyword",
            &[APP_FILTER, INCLUDE_APPS],
            "an application filter stands beside a keyword that leaves it nothing to do",
            "keep the filter or the keyword",
        );
    }
}

/// V24.
fn blocks_everybody(object: &Object, found: &mut Found) {
    let blocks = grant(object).is_some_and(|grant| has_control(grant, "block"));
    let everybody = has_keyword(object, INCLUDE_USERS, "All")
        && set_below(object, "conditions.users.exclude").next().is_none();
    let everything = has_keyword(object, INCLUDE_APPS, "All") && !is_set(object, EXCLUDE_APPS);
    let narrowed = set_below(object, "conditions.")
        .any(|wire| !wire.starts_with("conditions.users.") && !wire.starts_with("conditions.applications."));
    if blocks && everybody && everything && !narrowed {
        found.lint(
            "rules::blocks_everybody",
            &[GRANT],
            "the policy blocks everybody from everything",
            "exclude somebody, or add a condition",
        );
    }
}

/// V20.
fn app_controls(object: &Object, found: &mut Found) {
    let needs_app = grant(object).is_some_and(|grant| {
        has_control(grant, "approvedApplication") || has_control(grant, "compliantApplication")
    });
    let only_mobile = match object.get(PLATFORMS) {
        Some(Value::Symbols(platforms)) => platforms
            .iter()
            .all(|platform| matches!(platform.as_str(), "android" | "iOS" | "windows")),
        _ => false,
    };
    if needs_app && !only_mobile {
        found.lint(
            "rules::app_control_platforms",
            &[GRANT, PLATFORMS],
            "approved and protected apps exist on Android, iOS and Windows only",
            "write `platforms { include = [android, ios] }`",
        );
    }
    let eas = match object.get(CLIENT_APPS) {
        Some(Value::Symbols(kinds)) => kinds.len() == 1 && kinds.contains("exchangeActiveSync"),
        _ => false,
    };
    let blocks = grant(object).is_some_and(|grant| has_control(grant, "block"));
    if eas && !blocks && has_keyword(object, INCLUDE_APPS, "All") {
        found.lint(
            "rules::exchange_active_sync_apps",
            &[CLIENT_APPS, INCLUDE_APPS],
            "Exchange ActiveSync reaches Exchange Online only",
            "write `apps { include = [app.exchange_online] }`",
        );
    }
}

fn session(object: &Object, found: &mut Found) {
    let all_apps = has_keyword(object, INCLUDE_APPS, "All");
    if is_set(object, PERSISTENT_BROWSER) && !all_apps {
        found.lint(
            "rules::persistent_browser_apps",
            &[PERSISTENT_BROWSER, INCLUDE_APPS],
            "`persistent_browser` works for all applications only",
            "write `apps { include = [all] }`",
        );
    }
    if has_symbol(object, CONTINUOUS_ACCESS, "disabled") && (!all_apps || is_set(object, EXCLUDE_APPS)) {
        found.lint(
            "rules::continuous_access_apps",
            &[CONTINUOUS_ACCESS, INCLUDE_APPS],
            "continuous access can be turned off for all applications only",
            "write `apps { include = [all] }` without `exclude`",
        );
    }
    if is_set(object, "sessionControls.secureSignInSession") && !is_set(object, PLATFORMS) {
        found.lint(
            "rules::token_protection_platforms",
            &["sessionControls.secureSignInSession"],
            "`token_protection` binds tokens on some platforms only, and blocks the others",
            "write `platforms { include = [windows] }`",
        );
    }
    if is_set(object, "sessionControls.applicationEnforcedRestrictions") && all_apps {
        found.lint(
            "rules::app_restrictions_apps",
            &["sessionControls.applicationEnforcedRestrictions", INCLUDE_APPS],
            "only Exchange, SharePoint and Office 365 restrict sessions themselves",
            "write `apps { include = [app.office365] }`",
        );
    }
    if let Some(Value::SignInFrequency(frequency)) = object.get(FREQUENCY) {
        let asks = grant(object).is_some_and(|grant| {
            has_control(grant, "mfa") || has_control(grant, "passwordChange") || has_strength(grant)
        });
        let risk = is_set(object, USER_RISK) || is_set(object, "conditions.signInRiskLevels");
        if frequency.interval == Interval::EveryTime && all_apps && !(asks && risk) {
            found.lint(
                "rules::every_time_everywhere",
                &[FREQUENCY],
                "`every_time` for all applications without a risk condition prompts people at every step",
                "add `risk { sign_in = [high] }`, or name the applications",
            );
        }
        if frequency.secondary_only && !asks {
            found.lint(
                "rules::secondary_without_mfa",
                &[FREQUENCY, GRANT],
                "a second factor is asked for again that was never asked for",
                "write `grant = mfa`",
            );
        }
    }
    if object.text(STATE) == Some("enabled") && has_symbol(object, CONTINUOUS_ACCESS, "strictEnforcement") {
        found.lint(
            "rules::strict_enforcement",
            &[CONTINUOUS_ACCESS],
            "`strict_enforcement` was rolled back; the portal removes it",
            "write `continuous_access = strict_location`",
        );
    }
}
