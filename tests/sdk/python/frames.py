"""The client framing, from its public description alone: nothing of axt is imported here.

A message is one frame: type, schema, two empty ids, creation time, sequence, length, payload, all
little-endian.
"""

import struct
import time

INPUT, OUTPUT, RESIZE, CLOSE, STATUS = 0, 1, 2, 3, 5
ENDED, SPEED = 5, 7

_HEADER = struct.Struct("<I4sBBQqI")


def encode(kind: int, sequence: int, payload: bytes) -> bytes:
    created = int(time.time() * 1000)
    return _HEADER.pack(kind, b"1.01", 0, 0, created, sequence, len(payload)) + payload


def decode(message: bytes) -> tuple[int, bytes]:
    """The type and the payload of a frame; its ids may have any length."""
    kind, session_length = struct.unpack_from("<I4xB", message)
    instance_at = 9 + session_length
    instance_length = message[instance_at]
    created_at = instance_at + 1 + instance_length
    created, _sequence, length = struct.unpack_from("<QqI", message, created_at)
    payload = message[created_at + 20 :]
    assert created != 0, "createdDate 0 makes the official client give up"
    assert length == len(payload), "the declared length is the payload's"
    return kind, payload


def window_size(rows: int, columns: int) -> bytes:
    return struct.pack("<hh", rows, columns)
