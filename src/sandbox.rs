//! The embedded tenant: a server on loopback that imitates Microsoft Graph for Conditional Access.
//!
//! [`Tenant`] is a state machine over JSON that answers requests without clock or randomness of its
//! own; [`Embedded`] adds a token endpoint, a file, trouble on order ([`Faults`]) and a log of
//! requests; [`Sandbox`] puts that behind HTTP or hands it out as it is. What it accepts and how it answers comes from what was seen
//! of the real service and from its published schema, never from this program's own client: no
//! other room is used here, so that a mistake of the client does not hide in the server.

mod address;
mod audit;
mod batch;
mod call;
mod connection;
mod deleted;
mod directory;
mod embedded;
mod evaluate;
mod faults;
mod filter;
mod groups;
mod locations;
mod neighbours;
mod normalise;
mod odata;
mod organization;
mod permissions;
mod policies;
mod references;
mod registrations;
mod roles;
mod router;
mod rules;
mod scenario;
mod schema;
mod seed;
mod server;
mod sign_ins;
mod store;
mod strengths;
mod stub;
mod tenant;
mod tls;
mod token;
mod told;
mod trouble;
mod view;
mod world;

use std::error::Error;
use std::io;
use std::path::PathBuf;

pub use call::Version;
pub use embedded::Cut;
pub use embedded::Embedded;
pub use embedded::Reply;
pub use faults::Act;
pub use faults::Bucket;
pub use faults::Edit;
pub use faults::Effect;
pub use faults::Faults;
pub use faults::Gate;
pub use faults::Latency;
pub use faults::RetryAfter;
pub use faults::Rule;
pub use faults::TokenEnd;
pub use faults::Visibility;
pub use faults::When;
pub use server::Clock;
pub use server::Running;
pub use server::Sandbox;
pub use server::SandboxOptions;
pub use stub::LoadReport;
pub use tenant::Kind;
pub use tenant::Settings;
pub use tenant::Tenant;
pub use told::Held;
pub use world::Logged;

/// Why the embedded tenant cannot be started, read or kept.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SandboxError {
    /// The port on loopback cannot be had.
    #[error("the embedded tenant cannot listen on loopback")]
    #[diagnostic(code(sandbox::listen), help("choose another port with `--port`"))]
    Listen(#[source] io::Error),
    /// The certificate for TLS cannot be made.
    #[error("the embedded tenant cannot make its certificate")]
    #[diagnostic(code(sandbox::certificate), help("serve without `--tls`"))]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The tenant's file cannot be read.
    #[error("the embedded tenant's file `{}` cannot be read", path.display())]
    #[diagnostic(code(sandbox::read))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The tenant's file is not one.
    #[error("`{}` does not hold an embedded tenant", path.display())]
    #[diagnostic(code(sandbox::format), help("start afresh with `capol sandbox reset`"))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The tenant's file comes from a later version of this program.
    #[error("`{}` was written by a newer version of capol", path.display())]
    #[diagnostic(
        code(sandbox::newer),
        help("start afresh with `capol sandbox reset`, or use the newer version")
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The tenant's file cannot be written.
    #[error("the embedded tenant's file `{}` cannot be written", path.display())]
    #[diagnostic(code(sandbox::write))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The tenant cannot be written as JSON.
    #[error("the embedded tenant cannot be written as JSON")]
    #[diagnostic(code(sandbox::dump))]
    Dump(#[source] serde_json::Error),
    /// The description of trouble is not one.
    #[error("the description of trouble cannot be understood: {0}")]
    #[diagnostic(
        code(sandbox::faults),
        help("correct the word; the page on the sandbox lists all of them")
    )]
    Faults(serde_json::Error),
    /// A file to load is not what it should be.
    #[error("`{member}` cannot be loaded into the embedded tenant")]
    #[diagnostic(
        code(sandbox::load),
        help(
            "give an object with lists under names such as `users`, `groups`, `servicePrincipals`, `namedLocations`, `policies`"
        )
    )]
    Load {
        /// The member of the document that is at fault.
        member: String,
    },
}
