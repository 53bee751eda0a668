//! What an import refuses.

/// A problem with the object that shall be imported.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImportError {
    /// No object has the id.
    #[error("no {block} in the tenant has the id `{id}`")]
    #[diagnostic(
        code("import::no_such_object"),
        help("look the id up in the tenant, or import everything with `capol import --all`")
    )]
    NoSuchObject {
        /// The block type.
        block: String,
        /// The id.
        id: String,
    },
    /// The address is taken.
    #[error("`{address}` already manages the object `{id}`")]
    #[diagnostic(
        code("import::address_taken"),
        help("choose another address, or let the object go with `capol state rm`")
    )]
    AddressTaken {
        /// The address.
        address: String,
        /// The object it manages.
        id: String,
    },
    /// The object is managed under another address.
    #[error("the object `{id}` is already managed as `{address}`")]
    #[diagnostic(
        code("import::object_taken"),
        help("rename it with `capol state mv`, or with a `moved` block")
    )]
    ObjectTaken {
        /// The id.
        id: String,
        /// The address.
        address: String,
    },
    /// An object that the language has no words for as it is.
    #[error("the {noun} `{name}` is not imported: {why}")]
    #[diagnostic(
        code("import::left_out"),
        help(
            "everything else is imported; keep this one in the portal, or change it there and run `capol import --all` again"
        )
    )]
    LeftOut {
        /// What kind of thing it is.
        noun: String,
        /// What people call it.
        name: String,
        /// What a file that holds it would be refused for.
        why: String,
    },
    /// An import that did not come to its end.
    #[error("an import is under way, or was interrupted before everything that belongs together was written")]
    #[diagnostic(
        code("import::unfinished"),
        help(
            "when no import runs any more: `capol import --all`, which first completes the one that was interrupted"
        )
    )]
    Unfinished,
    /// What an interrupted import left behind can't be read.
    #[error("`{}` can't be read: it tells how an interrupted import goes on", path.display())]
    #[diagnostic(
        code("import::unreadable"),
        help(
            "delete the file and the files that the import wrote, then import again: nothing in the tenant was changed"
        )
    )]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Objects that no block writes.
    #[error("a `{kind}` block can't own an object of a tenant")]
    #[diagnostic(
        code("import::kind"),
        help("import a policy, location, strength, context or group")
    )]
    Kind {
        /// The block type.
        kind: String,
    },
}
