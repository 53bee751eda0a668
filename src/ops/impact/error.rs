//! What keeps logs from being replayed.

use std::path::PathBuf;

use crate::access::EstateError;
use crate::ops::OpsError;
use crate::ops::what_if::WhatIfError;
use crate::ops::workspace::WorkError;

/// Why logs can't be replayed at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImpactError {
    /// A file, or the tenant.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ops(#[from] OpsError),
    /// The project, its state or its plan.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Work(#[from] Box<WorkError>),
    /// The policies, or who is who.
    #[error(transparent)]
    #[diagnostic(transparent)]
    WhatIf(WhatIfError),
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Estate(#[from] EstateError),
    /// A log is in UTF-16.
    #[error("`{}` is in UTF-16", path.display())]
    #[diagnostic(
        code("ops::log_encoding"),
        help("save it in UTF-8: in PowerShell, `Out-File -Encoding utf8`")
    )]
    Encoding {
        /// The file.
        path: PathBuf,
    },
    /// A log is in Parquet.
    #[error("`{}` is in Parquet", path.display())]
    #[diagnostic(
        code("ops::log_parquet"),
        help("export it as JSON, one object a line; gzip and Zstandard are read as they are")
    )]
    Parquet {
        /// The file.
        path: PathBuf,
    },
    /// No line of any log is a sign-in.
    #[error("none of the {lines} lines is a sign-in")]
    #[diagnostic(
        code("ops::no_sign_ins"),
        help("give sign-in logs as Graph, diagnostic settings or Log Analytics export them")
    )]
    NoSignIns {
        /// How many lines were read.
        lines: u64,
    },
}

impl From<WhatIfError> for ImpactError {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::Ops(error) => Self::Ops(error),
            WhatIfError::Work(error) => Self::Work(error),
            WhatIfError::Estate(error) => Self::Estate(error),
            other => Self::WhatIf(other),
        }
    }
}
