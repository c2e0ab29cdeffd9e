//! The Cloud Assistant agent: notify channel, shells, TCP.
