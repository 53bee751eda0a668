//! Microsoft Graph: sign-in, paced and repeated requests, paging, batches, look-ups, the tenant as lists.
//!
//! Bodies are plain JSON here; the model's codec reads and writes them. Nothing half-read is ever returned, and
//! nothing that may have been carried out is sent twice.

pub mod batch;
mod belonging;
pub mod client;
pub mod cloud;
mod cohorts;
pub mod directory;
pub mod error;
pub mod http;
mod known_errors;
pub mod live;
mod membership;
pub mod objects;
pub mod observe;
pub mod pace;
pub mod paging;
pub mod patience;
pub mod permissions;
pub mod request;
pub mod secret;
pub mod service_error;
pub mod sign_in;
pub mod snapshot;
pub mod token;
mod transport;

pub use client::{Graph, GraphOptions};
pub use cloud::{Cloud, Endpoints, Version};
pub use cohorts::{GroupUser, Registration, SignInKind};
pub use directory::{DirectoryObject, Found};
pub use error::{GraphError, SignInError};
pub use http::HttpOptions;
pub use membership::Members;
pub use objects::Collection;
pub use observe::{GraphEvent, Observer};
pub use pace::Pace;
pub use patience::Patience;
pub use request::{Lane, Operation, Request, Response};
pub use secret::Secret;
pub use service_error::ServiceError;
pub use sign_in::{Clock, SignIn, system_clock};
pub use snapshot::{PolicyVersions, Snapshot, SnapshotOptions};
pub use token::{AccessToken, Claims, TokenSource};
