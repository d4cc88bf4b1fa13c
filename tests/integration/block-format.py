#!/usr/bin/env python3
"""A second reader of blocks, made from docs/format.md sections 9.1 to 9.4 alone, reads every form of column as it was written.
block-format.py BLOCK_FORMAT"""
import ctypes
import ctypes.util
import hmac
import os
import struct
import subprocess
import sys
import tempfile

KEY = b"thirty-two bytes, to be kept se\0"
NUMBER = 5
WORD = (1 << 64) - 1
ZSTD_MAGIC = bytes.fromhex("28b52ffd")

zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"):
    getattr(crypto, name).restype = ctypes.c_void_p


def crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82f63b78 if value & 1 else 0)
        table.append(value)
    return table


CRC = crc_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xffffffff


def open_gcm(key, nonce, data, tag, bound):
    ctx = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    out = ctypes.create_string_buffer(len(data) + 16)
    done = ctypes.c_int(0)
    crypto.EVP_DecryptInit_ex(ctx, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
    crypto.EVP_DecryptUpdate(ctx, None, ctypes.byref(done), bound, len(bound))
    crypto.EVP_DecryptUpdate(ctx, out, ctypes.byref(done), data, len(data))
    crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x11, 16, tag)  # EVP_CTRL_GCM_SET_TAG
    good = crypto.EVP_DecryptFinal_ex(ctx, ctypes.create_string_buffer(16), ctypes.byref(done))
    crypto.EVP_CIPHER_CTX_free(ctx)
    assert good == 1, "the tag is wrong"
    return out.raw[:len(data)]


class Bytes:
    """Numbers one behind the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        return unzigzag(self.varint())

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def end(self):
        assert self.at == len(self.data), "there is more than is said"


class Bits:
    def __init__(self, data):
        self.value, self.at = int.from_bytes(data, "little"), 0

    def take(self, count):
        self.at += count
        return (self.value >> (self.at - count)) & ((1 << count) - 1)


def unzigzag(number):
    return (number >> 1) ^ -(number & 1)


def signed(value):
    value &= WORD
    return value - (1 << 64) if value >> 63 else value


# 9.1 Streams

def read_block(data):
    assert data[:4] == b"QTB1" and data[4] == 1 and data[6:8] == b"\0\0"
    number, length, crc, zero, header_crc = struct.unpack("<QIIII", data[8:32])
    assert number == NUMBER and zero == 0 and header_crc == crc32c(data[:28])
    at, key = 32, None
    if data[5] & 1:
        key_id, salt, tag = data[32:40], data[40:56], data[56:72]
        at = 72
        assert key_id == hmac.digest(KEY, b"querytrail key id", "sha256")[:8]
        extracted = hmac.digest(salt, KEY, "sha256")
        key = hmac.digest(extracted, b"querytrail block" + struct.pack("<Q", number) + b"\1", "sha256")
    directory = data[at:at + length]
    assert crc == crc32c(directory)
    if key:
        directory = open_gcm(key, struct.pack("<IQ", 0xffffffff, 0), directory, tag, key_id + salt)
    return read_streams(data, at + length, Bytes(directory), key)


def read_streams(data, at, directory, key):
    streams, stream = {}, -1
    for index in range(directory.varint()):
        first = directory.varint()
        stream += (first >> 2) + 1
        stored = directory.varint()
        unpacked = stored + (directory.varint() if first & 1 else 0)
        if first & 2:
            body = directory.take(stored)
        else:
            body = data[at:at + stored]
            at += stored
            if key:
                bound = struct.pack("<QHB", NUMBER, stream >> 8, stream & 255)
                body = open_gcm(key, struct.pack("<IQ", index, 0), body, directory.take(16), bound)
            else:
                assert struct.unpack("<I", directory.take(4))[0] == crc32c(body)
        if first & 1:
            room = ctypes.create_string_buffer(unpacked)
            frame = ZSTD_MAGIC + body
            assert zstd.ZSTD_decompress(room, unpacked, frame, len(frame)) == unpacked
            body = room.raw
        streams[stream >> 8, stream & 255] = body
    directory.end()
    assert at == len(data), "the file is longer than its streams"
    return streams


# 9.2 Symbols and integers

def read_number(bits, k):
    ones = 0
    while ones < 15 and bits.take(1):
        ones += 1
    return ones << k | bits.take(k) if ones < 15 else bits.take(8)


def read_weights(bits):
    last, k = bits.take(8), bits.take(2)
    weights, code, byte = [0] * 256, 0, 0
    while byte <= last:
        number = read_number(bits, k)
        if number == 0:
            byte += read_number(bits, k) + 1
            continue
        code += -number // 2 if number % 2 == 0 else (number - 1) // 2
        weights[byte] = code if code < 16 else (8 + (code - 16) % 8) << ((code - 16) // 8 + 1)
        byte += 1
    return weights


class Table:
    def __init__(self, bits, width):
        weights = read_weights(bits)
        whole, sum_ = 1 << width, sum(weights)
        self.frequency = [max(1, (weight * whole + sum_ // 2) // sum_) if weight else 0 for weight in weights]
        while sum(self.frequency) != whole:
            self.settle(whole - sum(self.frequency))
        self.start, self.byte = [], []
        for byte in range(256):
            self.start.append(len(self.byte))
            self.byte += [byte] * self.frequency[byte]

    def settle(self, missing):
        least = (max(self.frequency) + 1) // 2
        large = [byte for byte in range(256) if self.frequency[byte] >= least]
        for place, byte in enumerate(large):
            own = abs(missing) // len(large) + (place < abs(missing) % len(large))
            self.frequency[byte] += own if missing > 0 else -min(own, self.frequency[byte] - 1)


def read_coded(data, count, ends, of, table_count):
    each = count // table_count
    width = 10 if each < 2048 else 11 if each < 8192 else 12
    bits = Bits(data[:20000])  # tables are shorter than that
    tables = [Table(bits, width) for _ in range(table_count)]
    words = Bytes(data)
    words.at = (bits.at + 7) // 8
    lanes = 1 if count < 1024 else 4
    states = list(struct.unpack(f"<{lanes}I", words.take(4 * lanes)))
    out, run = [], 0
    for place in range(count):
        while place >= ends[run]:
            run += 1
        table, state = tables[of[run]], states[place % lanes]
        low = state & ((1 << width) - 1)
        byte = table.byte[low]
        out.append(byte)
        state = table.frequency[byte] * (state >> width) + low - table.start[byte]
        if state < 65536:
            state = state << 16 | struct.unpack("<H", words.take(2))[0]
        states[place % lanes] = state
    words.end()
    assert all(state == 65536 for state in states)
    return out


forms = set()  # which were met


def read_symbols(streams, name, count, ends=None):
    if name not in streams:
        return [0] * count
    form, body = streams[name][0], Bytes(streams[name][1:])
    forms.add(form)
    if form in (1, 2, 4, 8):
        assert len(body.data) == (count * form + 7) // 8
        return [body.data[i * form // 8] >> i * form % 8 & ((1 << form) - 1) for i in range(count)]
    if form == 16:
        return read_coded(body.data, count, [count], [0], 1)
    assert form == 17
    tables = body.take(1)[0]
    of = read_coded(body.take(body.varint()), len(ends), [len(ends)], [0], 1)
    return read_coded(body.data[body.at:], count, ends, of, tables)


def grouped(buckets):
    order = sorted(range(len(buckets)), key=lambda i: buckets[i])
    last = len(order) - 1
    ends = [i + 1 for i in range(len(order)) if i == last or buckets[order[i]] != buckets[order[i + 1]]]
    return order, ends


def read_magnitudes(streams, column, part, count, ends):
    data, at, out = streams.get((column, part + 1), b""), 0, []
    for symbol in read_symbols(streams, (column, part), count, ends):
        if symbol < 8:
            out.append(symbol)
            continue
        width = symbol // 4 - 1
        below = int.from_bytes(data[at // 8:at // 8 + 9], "little") >> at % 8 & ((1 << width) - 1)
        out.append(((4 + symbol % 4) << width) + below)
        at += width
    assert (at + 7) // 8 == len(data)
    return out


def read_ints(streams, column, part, count, buckets=None):
    if (column, part) not in streams or count == 0:
        return [0] * count
    about = Bytes(streams[column, part])
    flags = about.take(1)[0]
    body, steps = flags & 3, flags >> 2 & 3
    forms.add(("ints", flags))
    base, scale = about.zigzag(), about.varint()
    if scale == 0:
        about.end()
        return [base] * count
    start = about.varint() if steps else 0
    least = about.zigzag() if steps == 1 else 0
    listed = []
    for _ in range(about.varint() if body == 2 else 0):
        listed.append(about.varint() + (listed[-1] if listed else 0))
    about.end()
    order, ends = grouped(buckets or [0] * count) if flags & 16 else (range(count), None)
    if body == 0:
        rest = [0] * count
        for plane in range(8):
            for i, byte in enumerate(read_symbols(streams, (column, part + 1 + plane), count, ends)):
                rest[i] |= byte << 8 * plane
    elif body == 1:
        rest = read_magnitudes(streams, column, part + 1, count, ends)
    else:
        rest = [listed[code] for code in read_symbols(streams, (column, part + 1), count, ends)]
    out, sum_ = [0] * count, start
    for place, number in zip(order, rest):
        if steps:
            sum_ = number = (sum_ + (number + least if steps == 1 else unzigzag(number))) & WORD
        out[place] = signed(base + scale * number)
    return out


# 9.3 Ranks

class Used:
    """The list of a context: [code, uses]."""

    def __init__(self, by_frequency):
        self.by_frequency, self.list = by_frequency, []

    def enter(self, code):
        if not self.by_frequency:
            self.list = [[code, 0]] + self.list[:13]
            return code
        self.list = self.list[:13] + [[code, 0]]
        return self.use(len(self.list) - 1)

    def use(self, rank):
        used = self.list.pop(rank)
        used[1] += 1
        at = rank if self.by_frequency else 0
        while self.by_frequency and at > 0 and self.list[at - 1][1] < used[1]:
            at -= 1
        self.list.insert(at, used)
        return used[0]


def read_ranks(streams, column, part, count, contexts=None):
    about = streams.get((column, part), b"\0\xff")
    kind = about[0] & 3
    forms.add(("ranks", about[0]))
    if kind == 2:
        assert len(about) == 1
        return read_ints(streams, column, part + 2, count)
    order, ends = grouped(contexts or [0] * count)
    ranks = read_symbols(streams, (column, part + 1), count - len(ends), [end - g - 1 for g, end in enumerate(ends)])
    escapes = read_ints(streams, column, part + 2, len(ends) + ranks.count(about[1]))
    if not about[0] & 4:
        following = 0
        for i, distance in enumerate(escapes):
            escapes[i] = following - distance
            following = max(following, escapes[i] + 1)
    ranks, escapes, out, begin = iter(ranks), iter(escapes), [0] * count, 0
    for end in ends:
        used = Used(kind == 1)
        for i in range(begin, end):
            rank = next(ranks) if i > begin else about[1]
            out[order[i]] = used.enter(next(escapes)) if rank == about[1] else used.use(rank)
        begin = end
    return out


# 9.4 Lists of texts

def places_of(skeleton):
    """Bytes, and for each number its width, 0 without one."""
    out, data = [], Bytes(skeleton)
    while data.at < len(skeleton):
        byte = data.take(1)
        if byte == b"\1":
            out.append(0)
        elif byte == b"\2":
            out.append(data.take(1)[0] - 0x20)
        elif byte == b"\3":
            out.append(bytes([data.take(1)[0] - 0x40]))
        else:
            out.append(byte)
    return out


def read_list(streams, column, part):
    if (column, part) not in streams:
        return []
    about = Bytes(streams[column, part])
    count, skeleton_count = about.varint(), about.varint()
    about.end()
    rests = streams[column, part + 2].split(b"\0")
    assert rests.pop() == b"" and len(rests) == skeleton_count
    skeletons, before, first, place = [], b"", [], 0
    for front, rest in zip(read_symbols(streams, (column, part + 1), skeleton_count), rests):
        before = before[:front] + rest
        skeletons.append(places_of(before))
        first.append(place)
        place += sum(isinstance(item, int) for item in skeletons[-1])
    first.append(place)
    which = read_ints(streams, column, part + 3, count)
    buckets = [place for s in which for place in range(first[s], first[s + 1])]
    numbers = iter(read_ints(streams, column, part + 12, len(buckets), buckets))
    return [b"".join(item if isinstance(item, bytes) else b"%0*d" % (item, next(numbers)) for item in skeletons[s])
            for s in which]


def read_column(streams, kind, column, count, buckets):
    if kind == "list":
        return read_list(streams, column, 3)
    return (read_ints if kind == "ints" else read_ranks)(streams, column, 3, count, buckets)


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        blocks = {}
        for block in ("plain", "sealed"):
            with open(os.path.join(folder, block), "rb") as file:
                blocks[block] = read_block(file.read())
        with open(os.path.join(folder, "values"), encoding="ascii") as file:
            lines = [line.split() for line in file]
    print("1..3")
    print("ok 1 - both blocks hold the same streams" if blocks["plain"] == blocks["sealed"] else "not ok 1 - streams differ")
    wrong = []
    for kind, column, count, has_buckets, *rest in lines:
        column, count = int(column), int(count)
        values = [bytes.fromhex(item[1:]) for item in rest] if kind == "list" else [int(item) for item in rest]
        buckets, values = (values[:count], values[count:]) if has_buckets == "1" else (None, values)
        if read_column(blocks["plain"], kind, column, count, buckets) != values:
            wrong.append((kind, column, count))
    print(f"not ok 2 - {wrong}" if wrong else f"ok 2 - {len(lines)} columns read as they were written")
    needed = {8, 16, 17, ("ints", 0), ("ints", 1), ("ints", 4), ("ints", 8), ("ints", 18), ("ranks", 2)}
    print(f"not ok 3 - {needed - forms} did not occur" if needed - forms else "ok 3 - every form occurred")
    return 1 if wrong or needed - forms or blocks["plain"] != blocks["sealed"] else 0


if __name__ == "__main__":
    sys.exit(main())
