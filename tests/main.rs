//! What a user can rely on, a module a subject.
