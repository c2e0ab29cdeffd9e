//! Accounts, instances, sessions and quotas: every rule that needs to know what exists.
