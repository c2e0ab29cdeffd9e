//! Clocks, tasks, TLS, websockets, transports and the pump.
