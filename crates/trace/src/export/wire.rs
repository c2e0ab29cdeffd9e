//! Bytes of the layers below a frame, made up around it: IPv4, TCP, HTTP's upgrade, websocket frames.

use bytes::{BufMut, Bytes, BytesMut};

/// One side of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) address: [u8; 4],
    pub(super) port: u16,
}

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const PUSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
/// The most bytes of one TCP segment here: an IPv4 packet cannot have more than 65,535.
pub(super) const SEGMENT: usize = 60_000;

/// An IPv4 packet with a TCP segment. Of its payload of `len` bytes those in `payload` are there, and
/// the rest was not captured; the answer's second half is the length that it stands for.
pub(super) fn packet(
    (from, to): (End, End),
    (sequence, acknowledged): (u32, u32),
    flags: u8,
    payload: &[u8],
    len: usize,
) -> (Bytes, usize) {
    let total = IP_HEADER + TCP_HEADER + len;
    let mut ip = BytesMut::with_capacity(total);
    ip.put_u8(0x45);
    ip.put_u8(0);
    ip.put_u16(u16::try_from(total).unwrap_or(u16::MAX));
    ip.put_u32(0x0000_4000); // no identification, not to be fragmented
    ip.put_u8(64);
    ip.put_u8(6);
    ip.put_u16(0);
    ip.put_slice(&from.address);
    ip.put_slice(&to.address);
    let sum = checksum(&ip);
    if let Some(place) = ip.get_mut(10..12) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    ip.put_u16(from.port);
    ip.put_u16(to.port);
    ip.put_u32(sequence);
    ip.put_u32(acknowledged);
    ip.put_u8(0x50);
    ip.put_u8(flags);
    ip.put_u16(u16::MAX);
    ip.put_u16(0); // not checked, as with offloading
    ip.put_u16(0);
    ip.put_slice(payload);
    (ip.freeze(), total)
}

/// The header of an unmasked websocket frame (RFC 6455 5.2).
pub(super) fn websocket_header(opcode: u8, len: usize) -> Bytes {
    let mut header = BytesMut::new();
    header.put_u8(0x80 | opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => header.put_u8(short),
        (_, Ok(medium)) => {
            header.put_u8(126);
            header.put_u16(medium);
        }
        _ => {
            header.put_u8(127);
            header.put_u64(u64::try_from(len).unwrap_or(u64::MAX));
        }
    }
    header.freeze()
}

fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
            [high] => u32::from(*high) << 8,
            _ => 0,
        })
        .sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}
