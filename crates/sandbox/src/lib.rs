//! Relay, agents and clients started together, on sockets or in memory.
