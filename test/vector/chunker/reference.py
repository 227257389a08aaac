#!/usr/bin/env python3
"""A second implementation of doc/spec/chunker.md, as plain as it can be, that makes the vectors of this folder.

    reference.py > vectors.txt      makes them (about a minute)
    reference.py --example          prints the worked example of the specification

It shares nothing with the C code: its AES has tables and bytes, its digest is checked against the definition.
"""
import sys

MASK64 = (1 << 64) - 1


# ---- AES-128 (FIPS 197), one block ----

def xtime(a):
    return (a << 1 ^ (0x1b if a & 0x80 else 0)) & 0xff


def gmul(a, b):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a, b = xtime(a), b >> 1
    return r


def make_sbox():
    box = []
    for a in range(256):
        inverse = next((x for x in range(256) if gmul(a, x) == 1), 0)
        s = 0x63
        for k in range(5):
            s ^= (inverse << k | inverse >> (8 - k)) & 0xff
        box.append(s)
    return box


SBOX = make_sbox()


def expand_key(key):
    words = [list(key[i:i + 4]) for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        w = list(words[i - 1])
        if i % 4 == 0:
            w = [SBOX[b] for b in w[1:] + w[:1]]
            w[0] ^= constant
            constant = xtime(constant)
        words.append([a ^ b for a, b in zip(words[i - 4], w)])
    return [sum(words[4 * r:4 * r + 4], []) for r in range(11)]


MUL2 = [xtime(a) for a in range(256)]
SHIFT = [(4 * ((c + r) % 4) + r) for c in range(4) for r in range(4)]


def encrypt(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for r in range(1, 11):
        s = [SBOX[s[i]] for i in SHIFT]
        if r < 10:
            m = []
            for c in range(0, 16, 4):
                a = s[c:c + 4]
                t = a[0] ^ a[1] ^ a[2] ^ a[3]
                m += [a[i] ^ t ^ MUL2[a[i] ^ a[(i + 1) % 4]] for i in range(4)]
            s = m
        s = [a ^ b for a, b in zip(s, keys[r])]
    return bytes(s)


# ---- The digest ----

def times_x(d):
    return (d << 1 & MASK64) ^ (0x1b if d >> 63 else 0)


def times_x_n(d, n):
    for _ in range(n):
        d = times_x(d)
    return d


def digest_by_definition(table, window):
    d = 0
    for j in range(64):
        d ^= times_x_n(table[window[j]], 63 - j)
    return d


class Chunker:
    def __init__(self, key, minimum, maximum, bits):
        assert len(key) == 4112
        self.table = [[int.from_bytes(key[16 * b + 8 * lane:16 * b + 8 * lane + 8], 'little') for b in range(256)]
                      for lane in range(2)]
        self.out = [[times_x_n(t, 64) for t in lane] for lane in self.table]
        self.keys = expand_key(key[4096:])
        self.minimum, self.maximum, self.mask = minimum, maximum, (1 << bits) - 1

    def digests(self, window):
        return [digest_by_definition(t, window) for t in self.table]

    def ciphertext(self, digests):
        return encrypt(self.keys, b''.join(d.to_bytes(8, 'little') for d in digests))

    def chunk(self, data, start):
        left = len(data) - start
        if left <= self.minimum:
            return left
        at = start + self.minimum
        d = self.digests(data[at - 64:at])
        while at - start < self.maximum:
            if at % 997 == 0:
                assert d == self.digests(data[at - 64:at])
            if int.from_bytes(self.ciphertext(d)[:8], 'little') & self.mask == 0 or at == len(data):
                return at - start
            d = [times_x(v) ^ out[data[at - 64]] ^ table[data[at]]
                 for v, out, table in zip(d, self.out, self.table)]
            at += 1
        return self.maximum

    def cuts(self, data):
        lengths, at = [], 0
        while at < len(data):
            lengths.append(self.chunk(data, at))
            at += lengths[-1]
        return lengths


# ---- The bytes of the vectors ----

def stream(seed, n):
    """n bytes: the top bytes of s = s * 6364136223846793005 + 1442695040888963407 mod 2^64, from s = seed."""
    out = bytearray()
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & MASK64
        out.append(seed >> 56)
    return bytes(out)


def make_data(kind, seed, n):
    if kind == 'random':
        return stream(seed, n)
    if kind == 'zero':
        return bytes(n)
    if kind == 'two':  # two values only
        return bytes(b >> 7 for b in stream(seed, n))
    if kind == 'period':  # 100 bytes again and again
        return (stream(seed, 100) * (n // 100 + 1))[:n]
    if kind == 'runs':  # pairs of stream bytes (v, l): byte v % 4, repeated 2 * l + 1 times
        out = bytearray()
        pairs = stream(seed, n)
        for i in range(0, n, 2):
            out += bytes([pairs[i] % 4]) * (2 * pairs[i + 1] + 1)
            if len(out) >= n:
                break
        return bytes(out[:n])
    raise ValueError(kind)


CASES = [
    # key seed, min, max, bits, kind, data seed, length
    (1, 64, 65, 1, 'random', 101, 1000),
    (2, 64, 1024, 1, 'random', 102, 4000),
    (3, 64, 2048, 5, 'random', 103, 20000),
    (4, 64, 4096, 7, 'random', 104, 40000),
    (5, 100, 4096, 8, 'random', 105, 60000),
    (6, 256, 8192, 9, 'random', 106, 90000),
    (7, 1000, 9999, 10, 'random', 107, 90001),
    (8, 64, 65536, 12, 'random', 108, 120000),
    (9, 64, 32768, 40, 'random', 109, 70000),
    (10, 64, 4096, 6, 'zero', 0, 30000),
    (11, 64, 4096, 1, 'zero', 0, 3000),
    (12, 64, 4096, 1, 'zero', 0, 3000),
    (13, 64, 4096, 6, 'two', 113, 30000),
    (14, 64, 4096, 6, 'period', 114, 30000),
    (15, 64, 4096, 3, 'runs', 115, 40000),
    (16, 64, 16384, 8, 'runs', 116, 90000),
    (17, 64, 4096, 8, 'random', 117, 64),
    (18, 64, 4096, 8, 'random', 118, 63),
    (19, 64, 4096, 8, 'random', 119, 1),
    (20, 131072, 2097152, 17, 'random', 120, 600000),
]


def main():
    print('# Made by reference.py: what the words mean stands in doc/spec/chunker.md, section 5.')
    for key, minimum, maximum, bits, kind, seed, n in CASES:
        lengths = Chunker(stream(key, 4112), minimum, maximum, bits).cuts(make_data(kind, seed, n))
        print(f'case {key} {minimum} {maximum} {bits} {kind} {seed} {n} {len(lengths)}')
        for i in range(0, len(lengths), 16):
            print(' '.join(map(str, lengths[i:i + 16])))


def example():
    c = Chunker(stream(1, 4112), 64, 4096, 17)
    window = bytes(range(64))
    d = c.digests(window)
    print('T[0] lanes', *(f'{t[0]:016x}' for t in c.table), 'AES key', bytes(stream(1, 4112)[4096:]).hex())
    print('digest lanes', *(f'{v:016x}' for v in d))
    print('block', b''.join(v.to_bytes(8, 'little') for v in d).hex(), 'ciphertext', c.ciphertext(d).hex())
    print('data', stream(1, 8).hex())


assert encrypt(expand_key(bytes(range(16))), bytes.fromhex('00112233445566778899aabbccddeeff')).hex() == \
    '69c4e0d86a7b0430d8cdb78070b4c55a'  # FIPS 197, appendix C.1
if __name__ == '__main__':
    example() if sys.argv[1:] == ['--example'] else main()
