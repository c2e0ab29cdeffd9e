//! Both control planes as data: the agents' and the administrator's.
