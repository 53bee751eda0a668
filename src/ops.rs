//! What people do with a tenant, from the pieces of the other rooms.

pub mod asking;
pub mod connection;
pub mod doctor;
mod effect;
pub mod evidence;
pub mod files;
pub mod impact;
pub mod import;
pub mod lint;
pub mod located;
pub mod operator;
pub mod place;
pub mod project;
pub mod refresh;
pub mod rollout;
pub mod source;
pub mod state;
pub mod test;
pub mod undo;
pub mod what_if;
pub mod workspace;

use thiserror::Error;

/// What stops an operation before it comes to its own work.
#[derive(Debug, Error, miette::Diagnostic)]
pub enum OpsError {
    /// The project names several tenants and none was chosen.
    #[error("the project names several tenants, and none was chosen")]
    #[diagnostic(code("ops::which_tenant"), help("add `--tenant NAME` with one of {}", names.join(", ")))]
    WhichTenant {
        /// The names.
        names: Vec<String>,
    },
    /// A tenant was chosen that the project does not name.
    #[error("the project has no tenant `{name}`")]
    #[diagnostic(code("ops::no_such_tenant"), help("write a `tenant {name:?}` block, or choose one of {}", names.join(", ")))]
    NoSuchTenant {
        /// The name.
        name: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// The token is for another tenant than the configuration names.
    #[error("signed in to the tenant `{signed_in}`, but the configuration is for `{configured}`")]
    #[diagnostic(
        code("ops::wrong_tenant"),
        help("sign in to the configured tenant, or choose another with `--tenant`")
    )]
    WrongTenant {
        /// The tenant signed in to.
        signed_in: String,
        /// The tenant that the configuration names.
        configured: String,
    },
    /// A name of a cloud that does not exist.
    #[error("`{name}` is not a cloud")]
    #[diagnostic(code("ops::cloud"), help("write one of global, usgov, usgov_dod, china"))]
    Cloud {
        /// The name.
        name: String,
    },
    /// No apply is kept that could be taken back.
    #[error("no apply is kept that could be taken back")]
    #[diagnostic(code("ops::nothing_to_undo"), help("{next}"))]
    NothingToUndo {
        /// What can be done instead.
        next: String,
    },
    /// Something that needs the tenant to be read was asked for with `--refresh=false`.
    #[error("with `--refresh=false` the tenant is not read, so there is nothing to {what} from")]
    #[diagnostic(
        code("ops::not_read"),
        help("leave `--refresh=false` out; it is for a quick look with `capol plan`")
    )]
    NotRead {
        /// What was asked for.
        what: &'static str,
    },
    /// Two forms of output were asked for at once.
    #[error("`--json` asks for one form of output, and `--format {format}` for another")]
    #[diagnostic(code("ops::two_forms"), help("leave one of the two out"))]
    TwoForms {
        /// The other form.
        format: &'static str,
    },
    /// A file could not be read or written.
    #[error("`{}` cannot be read or written", path.display())]
    #[diagnostic(
        code("ops::file"),
        help("check that the file is there and that you may read and write it")
    )]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that would be overwritten.
    #[error("`{}` exists already", path.display())]
    #[diagnostic(
        code("ops::exists"),
        help("nothing was written: move the file away, or choose another folder with `--out DIR`")
    )]
    Exists {
        /// The file.
        path: std::path::PathBuf,
    },
    /// Graph.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Graph(#[from] crate::graph::GraphError),
    /// An object of the tenant could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wire(#[from] crate::model::wire::WireError),
    /// The embedded tenant.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
}
