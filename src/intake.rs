//! Lists that vendors and operators hand over, read into what the inventory would say of them. Pure: files and
//! secrets are the command line's to read and write. Every fault has its place in the list, all at once.

pub mod french;
pub mod lines;
mod mapping;
pub mod sensors;
mod sheet;
mod slug;

pub use mapping::{Column, Fields, Mapping};
pub use sheet::{Cell, Row, Sheet};
pub use slug::slug;
