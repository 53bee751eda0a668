//! Files that cannot be had: every call that fails, disks that are full, folders that may not be written, links.

mod calls;
mod limits;
mod shapes;
