//! The `capol` command.
fn main() {}
