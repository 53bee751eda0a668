//! From method and path to the handler; aliases are rewritten first.

use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::deleted;
use super::directory;
use super::evaluate;
use super::locations;
use super::neighbours;
use super::odata;
use super::organization;
use super::permissions;
use super::policies;
use super::registrations;
use super::sign_ins;
use super::strengths;
use super::tenant::Kind;
use super::tenant::Tenant;

impl Tenant {
    /// Answers one request. Nothing but the tenant and the call goes in.
    pub(super) fn handle(&mut self, call: &Call) -> Outcome {
        let segments = canonical(&call.segments, call.version);
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        permissions::check(self, call, &path)?;
        let method = call.method.as_str();
        match path.as_slice() {
            ["$batch"] => Err(Refusal::method()),
            ["identity", "conditionalAccess", rest @ ..] => conditional_access(self, call, method, rest),
            ["policies", "identitySecurityDefaultsEnforcementPolicy"] => match method {
                "GET" => Ok(neighbours::security_defaults(self, call)),
                "PATCH" => neighbours::set_security_defaults(self, call),
                _ => Err(Refusal::method()),
            },
            ["identityGovernance", "termsOfUse", "agreements", rest @ ..] => {
                agreements(self, call, method, rest)
            }
            ["auditLogs", rest @ ..] => logs(self, call, method, rest),
            ["reports", "authenticationMethods", rest @ ..] => registrations::route(self, call, method, rest),
            ["directory", "deletedItems", rest @ ..] => deleted::directory(self, call, method, rest),
            ["organization"] if method == "GET" => organization::organization(self, call),
            ["organization", id] if method == "GET" => organization::one_organization(self, call, id),
            ["subscribedSkus"] if method == "GET" => organization::skus(self, call),
            ["me", ..] if call.caller.user.is_empty() => Err(Refusal::bad(
                "/me request is only valid with delegated authentication flow.",
            )),
            ["me", rest @ ..] => {
                let user = call.caller.user.clone();
                let path: Vec<&str> = ["users", user.as_str()]
                    .into_iter()
                    .chain(rest.iter().copied())
                    .collect();
                directory::route(self, call, method, &path)
            }
            other => directory::route(self, call, method, other),
        }
    }
}

fn conditional_access(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["policies"]) => policies::list(tenant, call),
        ("POST", ["policies"]) => policies::create(tenant, call),
        ("GET", ["policies", id]) => policies::get(tenant, call, id),
        ("PATCH", ["policies", id]) => policies::update(tenant, call, id),
        ("DELETE", ["policies", id]) => policies::delete(tenant, call, id),
        ("POST", ["evaluate"]) => evaluate::evaluate(tenant, call),
        ("GET", ["namedLocations"]) => locations::list(tenant, call),
        ("POST", ["namedLocations"]) => locations::create(tenant, call),
        ("GET", ["namedLocations", id]) => locations::get(tenant, call, id),
        ("PATCH", ["namedLocations", id]) => locations::update(tenant, call, id),
        ("DELETE", ["namedLocations", id]) => locations::delete(tenant, call, id),
        ("GET", ["templates"]) => neighbours::templates(tenant, call),
        ("GET", ["templates", id]) => neighbours::template(call, id),
        ("GET", ["authenticationContextClassReferences"]) => neighbours::contexts(tenant, call),
        ("POST", ["authenticationContextClassReferences"]) => neighbours::create_context(tenant, call),
        ("GET", ["authenticationContextClassReferences", id]) => neighbours::context(tenant, call, id),
        ("PATCH", ["authenticationContextClassReferences", id]) => {
            neighbours::update_context(tenant, call, id)
        }
        ("DELETE", ["authenticationContextClassReferences", id]) => neighbours::delete_context(tenant, id),
        (method, ["deletedItems", rest @ ..]) => deleted::conditional_access(tenant, call, method, rest),
        (method, ["authenticationStrength", rest @ ..]) => strength(tenant, call, method, rest),
        (
            "GET" | "POST" | "PATCH" | "DELETE" | "PUT",
            ["policies" | "namedLocations" | "templates" | "evaluate", ..],
        ) => Err(Refusal::method()),
        (_, path) => Err(Refusal::segment(path.first().unwrap_or(&"conditionalAccess"))),
    }
}

fn strength(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => Ok(Answer::ok(json!({
            "@odata.context": call.context("identity/conditionalAccess/authenticationStrength/$entity"),
            "id": "authenticationStrength",
            "combinations": strengths::MULTIFACTOR,
        }))),
        ("GET", ["authenticationMethodModes"]) => neighbours::method_modes(tenant, call),
        ("GET", ["policies"]) => strengths::list(tenant, call),
        ("POST", ["policies"]) => strengths::create(tenant, call),
        ("GET", ["policies", id]) => strengths::get(tenant, call, id),
        ("PATCH", ["policies", id]) => strengths::update(tenant, call, id),
        ("DELETE", ["policies", id]) => strengths::delete(tenant, id),
        ("POST", ["policies", id, "updateAllowedCombinations"]) => {
            strengths::update_combinations(tenant, call, id)
        }
        ("GET", ["policies", id, "usage"]) => strengths::usage(tenant, call, id),
        ("GET", ["policies", id, "combinationConfigurations"]) => strengths::configurations(tenant, call, id),
        ("POST", ["policies", id, "combinationConfigurations"]) => {
            strengths::add_configuration(tenant, call, id)
        }
        ("GET", ["policies", id, "combinationConfigurations", key]) => {
            strengths::configuration(tenant, call, id, key)
        }
        ("PATCH", ["policies", id, "combinationConfigurations", key]) => {
            strengths::change_configuration(tenant, call, id, key)
        }
        ("DELETE", ["policies", id, "combinationConfigurations", key]) => {
            strengths::remove_configuration(tenant, id, key)
        }
        (_, ["policies", ..]) => Err(Refusal::method()),
        (_, path) => Err(Refusal::segment(
            path.first().unwrap_or(&"authenticationStrength"),
        )),
    }
}

fn agreements(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => neighbours::agreements(tenant, call),
        ("POST", []) => neighbours::create_agreement(tenant, call),
        ("GET", [id]) => neighbours::agreement(tenant, call, id),
        ("PATCH", [id]) => neighbours::update_agreement(tenant, call, id),
        ("DELETE", [id]) => neighbours::delete_agreement(tenant, id),
        ("GET", [id, "files" | "acceptances"]) => {
            neighbours::agreement(tenant, call, id)?;
            odata::page(
                tenant,
                call,
                Vec::new(),
                "identityGovernance/termsOfUse/agreements",
            )
        }
        _ => Err(Refusal::method()),
    }
}

fn logs(tenant: &Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    let name = "auditLogs/directoryAudits";
    match (method, path) {
        (_, ["signIns", ..]) if !tenant.settings.premium_p1 => Err(Refusal::new(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )),
        ("GET", ["signIns"]) => sign_ins::list(tenant, call),
        ("GET", ["signIns", id]) => sign_ins::get(tenant, call, id),
        ("GET", ["directoryAudits"]) => {
            let mut items: Vec<_> = tenant.objects(Kind::DirectoryAudits).cloned().collect();
            items.reverse();
            if call.version == Version::Beta {
                odata::offers(call, &["filter", "select", "top", "orderby"])?;
            }
            odata::page(tenant, call, items, name)
        }
        ("GET", ["directoryAudits", id]) => {
            let item = tenant
                .object(Kind::DirectoryAudits, id)
                .ok_or_else(|| Refusal::unknown_resource(id))?;
            Ok(odata::entity(call, item.clone(), &format!("{name}/$entity")))
        }
        (_, ["signIns" | "directoryAudits", ..]) => Err(Refusal::method()),
        (_, path) => Err(Refusal::segment(path.first().unwrap_or(&"auditLogs"))),
    }
}

/// The fixed words of paths, in the casing the handlers match.
const WORDS: [&str; 35] = [
    "identity",
    "conditionalAccess",
    "policies",
    "evaluate",
    "namedLocations",
    "templates",
    "authenticationContextClassReferences",
    "deletedItems",
    "authenticationStrength",
    "authenticationMethodModes",
    "updateAllowedCombinations",
    "usage",
    "combinationConfigurations",
    "identitySecurityDefaultsEnforcementPolicy",
    "identityGovernance",
    "termsOfUse",
    "agreements",
    "auditLogs",
    "reports",
    "authenticationMethods",
    "userRegistrationDetails",
    "directoryAudits",
    "signIns",
    "directory",
    "groups",
    "users",
    "servicePrincipals",
    "applications",
    "directoryRoles",
    "directoryRoleTemplates",
    "roleManagement",
    "roleDefinitions",
    "roleAssignments",
    "directoryObjects",
    "members",
];

fn canonical(segments: &[String], version: Version) -> Vec<String> {
    let mut path: Vec<String> = segments
        .iter()
        .map(|segment| {
            let bare = segment.strip_prefix("microsoft.graph.").unwrap_or(segment);
            let word = WORDS.iter().find(|word| word.eq_ignore_ascii_case(bare));
            word.map_or_else(|| bare.to_owned(), |word| (*word).to_owned())
        })
        .collect();
    // usage() is a function and may be written with its parentheses.
    if let Some(last) = path.last_mut().filter(|last| last.as_str() == "usage()") {
        "usage".clone_into(last);
    }
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let prefix =
        |start: &[&str], rest: &[&str]| start.iter().chain(rest).map(|word| (*word).to_owned()).collect();
    match words.as_slice() {
        ["policies", "conditionalAccessPolicies", rest @ ..] => {
            prefix(&["identity", "conditionalAccess", "policies"], rest)
        }
        ["policies", "authenticationStrengthPolicies", rest @ ..] => prefix(
            &[
                "identity",
                "conditionalAccess",
                "authenticationStrength",
                "policies",
            ],
            rest,
        ),
        [
            "identity",
            "conditionalAccess",
            "authenticationStrengths",
            rest @ ..,
        ] if version == Version::Beta => {
            prefix(&["identity", "conditionalAccess", "authenticationStrength"], rest)
        }
        _ => path,
    }
}
