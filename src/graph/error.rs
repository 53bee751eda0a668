//! What can go wrong between capol and Graph.

use super::service_error::ServiceError;
use crate::model::wire::WireError;
use miette::Diagnostic;
use thiserror::Error;

/// A call to Graph did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[non_exhaustive]
pub enum GraphError {
    /// Graph answered, and the answer is an error.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Service(Box<ServiceError>),

    /// No token.
    #[error(transparent)]
    #[diagnostic(transparent)]
    SignIn(Box<SignInError>),

    /// A write left and no clear answer came: it may or may not have been carried out. Never sent again here.
    #[error("nobody knows whether `{call}` was carried out (client-request-id {client_request_id}): {cause}")]
    #[diagnostic(
        code("graph::unknown_outcome"),
        help("run `capol apply` again: it looks for what was sent before it sends anything twice")
    )]
    Unknown {
        /// Method and path.
        call: String,
        /// Our id of the call, for Microsoft's support.
        client_request_id: String,
        /// What was seen.
        cause: String,
    },

    /// A write had to wait for so long that what it rests on is too old. It was not sent.
    #[error("`{call}` was not sent: it waited so long that the object may have changed")]
    #[diagnostic(code("graph::too_late"), help("run `capol apply` again"))]
    TooLate {
        /// Method and path.
        call: String,
    },

    /// No connection, or a read whose answer never came whole.
    #[error("no answer to `{call}` after {attempts} tries: {cause}")]
    #[diagnostic(
        code("graph::unreachable"),
        help("check the network, `HTTPS_PROXY`, `NO_PROXY` and, where it is set, `CAPOL_GRAPH_ENDPOINT`")
    )]
    Unreachable {
        /// Method and path.
        call: String,
        /// How many times it was tried.
        attempts: u32,
        /// What was seen last.
        cause: String,
    },

    /// The other side's certificate is not trusted.
    #[error("the certificate of the server that answered `{call}` is not trusted: {cause}")]
    #[diagnostic(
        code("graph::certificate"),
        help(
            "behind a proxy that opens encrypted traffic, set `SSL_CERT_FILE` to a PEM file with its root certificate"
        )
    )]
    Certificate {
        /// Method and path.
        call: String,
        /// What was seen.
        cause: String,
    },

    /// The HTTP client could not be made.
    #[error("encrypted connections cannot be set up: {cause}")]
    #[diagnostic(
        code("graph::tls"),
        help(
            "install the system's root certificates (`ca-certificates`), or set `SSL_CERT_FILE` to a PEM file with trusted roots"
        )
    )]
    Tls {
        /// What was seen.
        cause: String,
    },

    /// A good status with a body that is not Graph's.
    #[error("the answer to `{call}` (status {status}) is not from Graph: {excerpt}")]
    #[diagnostic(
        code("graph::not_graph"),
        help(
            "a proxy or sign-in page may be in between: check `HTTPS_PROXY` and, where it is set, `CAPOL_GRAPH_ENDPOINT`"
        )
    )]
    NotGraph {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// How the body starts.
        excerpt: String,
    },

    /// A body of Graph's that lacks what it must have.
    #[error("the answer to `{call}` is incomplete: {what} (request-id {request_id})")]
    #[diagnostic(
        code("graph::incomplete"),
        help("run the command again; nothing is planned or written from an answer read in part")
    )]
    Incomplete {
        /// Method and path.
        call: String,
        /// What is missing.
        what: String,
        /// Graph's id of the call.
        request_id: String,
    },

    /// What is shown without a word to those who may not read it.
    #[error("the answer to `{call}` has {what}: whoever is signed in may not read them")]
    #[diagnostic(code("graph::hidden"), help("grant {permission} to whoever is signed in"))]
    Hidden {
        /// Method and path.
        call: String,
        /// What it has instead.
        what: &'static str,
        /// The permission that is missing.
        permission: &'static str,
    },
    /// A next page on another host.
    #[error("the next page of `{call}` is on another host, `{host}`")]
    #[diagnostic(
        code("graph::foreign_page"),
        help(
            "let `CAPOL_GRAPH_ENDPOINT` name the host that Graph itself answers with: a token is never sent to another one"
        )
    )]
    ForeignPage {
        /// Method and path.
        call: String,
        /// Where the link leads.
        host: String,
    },

    /// Pages that never end.
    #[error("the pages of `{call}` go round in a circle after {pages}")]
    #[diagnostic(
        code("graph::page_loop"),
        help(
            "run the command again; if it stays so, report it to Microsoft with the request-id {request_id}"
        )
    )]
    PageLoop {
        /// Method and path.
        call: String,
        /// How many were read.
        pages: usize,
        /// Graph's id of the last call.
        request_id: String,
    },

    /// v1.0 and beta list different policies.
    #[error(
        "v1.0 and beta do not list the same policies: {}",
        differing(only_v1, only_beta)
    )]
    #[diagnostic(
        code("graph::counts_differ"),
        help(
            "run the command again in a minute; if it stays so, open the named policies in the portal: nothing is planned while one could be missed"
        )
    )]
    CountsDiffer {
        /// Ids that only v1.0 lists.
        only_v1: Vec<String>,
        /// Ids that only beta lists.
        only_beta: Vec<String>,
    },

    /// A cloud that does not exist.
    #[error("`{given}` is not a cloud")]
    #[diagnostic(
        code("graph::unknown_cloud"),
        help("write one of global, usgov, usgov_dod, china")
    )]
    UnknownCloud {
        /// What was written.
        given: String,
    },

    /// An endpoint that cannot be used.
    #[error("the {which} `{given}` {problem}")]
    #[diagnostic(code("graph::endpoint"), help("{help}"))]
    Endpoint {
        /// Which endpoint.
        which: &'static str,
        /// What was written.
        given: String,
        /// What is wrong.
        problem: String,
        /// What to write.
        help: String,
    },

    /// An id that cannot be part of an address.
    #[error("`{given}` is not the id of a Graph object")]
    #[diagnostic(
        code("graph::bad_id"),
        help("write the object's id as the portal or `capol state list --id` shows it")
    )]
    BadId {
        /// What was written.
        given: String,
    },

    /// An object that is not as Graph documents it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] WireError),

    /// A mistake of capol's own.
    #[error("capol made a request it should not make: {what}")]
    #[diagnostic(code("graph::internal"), help("report this with the command you ran"))]
    Internal {
        /// What happened.
        what: String,
    },
}

impl GraphError {
    /// Graph's own error, when it answered with one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// The object is not there, or not yet visible.
    pub fn is_not_found(&self) -> bool {
        self.service().is_some_and(|error| error.status == 404)
    }

    /// A write whose outcome nobody knows.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The one signed in may not do this.
    pub fn is_permission(&self) -> bool {
        self.service().is_some_and(|error| error.status == 403)
    }

    /// The write names an object that Graph does not see; seconds after that object was made this passes.
    pub fn names_missing_object(&self) -> bool {
        self.service().is_some_and(ServiceError::names_missing_object)
    }
}

impl From<ServiceError> for GraphError {
    fn from(error: ServiceError) -> Self {
        Self::Service(Box::new(error))
    }
}

impl From<SignInError> for GraphError {
    fn from(error: SignInError) -> Self {
        Self::SignIn(Box::new(error))
    }
}

fn differing(only_v1: &[String], only_beta: &[String]) -> String {
    let side = |ids: &[String], version: &str| {
        (!ids.is_empty()).then(|| format!("only {version} has {}", ids.join(", ")))
    };
    [side(only_v1, "v1.0"), side(only_beta, "beta")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// No token could be had.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[non_exhaustive]
pub enum SignInError {
    /// Entra answered the token request with an error.
    #[error("sign-in was refused: {message} ({})", facts(code.as_deref(), trace_id.as_deref()))]
    #[diagnostic(code("graph::sign_in_refused"), help("{help}"))]
    Refused {
        /// `AADSTSnnnnn`.
        code: Option<String>,
        /// What Entra said, without ids and secrets.
        message: String,
        /// Entra's trace id.
        trace_id: Option<String>,
        /// What to do next.
        help: String,
    },

    /// The sign-in service or the source of a federated token could not be reached.
    #[error("`{host}` cannot be reached to sign in: {cause}")]
    #[diagnostic(
        code("graph::sign_in_unreachable"),
        help(
            "check the network, `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and, where it is set, `CAPOL_LOGIN_ENDPOINT`"
        )
    )]
    Unreachable {
        /// The host.
        host: String,
        /// What was seen.
        cause: String,
    },

    /// An answer that is not a token.
    #[error("`{host}` did not answer with a token (status {status}): {excerpt}")]
    #[diagnostic(
        code("graph::sign_in_answer"),
        help(
            "a proxy or another server may be in between: check `HTTPS_PROXY` and, where it is set, `CAPOL_LOGIN_ENDPOINT`"
        )
    )]
    Answer {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How the body starts.
        excerpt: String,
    },

    /// A way to sign in that is not set up in full.
    #[error("sign-in by {how} is not set up: {problem}")]
    #[diagnostic(code("graph::sign_in_setup"), help("{help}"))]
    Setup {
        /// The way.
        how: &'static str,
        /// What is missing.
        problem: String,
        /// What to do.
        help: String,
    },

    /// A certificate file that cannot be used.
    #[error("the certificate file `{path}` cannot be used: {problem}")]
    #[diagnostic(code("graph::certificate_file"), help("{help}"))]
    CertificateFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
    },

    /// The Azure CLI or a managed identity gave no token.
    #[error("{how} gave no token: {message}")]
    #[diagnostic(code("graph::sign_in_azure"), help("{help}"))]
    Azure {
        /// The way.
        how: &'static str,
        /// What it said.
        message: String,
        /// What to do.
        help: &'static str,
    },

    /// Nobody entered the code.
    #[error("nobody signed in with the code before it ended")]
    #[diagnostic(
        code("graph::device_code_ended"),
        help("run the command again and enter the new code within its minutes")
    )]
    DeviceCodeEnded,
}

fn facts(code: Option<&str>, trace_id: Option<&str>) -> String {
    let code = code.map(str::to_owned);
    let trace = trace_id.map(|id| format!("trace id {id}"));
    let facts: Vec<String> = code.into_iter().chain(trace).collect();
    if facts.is_empty() {
        "no code given".to_owned()
    } else {
        facts.join(", ")
    }
}
