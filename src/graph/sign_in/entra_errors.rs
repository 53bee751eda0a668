//! Entra's sign-in errors, with a next step for the known ones.
//!
//! Source: Microsoft Entra authentication and authorization error codes.

use crate::graph::error::SignInError;
use crate::graph::service_error::tidy;
use serde_json::Value;

/// Next steps by AADSTS number.
const TABLE: &[(u64, &str)] = &[
    (
        50020,
        "the account is not in this tenant: check `AZURE_TENANT_ID`",
    ),
    (
        50034,
        "the account is not in this tenant: check `AZURE_TENANT_ID`",
    ),
    (
        50057,
        "the account is disabled: enable it, or sign in with another",
    ),
    (
        50076,
        "the account needs multifactor authentication: sign in with a device code, or run as an application",
    ),
    (
        50079,
        "the account must register for multifactor authentication first: sign in once in a browser",
    ),
    (
        50105,
        "assign the account or the application to the enterprise application first",
    ),
    (
        53000,
        "a Conditional Access policy wants a compliant device: sign in from one, or run as an application",
    ),
    (
        53003,
        "a Conditional Access policy blocks this sign-in: exclude the account or its place from that policy, or run as an application",
    ),
    (
        53035,
        "a Conditional Access policy blocks this way to sign in: use another one",
    ),
    (
        65001,
        "grant admin consent to the application's Graph permissions",
    ),
    (70008, "the sign-in ended: run the command again"),
    (
        70011,
        "the application does not know this scope: check the cloud of the tenant",
    ),
    (
        70019,
        "the code ended: run the command again and enter the new one",
    ),
    (
        70021,
        "add a federated credential to the application whose issuer, subject and audience match this token",
    ),
    (
        70025,
        "add a federated credential to the application: it has none",
    ),
    (
        90002,
        "no such tenant in this cloud: check `AZURE_TENANT_ID` and the tenant's cloud",
    ),
    (90038, "the tenant is in another cloud: set the tenant's cloud"),
    (
        500_011,
        "Graph is not in this tenant under that name: check the tenant's cloud",
    ),
    (
        700_016,
        "no such application in this tenant: check `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`",
    ),
    (
        700_021,
        "the assertion is made out to somebody else: check `AZURE_CLIENT_ID`",
    ),
    (
        700_024,
        "the clock of this computer is wrong: set it, assertions are valid for minutes",
    ),
    (
        700_027,
        "upload this certificate to the application's certificates, or use the one that is there",
    ),
    (700_030, "the certificate is not valid now: check its dates"),
    (700_082, "the sign-in ended from disuse: run the command again"),
    (
        700_211,
        "add a federated credential to the application with this token's issuer",
    ),
    (
        700_212,
        "add a federated credential to the application with this token's audience",
    ),
    (
        700_213,
        "add a federated credential to the application with this token's subject",
    ),
    (
        900_023,
        "`AZURE_TENANT_ID` is neither a tenant id nor a domain of one",
    ),
    (7_000_112, "the application is disabled in this tenant: enable it"),
    (7_000_113, "the application may not be used in this tenant"),
    (
        7_000_215,
        "the client secret is wrong: use the secret's value, not its id",
    ),
    (
        7_000_218,
        "the application must allow public client flows for device codes (Authentication, Advanced settings)",
    ),
    (7_000_222, "the client secret has ended: make a new one"),
    (
        7_000_229,
        "the application has no service principal in this tenant: grant it admin consent first",
    ),
];

/// The refusal that an error body tells of.
pub(super) fn refused(word: &str, body: &Value, scrub: &dyn Fn(&str) -> String) -> SignInError {
    let described = body
        .get("error_description")
        .and_then(Value::as_str)
        .unwrap_or(word);
    let number = body
        .get("error_codes")
        .and_then(Value::as_array)
        .and_then(|codes| codes.first())
        .and_then(Value::as_u64)
        .or_else(|| number_in(described));
    let trace = body
        .get("trace_id")
        .and_then(Value::as_str)
        .map(tidy)
        .or_else(|| after(described, "Trace ID:"));
    let known = number.and_then(|number| TABLE.iter().find(|(known, _)| *known == number));
    let help = match (known, number) {
        (Some((_, help)), _) => (*help).to_owned(),
        (None, Some(number)) => {
            format!("look the code up at https://login.microsoftonline.com/error?code={number}")
        }
        (None, None) => "check the tenant, the application and the way to sign in".to_owned(),
    };
    SignInError::Refused {
        code: number.map(|number| format!("AADSTS{number}")),
        message: tidy(&scrub(&sentence(described))),
        trace_id: trace,
        help,
    }
}

/// `AADSTS7000215: text Trace ID: …` without what stands before and after the text.
fn sentence(described: &str) -> String {
    let text = match described.split_once(':') {
        Some((code, text)) if code.starts_with("AADSTS") => text,
        _ => described,
    };
    let text = text.split("Trace ID:").next().unwrap_or(text);
    text.trim().trim_end_matches('.').to_owned()
}

fn number_in(described: &str) -> Option<u64> {
    let digits: String = described
        .strip_prefix("AADSTS")?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn after(described: &str, label: &str) -> Option<String> {
    let (_, rest) = described.split_once(label)?;
    rest.split_whitespace().next().map(tidy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_keeps_code_and_trace_id_and_says_what_to_do() {
        let body = json!({
            "error": "invalid_client",
            "error_description": "AADSTS7000222: The provided client secret keys for app 'x' are expired.\r\nTrace ID: 0-1 Correlation ID: 2 Timestamp: 3",
            "error_codes": [7_000_222]
        });
        let SignInError::Refused {
            code,
            message,
            trace_id,
            help,
        } = refused("invalid_client", &body, &str::to_owned)
        else {
            panic!("another error");
        };
        assert_eq!(code.as_deref(), Some("AADSTS7000222"));
        assert_eq!(message, "The provided client secret keys for app 'x' are expired");
        assert_eq!(trace_id.as_deref(), Some("0-1"));
        assert_eq!(help, "the client secret has ended: make a new one");
    }

    #[test]
    fn an_unknown_code_is_looked_up_by_its_number() {
        let body = json!({ "error": "x", "error_description": "AADSTS12345: y" });
        let error = refused("x", &body, &str::to_owned);
        assert!(matches!(error, SignInError::Refused { help, .. } if help.ends_with("code=12345")));
    }
}
