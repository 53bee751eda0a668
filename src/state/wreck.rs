//! A state file that is damaged or gone: what is left of it, and putting another document in its place.

use std::path::PathBuf;

use super::Change;
use super::Guard;
use super::KeptVersion;
use super::LocalFile;
use super::StateError;
use super::Stored;
use super::local::version_of;
use crate::model::state::Document;
use crate::model::state::DocumentError;
use crate::model::state::Remains;

/// What is left of a state that is damaged or gone.
#[derive(Debug)]
pub struct Wreck {
    /// What is wrong with the file; none when it is gone.
    pub fault: Option<DocumentError>,
    /// The newest version of the history that can be read.
    pub newest: Option<(KeptVersion, Document)>,
    /// What the file itself and the later versions still tell, newest first.
    pub remains: Vec<Remains>,
}

impl LocalFile {
    /// What is left of the state; none when it can be read.
    ///
    /// A document of a later version of capol is no wreck: it is refused.
    pub fn wreck(&self) -> Result<Option<Wreck>, StateError> {
        let fault = match self.stored() {
            Ok(Some(_)) => return Ok(None),
            Ok(None) => None,
            Err(StateError::Broken(broken)) => Some(broken.source),
            Err(other) => return Err(other),
        };
        let (newest, later) = self.history_folder().salvage()?;
        let mut remains: Vec<Remains> = self
            .bytes()?
            .map(|bytes| Remains::of(&bytes))
            .into_iter()
            .collect();
        remains.extend(later);
        Ok(Some(Wreck {
            fault,
            newest,
            remains,
        }))
    }

    /// Puts a document in the place of a state file that is damaged or gone, and keeps it in the history.
    ///
    /// The damaged file moves into the history for a person to look at; says where. Refused when the state can be
    /// read: that is replaced by a swap.
    pub fn put_back(
        &self,
        guard: &Guard,
        next: Document,
        change: &Change,
    ) -> Result<(Stored, Option<PathBuf>), StateError> {
        guard.check()?;
        match self.stored() {
            Ok(Some(current)) => {
                return Err(StateError::Exists {
                    found: current.version.serial,
                });
            }
            Ok(None) | Err(StateError::Broken(_)) => {}
            Err(other) => return Err(other),
        }
        let text = next.render()?;
        let written = Stored {
            version: version_of(&next, text.as_bytes()),
            document: next,
        };
        let history = self.history_folder();
        let damaged = self
            .bytes()?
            .map(|bytes| history.keep_damaged(&bytes))
            .transpose()?;
        if !history.holds(&written)? {
            history.keep(None, &written, change)?;
        }
        self.put(&self.target()?, text.as_bytes())?;
        Ok((written, damaged))
    }
}
