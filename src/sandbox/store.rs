//! The tenant as one file.

#![expect(
    clippy::disallowed_methods,
    reason = "the embedded tenant keeps a file of its own, which no other room knows"
)]

use std::io::Write;
use std::path::Path;

use super::SandboxError;
use super::tenant::FORMAT;
use super::tenant::Tenant;

impl Tenant {
    /// Reads a tenant from a file.
    ///
    /// # Errors
    /// The file cannot be read, is not such a document, or is of a later version.
    pub fn load(path: &Path) -> Result<Self, SandboxError> {
        let text = std::fs::read_to_string(path).map_err(|source| SandboxError::Read {
            path: path.to_owned(),
            source,
        })?;
        let tenant: Self = serde_json::from_str(&text).map_err(|source| SandboxError::Format {
            path: path.to_owned(),
            source,
        })?;
        if tenant.format() > FORMAT {
            return Err(SandboxError::Newer {
                path: path.to_owned(),
            });
        }
        Ok(tenant)
    }

    /// Writes the tenant to a file, replacing it in one step.
    ///
    /// # Errors
    /// The folder cannot be made or the file not written.
    pub fn save(&self, path: &Path) -> Result<(), SandboxError> {
        let failed = |source| SandboxError::Write {
            path: path.to_owned(),
            source,
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Returns the whole tenant as one JSON document, the one that is kept in the file.
    ///
    /// # Errors
    /// The tenant cannot be written as JSON.
    pub fn dump(&self) -> Result<serde_json::Value, SandboxError> {
        serde_json::to_value(self).map_err(SandboxError::Dump)
    }
}
