//! Derived indexes.
