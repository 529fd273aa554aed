"""Writes golden-frames.txt: one frame of every kind as hex, built from the documented layout alone.

Run it only when the wire format is meant to change; FrameCodecTest holds the code against the file.
"""

import struct
from pathlib import Path


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def u8(*v): return struct.pack("<%dB" % len(v), *v)
def u16(*v): return struct.pack("<%dH" % len(v), *v)
def i32(*v): return struct.pack("<%di" % len(v), *v)
def u32(*v): return struct.pack("<%dI" % len(v), *v)
def i64(*v): return struct.pack("<%dq" % len(v), *v)


def chunk(inode, index): return i64(inode) + i32(index)
def tag(client, channel, sequence): return i64(client) + i32(channel) + i64(sequence)
def sums(*v): return u32(len(v)) + u32(*v)


def frame(kind, body, payload=0, request=0x0102030405060708):
    head = b"LCL1" + u8(1, kind) + u16(0) + i64(request) + u32(len(body), payload, crc32c(body))
    return head + u32(crc32c(head)) + body


BIG = 0x1122334455667788
WRITE = u8(1) + i32(4096, 70000, 4194304)
FRAMES = {
    "hello": frame(1, i64(-2) + i32(1) + i64(BIG)),
    "read": frame(2, u32(2)
        + i32(3, 4) + i64(5) + chunk(BIG, 6) + i32(7, 8)
        + i32(9, 10) + i64(11) + chunk(12, 13) + i32(65535, 65536)),
    "update-write": frame(3, i32(3, 4) + i64(5) + chunk(6, 7) + tag(-8, 9, 10) + WRITE
        + sums(0xDEADBEEF, 1), 70000),
    "update-truncate": frame(3, i32(3, 4) + i64(5) + chunk(6, 7) + tag(8, 9, 10)
        + u8(2) + i32(77) + sums()),
    "update-remove": frame(3, i32(3, 4) + i64(5) + chunk(6, 7) + tag(8, 9, 10) + u8(3) + sums()),
    "forward": frame(4, i32(3, 4) + i64(5, 6) + chunk(7, 8) + i64(9, 10) + u8(1) + tag(11, 12, 13)
        + WRITE + u8(0) + i32(14, 17) + sums(15, 16), 70000),
    "forward-copy": frame(4, i32(3, 4) + i64(5, 6) + chunk(7, 8) + i64(9, 0) + u8(0)
        + u8(4) + i32(1000) + u8(0) + u8(1) + i32(14, 0) + sums(15), 1000),
    "version": frame(5, i32(3, 4) + i64(5) + u32(2) + chunk(6, 7) + chunk(BIG, 8)),
    "chunk-list": frame(6, i32(3, 4) + i64(5, 6) + i32(7, 8)),
    "sync-start": frame(7, i32(3, 4) + i64(5, 6)),
    "inventory": frame(8, i32(3, 4) + i64(5) + i32(6) + u8(0)),
    "inventory-after": frame(8, i32(3, 4) + i64(5) + i32(6) + u8(1) + chunk(7, 8)),
    "dedup": frame(9, i32(3, 4) + i64(5, 6) + u32(1)
        + tag(7, 8, 9) + chunk(10, 11) + i64(12) + i32(13)),
    "sync-done": frame(10, i32(3, 4) + i64(5, 6, BIG)),
    "hello-reply": frame(129, u16(0) + i64(5, BIG)),
    "read-reply": frame(130, u16(0) + u32(2)
        + u16(0) + i64(BIG) + i32(4194304, 70000) + sums(0xFFFFFFFF, 2)
        + u16(60) + i64(0) + i32(0, 0) + sums(), 70000),
    "update-reply": frame(131, u16(41) + i64(5) + i32(6) + u32(0x80000001) + i32(7)),
    "fetch": frame(11, i32(3) + i64(5) + chunk(6, 7) + i64(BIG) + i32(16384) + i32(70000)),
    "collect": frame(12, i32(3, 4) + i64(5, 6) + i32(7) + i64(BIG) + u32(2)
        + chunk(8, 9) + i64(10) + chunk(BIG, 11) + i64(12)),
    "forget": frame(13, i32(3, 4) + i64(5, 6) + i32(7) + u32(1) + chunk(8, 9) + i64(10)),
    "collect-reply": frame(137, u16(0) + i32(7) + u32(2) + u8(1, 0)),
    "version-reply": frame(133, u16(0) + i32(7) + u32(2) + u16(0) + i64(BIG) + u16(61) + i64(0)),
    "chunk-list-reply": frame(134, u16(0) + u8(1) + u32(2) + i32(0, 4194304, 1, 17)),
    "sync-reply": frame(135, u16(45) + i32(7)),
    "inventory-reply": frame(136, u16(0) + u8(0) + u32(1)
        + chunk(5, 6) + i64(7, 8) + i32(9) + u8(1) + i32(10) + u32(0xCAFEBABE)),
}

lines = ["%s %s" % (name, data.hex()) for name, data in FRAMES.items()]
Path(__file__).with_name("golden-frames.txt").write_text("\n".join(lines) + "\n")
