//! The known errors of Conditional Access and its neighbours, and what to do about each.
//!
//! Source: publicly reported answers of Microsoft Graph; where only the number was ever reported, the help says
//! what triggered it.

/// Help by number: (number, part of the message or empty, help).
const NUMBERED: &[(u32, &str, &str)] = &[
    (
        1007,
        "",
        "the service does not know a property or a value that was sent: look at the attributes that need beta and at `raw`, and leave out what this tenant does not have",
    ),
    (
        1011,
        "",
        "name what the policy is about: applications, user actions or authentication contexts; `none` is the target of a policy that shall apply to nothing",
    ),
    (
        1012,
        "",
        "choose one kind of target: applications, user actions or authentication contexts",
    ),
    (
        1032,
        "InvalidPasswordResetControl",
        "a policy that asks for a password change needs mfa or a strength beside it (all of them), user risk, all applications without exclusions and no other condition",
    ),
    (
        1032,
        "",
        "a grant or session control cannot stand with the rest of the policy: remove the one that this kind of target or condition does not support",
    ),
    (
        1039,
        "",
        "remove the user and sign-in risk conditions, or assign Entra ID P2 licences to the tenant",
    ),
    (
        1040,
        "",
        "the location was deleted, or was made only seconds ago: run the command again, and if it stays so, plan again",
    ),
    (
        1041,
        "",
        "the kind of the named location was not recognised: it must be an IP or a country location",
    ),
    (
        1085,
        "",
        "the service calls the policy invalid without saying why: compare it with one made in the portal",
    ),
    (
        1102,
        "",
        "use built-in directory roles, by name or by role template id; there is no word for all roles",
    ),
    (
        1103,
        "",
        "use built-in roles: custom roles, and the ids of a role's instance in this tenant, cannot be targets",
    ),
    (
        1104,
        "",
        "a sign-in frequency measured in hours or days covers both factors: drop the authentication type",
    ),
    (
        1108,
        "",
        "ask for an authentication strength or for mfa, not both",
    ),
    (
        1149,
        "",
        "remove the workload identity conditions, or assign Workload Identities Premium licences",
    ),
    (
        1150,
        "",
        "remove the workload identity conditions, or assign Workload Identities Premium licences",
    ),
];

/// Help by status, code and a part of the message; an empty one matches anything. The first match counts.
const WORDED: &[(u16, &str, &str, &str)] = &[
    (
        400,
        "",
        "Security Defaults is enabled",
        "turn security defaults off first (Entra admin center, Overview, Properties), or let the policy be disabled or report-only until then",
    ),
    (
        400,
        "",
        "cannot be combined with guestOrExternalUsers",
        "use either the word for all guests or the list of guest kinds, not both",
    ),
    (
        400,
        "",
        "Invalid OData type specified",
        "a `raw` object lacks its `@odata.type`",
    ),
    (
        400,
        "",
        "signInEventTypes",
        "the kind of sign-in can be filtered with beta only",
    ),
    (
        400,
        "",
        "object references already exist",
        "the member is in the group already: plan again",
    ),
    (
        403,
        "",
        "required scopes are missing in the token",
        "grant both `Policy.Read.All` and `Policy.ReadWrite.ConditionalAccess` to whoever is signed in: one alone does not do",
    ),
    (
        403,
        "",
        "Operation requires conditional access",
        "this action is protected by an authentication context: run it as an application, or sign in with a device code on a client that can satisfy that context (the Azure CLI cannot)",
    ),
    (
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "",
        "sign-in logs need Entra ID P1; in a tenant that has it the answer comes now and then, so run the command again",
    ),
    (
        404,
        "",
        "ConditionalAccessPolicy with id",
        "the policy was deleted: plan again",
    ),
    (
        405,
        "",
        "",
        "this call exists in the other version of Graph only, or not in this cloud",
    ),
    (
        424,
        "",
        "",
        "a call that this one depends on failed: look at the error before it",
    ),
    (
        429,
        "",
        "",
        "others use up this tenant's rate of about one Conditional Access request a second: run the command again later",
    ),
];

/// What to do about an error, when it is a known one.
pub(crate) fn help_for(status: u16, code: &str, number: Option<u32>, message: &str) -> Option<String> {
    if let Some(number) = number {
        if number == 1034 {
            return Some(missing_service_principals(message));
        }
        return NUMBERED
            .iter()
            .find(|(known, part, _)| *known == number && message.contains(part))
            .map(|(_, _, help)| (*help).to_owned());
    }
    WORDED
        .iter()
        .find(|row| row.0 == status && (row.1.is_empty() || row.1 == code) && message.contains(row.2))
        .map(|row| row.3.to_owned())
}

/// 1034 carries a map from application id to reason inside its text.
fn missing_service_principals(message: &str) -> String {
    let missing: Vec<&str> = message
        .split('"')
        .filter(|part| part.len() == 36 && part.chars().all(|c| c.is_ascii_hexdigit() || c == '-'))
        .collect();
    if missing.is_empty() {
        return "an application in the policy has no service principal in this tenant: create it, or take the application out".to_owned();
    }
    let commands: Vec<String> = missing
        .iter()
        .map(|id| format!("`az ad sp create --id {id}`"))
        .collect();
    format!(
        "the application has no service principal in this tenant: run {}, or take it out of the policy",
        commands.join(" and ")
    )
}

/// What a claims challenge asks for.
pub(crate) fn step_up(claims: &str) -> String {
    let context = claims.split('"').find(|part| {
        part.strip_prefix('c')
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()))
    });
    match context {
        Some(context) => format!(
            "this action is protected by authentication context `{context}`: run it as an application, or sign in with a device code and satisfy that context's policy (tokens of the Azure CLI cannot)"
        ),
        None => format!(
            "Graph asks for a stronger sign-in ({claims}): sign in again with a device code, or run it as an application"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_number_has_a_next_step() {
        for number in [
            1007, 1011, 1012, 1032, 1034, 1039, 1040, 1041, 1085, 1102, 1103, 1104, 1108, 1149, 1150,
        ] {
            assert!(
                help_for(400, "BadRequest", Some(number), "").is_some(),
                "{number}"
            );
        }
    }

    #[test]
    fn the_missing_service_principal_is_named_with_its_command() {
        let message = r#"1034: x {"797f4846-ba00-4fd7-ba43-dac1f8f63013":"ServicePrincipalNotFound"} y"#;
        let help = help_for(400, "BadRequest", Some(1034), message).unwrap();
        assert!(
            help.contains("az ad sp create --id 797f4846-ba00-4fd7-ba43-dac1f8f63013"),
            "{help}"
        );
    }

    #[test]
    fn a_password_change_error_is_told_from_other_control_errors() {
        let password = help_for(400, "", Some(1032), "1032: … due to InvalidPasswordResetControl.").unwrap();
        let other = help_for(400, "", Some(1032), "1032: … due to InvalidControls.").unwrap();
        assert_ne!(password, other);
    }

    #[test]
    fn a_challenge_names_the_context() {
        assert!(step_up(r#"{"access_token":{"acrs":{"essential":true,"value":"c3"}}}"#).contains("`c3`"));
        assert!(step_up(r#"{"access_token":{"nbf":{"essential":true}}}"#).contains("stronger"));
    }
}
