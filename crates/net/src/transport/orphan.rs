//! Whether anybody still has the socket at the other end of a connection within this machine.
//!
//! A FIN says that nothing more is sent, and not whether anybody reads on: a socket that was closed and
//! one that was closed for writing alone look the same from here. The kernel's table of connections tells
//! them apart (proc_pid_net(5)): what no process has is of no inode.

use std::{
    fs,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// Whether the socket whose address is `theirs`, and which is connected to `ours`, is nobody's. `None`
/// where no table has it: the other end is elsewhere, or long gone, or this is not Linux.
pub(super) fn is_orphan(theirs: SocketAddr, ours: SocketAddr) -> Option<bool> {
    let ways = [("/proc/net/tcp", old as Shown), ("/proc/net/tcp6", new)];
    ways.into_iter().find_map(|(table, shown)| {
        let (theirs, ours) = (shown(theirs)?, shown(ours)?);
        look_up(&fs::read_to_string(table).ok()?, &theirs, &ours)
    })
}

type Shown = fn(SocketAddr) -> Option<String>;

/// As the table of version 4 has it: the address as a number of this machine's byte order.
fn old(address: SocketAddr) -> Option<String> {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let number = u32::from_ne_bytes(ip.octets());
            Some(format!("{number:08X}:{:04X}", address.port()))
        }
        IpAddr::V6(_) => None,
    }
}

/// As the table of version 6 has it: four such numbers. It has those of version 4 too whose sockets are
/// of version 6.
fn new(address: SocketAddr) -> Option<String> {
    let ip: Ipv6Addr = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let octets = ip.octets();
    let (quarters, _) = octets.as_chunks::<4>();
    let numbers = quarters.iter().map(|quarter| u32::from_ne_bytes(*quarter));
    let numbers: String = numbers.map(|number| format!("{number:08X}")).collect();
    Some(format!("{numbers}:{:04X}", address.port()))
}

/// A line's fields: a number, both addresses, then the inode as the seventh.
fn look_up(table: &str, theirs: &str, ours: &str) -> Option<bool> {
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        if fields.next() != Some(theirs) || fields.next() != Some(ours) {
            return None;
        }
        Some(fields.nth(6) == Some("0"))
    })
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 x
   1: 0100007F:C350 0100007F:1F90 05 00000000:00000000 03:00000A9B 00000000     0        0 0 3 x
";

    #[test]
    fn what_has_no_inode_is_nobodys() {
        let [server, client] =
            ["127.0.0.1:8080", "127.0.0.1:50000"].map(|it| old(it.parse().unwrap()).unwrap());

        assert_eq!(look_up(TABLE, &client, &server), Some(true));
        assert_eq!(look_up(TABLE, &server, &client), Some(false));
        assert_eq!(look_up(TABLE, &client, &client), None);
    }

    #[test]
    fn addresses_are_shown_as_the_kernel_shows_them() {
        for (address, four, six) in [
            (
                "127.0.0.1:8080",
                Some("0100007F:1F90"),
                "0000000000000000FFFF00000100007F:1F90",
            ),
            (
                "[::ffff:127.0.0.1]:8080",
                Some("0100007F:1F90"),
                "0000000000000000FFFF00000100007F:1F90",
            ),
            ("[::1]:22", None, "00000000000000000000000001000000:0016"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(old(address).as_deref(), four);
            assert_eq!(new(address).as_deref(), Some(six));
        }
    }
}
