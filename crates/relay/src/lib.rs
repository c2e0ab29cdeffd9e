//! The relay: listeners, pairing, and the API carried out on the registry.
