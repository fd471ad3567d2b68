//! The guides, part of this documentation and of the program, so that they can be read when the web is unavailable.

#[doc = include_str!("restore.md")]
pub mod restore {
    /// The Markdown text of this guide, as `xrs guide restore` prints it.
    pub static TEXT: &str = include_str!("restore.md");
}

#[doc = include_str!("reference.md")]
pub mod reference {
    /// The Markdown text of this guide, as `xrs guide reference` prints it.
    pub static TEXT: &str = include_str!("reference.md");
}

#[doc = include_str!("adding-a-sync-type.md")]
pub mod adding_a_sync_type {
    /// The Markdown text of this guide, as `xrs guide adding-a-sync-type` prints it.
    pub static TEXT: &str = include_str!("adding-a-sync-type.md");
}
