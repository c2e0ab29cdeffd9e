//! The registry's journal: redb tables and group commit.
