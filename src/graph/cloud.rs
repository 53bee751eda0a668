//! Which cloud, which hosts, which version.

use super::error::GraphError;
pub use crate::model::properties::ApiVersion as Version;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// A Microsoft cloud. A tenant lives in one; tokens of one mean nothing to another.
///
/// Source: Microsoft Graph documentation, "National cloud deployments".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Cloud {
    /// The worldwide service, GCC included.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud, in the order of documentation.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGov, Self::UsGovDod, Self::China];

    /// The word that names it in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGov => "usgov",
            Self::UsGovDod => "usgov_dod",
            Self::China => "china",
        }
    }

    /// The sign-in authority, without a trailing slash.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// The Graph root, without a version and without a trailing slash.
    pub fn graph_root(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.name() == text)
            .ok_or_else(|| GraphError::UnknownCloud {
                given: text.to_owned(),
            })
    }
}

/// The hosts one tenant is reached at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    graph_root: Url,
    authority: Url,
    audience: String,
}

impl Endpoints {
    /// The cloud's own hosts, or what overrides them. `http://` is accepted on loopback only.
    pub fn new(cloud: Cloud, graph: Option<&str>, login: Option<&str>) -> Result<Self, GraphError> {
        let graph_root = host_root("Graph endpoint", graph.unwrap_or(cloud.graph_root()))?;
        if let Some(version) = [Version::V1, Version::Beta]
            .into_iter()
            .find(|version| graph_root.path().ends_with(version.segment()))
        {
            return Err(GraphError::Endpoint {
                which: "Graph endpoint",
                given: graph_root.to_string(),
                problem: format!("names a version (`{version}`)"),
                help: "leave the version out, each call adds its own".to_owned(),
            });
        }
        let authority = host_root("sign-in endpoint", login.unwrap_or(cloud.authority()))?;
        Ok(Self {
            graph_root,
            authority,
            audience: cloud.graph_root().to_owned(),
        })
    }

    /// The Graph root, without a version.
    pub fn graph_root(&self) -> &Url {
        &self.graph_root
    }

    /// The sign-in authority, without a tenant.
    pub fn authority(&self) -> &Url {
        &self.authority
    }

    /// The scope to ask a token for: `{the cloud's Graph root}/.default`, also when the endpoint is overridden.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// The audience of a token: the cloud's own Graph root.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether Graph is on this machine: an embedded or a test tenant, never a real one.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.graph_root)
    }

    /// The address of `path` (relative, already encoded) in `version`.
    pub(crate) fn graph_url(&self, version: Version, path: &str) -> Result<Url, GraphError> {
        let root = self.graph_root.as_str().trim_end_matches('/');
        let path = path.trim_start_matches('/');
        Url::parse(&format!("{root}/{version}/{path}")).map_err(|error| GraphError::Internal {
            what: format!("`{path}` is no Graph path: {error}"),
        })
    }

    /// The address of `path` (relative) under the authority.
    pub(crate) fn authority_url(&self, path: &str) -> Result<Url, GraphError> {
        let root = self.authority.as_str().trim_end_matches('/');
        Url::parse(&format!("{root}/{path}")).map_err(|error| GraphError::Internal {
            what: format!("`{path}` is no sign-in path: {error}"),
        })
    }
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

fn host_root(which: &'static str, given: &str) -> Result<Url, GraphError> {
    let refuse = |problem: &str, help: &str| GraphError::Endpoint {
        which,
        given: given.to_owned(),
        problem: problem.to_owned(),
        help: help.to_owned(),
    };
    let url = Url::parse(given).map_err(|_| {
        refuse(
            "is not an address",
            "write it as `https://host` or, on loopback, `http://127.0.0.1:PORT`",
        )
    })?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        // The address is not repeated: what stands before the @ may be a password.
        return Err(GraphError::Endpoint {
            which,
            given: "…".to_owned(),
            problem: "has a user name, a query or a fragment".to_owned(),
            help: "write scheme, host and port only".to_owned(),
        });
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(refuse(
            "is not encrypted",
            "use `https://`; `http://` is accepted on loopback only",
        )),
        _ => Err(refuse("is neither https nor http", "use `https://`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_own_hosts() {
        for cloud in Cloud::ALL {
            let endpoints = Endpoints::new(cloud, None, None).unwrap();
            assert_eq!(endpoints.scope(), format!("{}/.default", cloud.graph_root()));
            assert_eq!(cloud.name().parse::<Cloud>().unwrap(), cloud);
            assert!(!endpoints.is_loopback());
        }
        assert!("azure".parse::<Cloud>().is_err());
    }

    #[test]
    fn an_override_moves_the_host_but_not_the_audience() {
        let endpoints = Endpoints::new(
            Cloud::UsGov,
            Some("http://127.0.0.1:8080/"),
            Some("http://localhost:8080"),
        )
        .unwrap();
        assert!(endpoints.is_loopback());
        assert_eq!(endpoints.audience(), "https://graph.microsoft.us");
        assert_eq!(
            endpoints
                .graph_url(Version::Beta, "/identity/conditionalAccess/policies")
                .unwrap()
                .as_str(),
            "http://127.0.0.1:8080/beta/identity/conditionalAccess/policies"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost",
            "http://127.8.9.1",
        ] {
            assert!(Endpoints::new(Cloud::Global, Some(good), None).is_ok(), "{good}");
        }
        for bad in [
            "http://graph.microsoft.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "ftp://localhost",
            "graph.microsoft.com",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com/beta",
            "https://graph.microsoft.com/?x=1",
        ] {
            assert!(Endpoints::new(Cloud::Global, Some(bad), None).is_err(), "{bad}");
        }
        assert!(Endpoints::new(Cloud::Global, None, Some("http://login.example.com")).is_err());
    }

    #[test]
    fn a_password_in_an_endpoint_is_not_repeated() {
        let error =
            Endpoints::new(Cloud::Global, Some("https://me:hunter2@graph.example.com"), None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
