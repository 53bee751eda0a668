//! One line, read without copying what is not needed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a line can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A person signs in.
    User,
    /// An application signs in as itself.
    ServicePrincipal,
    /// It has none of the members of a sign-in.
    Other,
}

/// What a sign-in log line records, borrowed from it. `None` is not recorded.
#[derive(Debug, Clone, Default)]
pub struct Line<'a> {
    /// The id of the sign-in.
    pub id: Option<Cow<'a, str>>,
    /// When it happened, as written.
    pub created_date_time: Option<Cow<'a, str>>,
    /// Which log it comes from: `SignInLogs`, `AADServicePrincipalSignInLogs`.
    pub category: Option<Cow<'a, str>>,
    /// The object id of the person.
    pub user_id: Option<Cow<'a, str>>,
    /// The account name.
    pub user_principal_name: Option<Cow<'a, str>>,
    /// What people call the person.
    pub user_display_name: Option<Cow<'a, str>>,
    /// `member` or `guest`.
    pub user_type: Option<Cow<'a, str>>,
    /// The tenant that the person comes from.
    pub home_tenant_id: Option<Cow<'a, str>>,
    /// The tenant that is signed in to.
    pub resource_tenant_id: Option<Cow<'a, str>>,
    /// How the two tenants meet: `none`, `b2bCollaboration`.
    pub cross_tenant_access_type: Option<Cow<'a, str>>,
    /// The object id of the application that signs in as itself.
    pub service_principal_id: Option<Cow<'a, str>>,
    /// Its name.
    pub service_principal_name: Option<Cow<'a, str>>,
    /// The client application.
    pub app_id: Option<Cow<'a, str>>,
    /// Its name.
    pub app_display_name: Option<Cow<'a, str>>,
    /// The resource application.
    pub resource_id: Option<Cow<'a, str>>,
    /// Its name.
    pub resource_display_name: Option<Cow<'a, str>>,
    /// The kind of client, in the log's words.
    pub client_app_used: Option<Cow<'a, str>>,
    /// The address that it comes from.
    pub ip_address: Option<Cow<'a, str>>,
    /// The country where the line has it as a text.
    pub country: Option<Cow<'a, str>>,
    /// The risk at that time.
    pub risk_level_during_sign_in: Option<Cow<'a, str>>,
    /// The protocol, `deviceCode` among them.
    pub authentication_protocol: Option<Cow<'a, str>>,
    /// How the session was handed over.
    pub original_transfer_method: Option<Cow<'a, str>>,
    /// Whether it came through Global Secure Access.
    pub is_through_global_secure_access: Option<Cow<'a, str>>,
    /// Where it comes from, as JSON.
    pub location: Option<&'a RawValue>,
    /// The named locations, as JSON.
    pub network_location_details: Option<&'a RawValue>,
    /// The device, as JSON.
    pub device_detail: Option<&'a RawValue>,
    /// What Conditional Access took for the resource, as JSON.
    pub conditional_access_audiences: Option<&'a RawValue>,
    /// The authentication contexts, as JSON.
    pub authentication_contexts: Option<&'a RawValue>,
    /// The error code where the line has it as a text, `0` for none.
    pub result_type: Option<Cow<'a, str>>,
    /// The status with the error code, as JSON.
    pub status: Option<&'a RawValue>,
    /// What became of each policy, as JSON.
    pub applied_policies: Option<&'a RawValue>,
    /// The lines that it wraps: `records` of diagnostic settings, `value` of Graph.
    pub wrapped: Option<&'a RawValue>,
}

impl Line<'_> {
    /// What it is.
    pub fn kind(&self) -> LineKind {
        let has = |text: &Option<Cow<'_, str>>| text.as_deref().is_some_and(|text| !text.is_empty());
        let is_of_application = self.category.as_deref().is_some_and(|category| {
            let category = category.to_ascii_lowercase();
            category.contains("serviceprincipal") || category.contains("managedidentity")
        });
        match (has(&self.user_id), has(&self.service_principal_id)) {
            (true, _) if !is_of_application => LineKind::User,
            (_, true) => LineKind::ServicePrincipal,
            _ => LineKind::Other,
        }
    }

    /// Whether it comes from a log of sign-ins, whatever it holds.
    pub fn is_of_sign_ins(&self) -> bool {
        let category = self.category.as_deref().unwrap_or_default().to_ascii_lowercase();
        category.contains("signinlogs")
    }
}

#[derive(Clone, Copy)]
enum Key {
    Id,
    CreatedDateTime,
    Category,
    UserId,
    UserPrincipalName,
    UserDisplayName,
    UserType,
    HomeTenantId,
    ResourceTenantId,
    CrossTenantAccessType,
    ServicePrincipalId,
    ServicePrincipalName,
    AppId,
    AppDisplayName,
    ResourceId,
    ResourceDisplayName,
    ClientAppUsed,
    IpAddress,
    Location,
    LocationDetails,
    RiskLevelDuringSignIn,
    AuthenticationProtocol,
    OriginalTransferMethod,
    IsThroughGlobalSecureAccess,
    NetworkLocationDetails,
    DeviceDetail,
    ConditionalAccessAudiences,
    AuthenticationContexts,
    ResultType,
    Status,
    AppliedPolicies,
    Properties,
    Wrapped,
    Other,
}

impl Key {
    /// Graph's spelling, and that of the columns of Log Analytics and PowerShell.
    fn of(name: &str) -> Self {
        match name {
            "id" | "Id" => Self::Id,
            "createdDateTime" | "CreatedDateTime" => Self::CreatedDateTime,
            "category" | "Category" | "Type" => Self::Category,
            "userId" | "UserId" => Self::UserId,
            "userPrincipalName" | "UserPrincipalName" => Self::UserPrincipalName,
            "userDisplayName" | "UserDisplayName" => Self::UserDisplayName,
            "userType" | "UserType" => Self::UserType,
            "homeTenantId" | "HomeTenantId" => Self::HomeTenantId,
            "resourceTenantId" | "ResourceTenantId" | "AADTenantId" => Self::ResourceTenantId,
            "crossTenantAccessType" | "CrossTenantAccessType" => Self::CrossTenantAccessType,
            "servicePrincipalId" | "ServicePrincipalId" => Self::ServicePrincipalId,
            "servicePrincipalName" | "ServicePrincipalName" => Self::ServicePrincipalName,
            "appId" | "AppId" => Self::AppId,
            "appDisplayName" | "AppDisplayName" => Self::AppDisplayName,
            "resourceId" | "ResourceId" | "ResourceIdentity" => Self::ResourceId,
            "resourceDisplayName" | "ResourceDisplayName" => Self::ResourceDisplayName,
            "clientAppUsed" | "ClientAppUsed" => Self::ClientAppUsed,
            "ipAddress" | "IpAddress" | "IPAddress" => Self::IpAddress,
            "location" | "Location" => Self::Location,
            "LocationDetails" => Self::LocationDetails,
            "riskLevelDuringSignIn" | "RiskLevelDuringSignIn" => Self::RiskLevelDuringSignIn,
            "authenticationProtocol" | "AuthenticationProtocol" => Self::AuthenticationProtocol,
            "originalTransferMethod" | "OriginalTransferMethod" => Self::OriginalTransferMethod,
            "isThroughGlobalSecureAccess" | "IsThroughGlobalSecureAccess" => {
                Self::IsThroughGlobalSecureAccess
            }
            "networkLocationDetails" | "NetworkLocationDetails" => Self::NetworkLocationDetails,
            "deviceDetail" | "DeviceDetail" => Self::DeviceDetail,
            "conditionalAccessAudiences" | "ConditionalAccessAudiences" => Self::ConditionalAccessAudiences,
            "authenticationContextClassReferences" | "AuthenticationContextClassReferences" => {
                Self::AuthenticationContexts
            }
            "ResultType" => Self::ResultType,
            "status" | "Status" => Self::Status,
            "appliedConditionalAccessPolicies"
            | "AppliedConditionalAccessPolicies"
            | "ConditionalAccessPolicies" => Self::AppliedPolicies,
            "properties" => Self::Properties,
            "records" | "value" => Self::Wrapped,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(Key::of(name))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// A text; a number or a truth value is what it is written as, anything else is no text.
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(if yes { "true" } else { "false" }))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Whether JSON is worth keeping: `null` and the empty text tell nothing.
fn told(raw: &RawValue) -> Option<&RawValue> {
    (!matches!(raw.get(), "null" | "\"\"")).then_some(raw)
}

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Line<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sign-in as a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut line = Line::default();
                let mut inner = None;
                while let Some(key) = members.next_key::<Key>()? {
                    match key {
                        Key::Properties => inner = Some(members.next_value::<Inner<'de>>()?),
                        Key::Other => drop(members.next_value::<IgnoredAny>()?),
                        key => line.take(key, &mut members)?,
                    }
                }
                Ok(match inner {
                    // Around it stand words of the same names with other meanings.
                    Some(Inner(Some(inner))) => Line {
                        category: line.category,
                        ..*inner
                    },
                    _ => line,
                })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// What diagnostic settings wrap; in Log Analytics it may be something else.
struct Inner<'a>(Option<Box<Line<'a>>>);

impl<'de> Deserialize<'de> for Inner<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Ok(Self(None));
        }
        let line = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        Ok(Self(Some(Box::new(line))))
    }
}

impl<'de> Line<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: Key, members: &mut A) -> Result<(), A::Error> {
        let text = match key {
            Key::Id => &mut self.id,
            Key::CreatedDateTime => &mut self.created_date_time,
            Key::Category => &mut self.category,
            Key::UserId => &mut self.user_id,
            Key::UserPrincipalName => &mut self.user_principal_name,
            Key::UserDisplayName => &mut self.user_display_name,
            Key::UserType => &mut self.user_type,
            Key::HomeTenantId => &mut self.home_tenant_id,
            Key::ResourceTenantId => &mut self.resource_tenant_id,
            Key::CrossTenantAccessType => &mut self.cross_tenant_access_type,
            Key::ServicePrincipalId => &mut self.service_principal_id,
            Key::ServicePrincipalName => &mut self.service_principal_name,
            Key::AppId => &mut self.app_id,
            Key::AppDisplayName => &mut self.app_display_name,
            Key::ResourceId => {
                // Azure calls the path of the log itself by this name, too.
                let text = members.next_value::<Text<'de>>()?.0;
                if text.as_deref().is_some_and(|text| !text.contains('/')) {
                    self.resource_id = text;
                }
                return Ok(());
            }
            Key::ResourceDisplayName => &mut self.resource_display_name,
            Key::ClientAppUsed => &mut self.client_app_used,
            Key::IpAddress => &mut self.ip_address,
            Key::RiskLevelDuringSignIn => &mut self.risk_level_during_sign_in,
            Key::AuthenticationProtocol => &mut self.authentication_protocol,
            Key::OriginalTransferMethod => &mut self.original_transfer_method,
            Key::IsThroughGlobalSecureAccess => &mut self.is_through_global_secure_access,
            Key::ResultType => &mut self.result_type,
            key => return self.take_raw(key, members),
        };
        *text = members.next_value::<Text<'de>>()?.0;
        Ok(())
    }

    fn take_raw<A: MapAccess<'de>>(&mut self, key: Key, members: &mut A) -> Result<(), A::Error> {
        let raw = told(members.next_value::<&'de RawValue>()?);
        match key {
            Key::Location => match raw {
                Some(raw) if raw.get().starts_with('"') => {
                    self.country = serde_json::from_str::<Text<'de>>(raw.get())
                        .map_err(A::Error::custom)?
                        .0;
                }
                raw => self.location = raw.or(self.location),
            },
            Key::LocationDetails => self.location = raw.or(self.location),
            Key::NetworkLocationDetails => self.network_location_details = raw,
            Key::DeviceDetail => self.device_detail = raw,
            Key::ConditionalAccessAudiences => self.conditional_access_audiences = raw,
            Key::AuthenticationContexts => self.authentication_contexts = raw,
            Key::Status => self.status = raw,
            Key::AppliedPolicies => self.applied_policies = raw.or(self.applied_policies),
            Key::Wrapped => self.wrapped = raw,
            _ => {}
        }
        Ok(())
    }
}
