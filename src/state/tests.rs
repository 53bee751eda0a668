//! What the state promises, tried on a real disk.

mod errors;
mod history;
mod lock;
mod swap;

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::Change;
use super::Guard;
use super::LocalFile;
use super::LockInfo;
use super::Place;
use super::StateStore;
use super::Stored;
use super::files::Files;
use super::files::faulty::Faulty;
use crate::model::Kind;
use crate::model::properties::ApiVersion;
use crate::model::state::Document;
use crate::model::state::Lifecycle;
use crate::model::state::ResourceState;

pub(super) const LINEAGE: Uuid = Uuid::from_u128(0x0c0f_fee0_0000_4000_8000_0000_0000_0001);
pub(super) const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// A project folder of its own.
pub(super) struct Project {
    pub(super) folder: TempDir,
}

impl Project {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn place(&self) -> Place {
        Place::in_project(self.folder.path(), None)
    }

    pub(super) fn store(&self) -> LocalFile {
        self.store_over(Faulty::sound())
    }

    pub(super) fn store_over(&self, files: impl Files + 'static) -> LocalFile {
        LocalFile::with_files(self.place(), Arc::new(files))
    }

    /// Writes the documents one after the other and returns the last as stored.
    pub(super) fn holding(&self, documents: &[Document]) -> Stored {
        let store = self.store();
        for document in documents {
            write(&store, document);
        }
        block_on(store.load()).unwrap().unwrap()
    }

    /// Names of every file in the project folder itself.
    pub(super) fn names(&self) -> Vec<String> {
        super::files::RealFiles.list(self.folder.path()).unwrap()
    }
}

/// Replaces whatever is there by the document.
pub(super) fn write(store: &LocalFile, document: &Document) -> Stored {
    let current = block_on(store.load()).unwrap();
    let version = current.map(|stored| stored.version);
    let guard = Guard::without_lock();
    block_on(store.swap(&guard, version.as_ref(), document, &change("apply"))).unwrap()
}

/// What a repair does when the history tells everything.
pub(super) fn put_newest_back(store: &LocalFile) {
    let wreck = store.wreck().unwrap().unwrap();
    let (_, newest) = wreck.newest.unwrap();
    store
        .put_back(&Guard::without_lock(), newest, &change("state repair"))
        .unwrap();
}

pub(super) fn change(operation: &str) -> Change {
    Change {
        at: at(0),
        who: "ada".to_owned(),
        operation: operation.to_owned(),
        new_lineage: false,
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

pub(super) fn holder(id: &str) -> LockInfo {
    LockInfo {
        id: id.to_owned(),
        who: "ada".to_owned(),
        host: "desk".to_owned(),
        pid: 4711,
        process: None,
        since: at(0),
        operation: "apply".to_owned(),
        version: "1.2.3".to_owned(),
        held: false,
    }
}

/// A document that manages one policy a given name.
pub(super) fn document(names: &[&str]) -> Document {
    let mut document = Document::new(LINEAGE, TENANT);
    for name in names {
        document
            .resources
            .insert(format!("policy.{name}"), resource(name));
    }
    document
}

pub(super) fn resource(name: &str) -> ResourceState {
    ResourceState {
        kind: Kind::Policy,
        id: format!("id-of-{name}"),
        api_version: ApiVersion::V1,
        sent: Some(json!({"displayName": name}).into()),
        answered: Some(json!({"displayName": name, "id": format!("id-of-{name}")}).into()),
        dependencies: ["location.office".to_owned()].into(),
        lifecycle: Lifecycle {
            prevent_destroy: true,
            reason: Some("it is the last line".to_owned()),
        },
        created_by_import: false,
        modified_date_time: None,
    }
}

/// Runs a future that waits, with time passing at once.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

pub(super) fn lock(store: &LocalFile, id: &str) -> Result<Guard, super::StateError> {
    run(store.lock(&holder(id), Duration::ZERO))
}
