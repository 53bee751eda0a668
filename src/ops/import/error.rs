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
