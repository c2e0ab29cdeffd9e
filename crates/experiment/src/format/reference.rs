//! The reference of the format, made from its schema.
