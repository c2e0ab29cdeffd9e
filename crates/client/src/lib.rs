//! Calling the API and opening terminals.
