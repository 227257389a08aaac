#!/usr/bin/env python3
"""Makes the vectors of this folder, and the seeds of test/fuzz/corpus, from the tables of doc/spec/formats.md alone.

    make.py            writes OBJECT/good/NAME.bin and .txt, OBJECT/bad/NAME.bin and .txt, and the seeds
    make.py --check    writes nothing; fails if a file is missing, differs, or is not made by this program

A good .txt has one line "name = value" for each field, in the order of the table: numbers in decimal, bytes in hexadecimal,
"-" if there are none. A bad .txt says "error = CODE". Where the decoder needs a number besides the bytes (the type of a
body, the offset of a table, the length of a pack), the first line is "param = NUMBER". It shares no code with the
programs it tests.
"""
import hashlib
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "..", "fuzz", "corpus")

files = {}       # path -> bytes
parameter = {}   # object -> needs a number


def rnd(label, n):
    """n bytes that look random and are always the same; long ones repeat, to be small in an archive."""
    out = hashlib.shake_256(label.encode()).digest(min(n, 1024))
    return (out * (n // len(out) + 1))[:n] if n else b""


def h(label):
    return rnd(label, 32)


def low(i, label="low"):
    """A hash that begins with the number i, for sorted lists."""
    return struct.pack(">I", i) + rnd(label + str(i), 28)


ZERO = bytes(32)
U64 = 2**64 - 1


def varint(v):
    out = bytearray()
    while True:
        out.append(v & 0x7F | (0x80 if v > 0x7F else 0))
        v >>= 7
        if not v:
            return bytes(out)


class Obj:
    """The bytes of an object, and the lines that describe them."""

    def __init__(self):
        self.b = bytearray()
        self.t = []

    def say(self, name, v):
        if name is None:
            return
        if isinstance(v, (bytes, bytearray)):
            v = bytes(v).hex() or "-"
        self.t.append(f"{name} = {int(v) if isinstance(v, bool) else v}")

    def num(self, name, v, size, signed=False):
        self.say(name, v)
        self.b += int(v).to_bytes(size, "little", signed=signed)
        return self

    def u8(self, name, v): return self.num(name, v, 1)
    def u16(self, name, v): return self.num(name, v, 2)
    def u24(self, name, v): return self.num(name, v, 3)
    def u32(self, name, v): return self.num(name, v, 4)
    def u64(self, name, v): return self.num(name, v, 8)
    def i64(self, name, v): return self.num(name, v, 8, True)

    def varint(self, name, v):
        self.say(name, v)
        self.b += varint(v)
        return self

    def raw(self, name, v):
        self.say(name, v)
        self.b += v
        return self

    def bytes(self, name, v):
        self.say(name, v)
        self.b += varint(len(v)) + v
        return self

    def moment(self, name, m):
        return self.i64(name, m[0]).u32("nanoseconds", m[1])

    def origin(self, o):
        self.u8("origin", o[0])
        if o[0]:
            self.raw("origin id", o[1])
        return self

    def list(self, name, items):
        self.varint(name, len(items))
        for item in items:
            self.bytes("item", item)
        return self

    def streamref(self, length=0, depth=0, id=ZERO, origin=(0,)):
        self.origin(origin).varint("length", length).u8("depth", depth)
        if length:
            self.raw("id", id)
        return self

    def location(self, l):
        return self.raw("pack", l[0]).u24("offset", l[1]).u24("length", l[2])

    def locations(self, name, items):
        self.varint(name, len(items))
        for l in items:
            self.location(l)
        return self


def put(path, data):
    assert path not in files, path
    files[path] = data


def good(kind, name, o, param=None):
    lines = ([f"param = {param}"] if param is not None else []) + o.t
    put(f"{kind}/good/{name}.bin", bytes(o.b))
    put(f"{kind}/good/{name}.txt", "".join(l + "\n" for l in lines).encode())
    seed = (struct.pack("<I", param) if param is not None else b"") + bytes(o.b)
    put(os.path.join(CORPUS, kind, name), seed)
    return bytes(o.b)


def bad(kind, name, o, error="E_FORMAT", param=None):
    data = bytes(o.b) if isinstance(o, Obj) else bytes(o)
    lines = ([f"param = {param}"] if param is not None else []) + [f"error = {error}"]
    put(f"{kind}/bad/{name}.bin", data)
    put(f"{kind}/bad/{name}.txt", ("\n".join(lines) + "\n").encode())


def change(data, at, new):
    return data[:at] + new + data[at + len(new):]


# Section 2

def block(chunks, count=None, lengths=None):
    o = Obj().u16("count", len(chunks) if count is None else count)
    for n in lengths if lengths is not None else [len(c) for c in chunks]:
        o.u24(None, n)
    for c in chunks:
        o.raw("chunk", c)
    return o


def make_block():
    k = "block"
    g = good(k, "one-byte", block([b"x"]))
    good(k, "three", block([b"one", b"a second chunk", rnd("chunk", 300)]))
    good(k, "many", block([rnd(f"c{i}", 1 + i % 3) for i in range(500)]))
    bad(k, "empty", b"")
    bad(k, "count-zero", struct.pack("<H", 0))
    bad(k, "length-zero", block([b"ab", b""]))
    bad(k, "first-length-zero", block([b"", b"ab"]))
    bad(k, "over", g + b"y")
    bad(k, "data-short", block([b"abc"], lengths=[4]))
    bad(k, "lengths-cut", struct.pack("<H", 3) + b"\1\0\0\1\0")
    bad(k, "count-8193", block([b"z"] * 8193))
    bad(k, "length-overflow", block([b"z"], count=2, lengths=[2097152, 1]))
    k = "block_stored"
    raw = bytes(block([b"x" * 50]).b)

    def stored(method, n, payload):
        return Obj().u8("method", method).u24("raw length", n).raw("payload", payload)
    good(k, "plain", stored(0, len(raw), raw))
    good(k, "zstd", stored(1, len(raw), bytes.fromhex("28b52ffd2037") + rnd("z", 20)))
    good(k, "least", stored(0, 6, bytes(block([b"x"]).b)))
    good(k, "zstd-one-less", stored(1, 20, rnd("z", 19)))
    bad(k, "empty", b"")
    bad(k, "header-only", stored(1, 100, b""))
    bad(k, "method-2", stored(2, len(raw), raw), "E_UNSUPPORTED")
    bad(k, "method-255", stored(255, len(raw), raw), "E_UNSUPPORTED")
    bad(k, "plain-short", stored(0, len(raw), raw[:-1]))
    bad(k, "plain-long", stored(0, len(raw), raw + b"x"))
    bad(k, "zstd-not-shorter", stored(1, 20, rnd("z", 20)))
    bad(k, "raw-5", stored(0, 5, b"12345"))
    bad(k, "raw-over", stored(1, 2121731, b"12345"))


# Section 3

def padme(n):
    e = n.bit_length() - 1
    z = e - (e.bit_length() - 1 + 1)
    return min(max((n + (1 << z) - 1) >> z << z, 65536), 16777216)


def make_pack():
    k = "packhead"

    def head(epoch=1, enc=rnd("enc", 1120), commitment=h("commitment"), magic=b"brp\1"):
        return Obj().raw(None, magic).u32("epoch", epoch).raw("encapsulation", enc).raw("commitment", commitment)
    g = good(k, "epoch-1", head())
    assert len(g) == 1160
    good(k, "epoch-max", head(2**32 - 1))
    bad(k, "empty", b"")
    bad(k, "epoch-0", head(0))
    bad(k, "version-2", head(magic=b"brp\2"), "E_UNSUPPORTED")
    bad(k, "version-0", head(magic=b"brp\0"), "E_UNSUPPORTED")
    bad(k, "other-magic", head(magic=b"bre\1"))
    bad(k, "over", g + b"\0")
    bad(k, "short", g[:-1])

    k = "packtrailer"

    def trailer(offset, length, pack, zero=0):
        return Obj().u32("table offset", offset).u32("table length", length).u32("pack length", pack).u32(None, zero)
    good(k, "least", trailer(1193, 150, 65536), 65536)
    good(k, "fits-exactly", trailer(65000, 65536 - 48 - 65000, 65536), 65536)
    good(k, "padded", trailer(100000, 2000, padme(102048)), padme(102048))
    good(k, "full", trailer(16700000, 50000, 16777216), 16777216)
    good(k, "full-early-table", trailer(1193, 150, 16777216), 16777216)
    good(k, "table-max", trailer(8000000, 8388608 + 32, 16777216), 16777216)
    bad(k, "other-length", trailer(1193, 150, 65536), param=131072)
    bad(k, "zero-not-zero", trailer(1193, 150, 65536, 1), param=65536)
    bad(k, "table-in-header", trailer(1100, 150, 65536), param=65536)
    bad(k, "no-record", trailer(1160, 150, 65536), param=65536)
    bad(k, "table-over-trailer", trailer(65000, 65536 - 47 - 65000, 65536), param=65536)
    bad(k, "table-behind", trailer(70000, 150, 65536), param=65536)
    bad(k, "table-tag-only", trailer(1193, 32, 65536), param=65536)
    bad(k, "table-over-max", trailer(8000000, 8388608 + 33, 16777216), param=16777216)
    bad(k, "sum-overflows", trailer(2**32 - 1, 100, 65536), param=65536)
    bad(k, "too-small", trailer(1193, 150, 65535), param=65535)
    bad(k, "too-large", trailer(1193, 150, 16777217), param=16777217)
    bad(k, "not-a-padded-size", trailer(100000, 2000, 102048), param=102048)
    bad(k, "padded-too-much", trailer(1193, 150, 131072), param=131072)

    k = "packtable"

    def table(blocks, run=rnd("run", 16), seq=7, head=h("head"), writer=h("writer"), origin=(0,), continues=0,
              previous=h("previous"), count=None):
        o = Obj().raw("run", run).u64("start sequence", seq).raw("start head", head).raw("writer", writer)
        o.origin(origin).u8("continues", continues)
        if continues == 1:
            o.raw("previous", previous)
        o.u32("count", len(blocks) if count is None else count)
        at = 1160
        for b in blocks:
            kind, length, ids = b[:3]
            offset = at if len(b) < 4 else b[3]
            o.say("type", kind & 0x7F)
            o.say("cut", kind >> 7)
            o.u8(None, kind).u24("offset", offset).u24("length", length).u16(None, len(ids) if len(b) < 5 else b[4])
            for i in ids:
                o.raw("id", i)
            at += length
        o.end = at
        return o

    def ok(name, *a, **kw):
        o = table(*a, **kw)
        good(k, name, o, o.end)

    def no(name, *a, end=None, **kw):
        o = table(*a, **kw)
        bad(k, name, o, param=o.end if end is None else end)
    one = [h("id")]
    ok("one", [(1, 100, one)])
    ok("all-types", [(t, 40 + t, [] if t == 5 else [h(f"i{t}{j}") for j in range(t)]) for t in range(1, 7)])
    ok("least-record", [(1, 33, one)])
    ok("largest-record", [(1, 2121766, one)])
    ok("cut", [(1, 100, one), (0x81, 200, [h("a"), h("b")])])
    ok("rest", [(0, 33, []), (2, 100, one)], continues=1)
    ok("rest-alone", [(0, 5000, [])], continues=1)
    ok("rest-and-cut", [(0, 77, []), (0x84, 100, one)], continues=1)
    ok("grant", [(1, 100, one)], origin=(1, h("grant")))
    ok("drop", [(1, 100, one)], origin=(2, h("link")))
    ok("received-start-0", [(1, 100, one)], origin=(3, h("vault")), seq=0, head=ZERO)
    ok("full-pack", [(1, 2097152, [low(i * 8 + j) for j in range(8)]) for i in range(7)])
    no("no-blocks", [])
    no("count-more", [(1, 100, one)], count=2)
    no("count-less", [(1, 100, one), (1, 100, one)], count=1)
    no("count-over", [(1, 100, one)], count=16385)
    no("type-0-without-continues", [(0, 100, [])])
    no("continues-without-rest", [(1, 100, one)], continues=1)
    no("rest-second", [(0, 77, []), (0, 77, [])], continues=1)
    no("rest-with-ids", [(0, 77, one)], continues=1)
    no("rest-cut", [(0x80, 77, [])], continues=1)
    no("type-7", [(7, 100, one)])
    no("type-127", [(127, 100, one)])
    no("cut-not-last", [(0x81, 100, one), (1, 100, one)])
    no("index-cut", [(0x85, 100, [])])
    no("index-with-ids", [(5, 100, one)])
    no("content-without-ids", [(1, 100, [])])
    no("record-32", [(1, 32, one)])
    no("record-too-long", [(1, 2121767, one)])
    no("first-offset-1159", [(1, 100, one, 1159)])
    no("first-offset-1161", [(1, 100, one, 1161)], end=1261)
    no("gap", [(1, 100, one), (1, 100, one, 1261)], end=1361)
    no("overlap", [(1, 100, one), (1, 100, one, 1259)], end=1359)
    no("descending", [(1, 100, one, 1260), (1, 100, one, 1160)], end=1260)
    no("table-after-gap", [(1, 100, one)], end=1261)
    no("table-in-record", [(1, 100, one)], end=1259)
    no("over-16-mib", [(1, 2121766, one)] * 8)
    no("origin-4", [(1, 100, one)], origin=(4, h("?")))
    no("continues-2", [(1, 100, one)], continues=2)
    no("ids-8193", [(1, 100, [low(i) for i in range(8193)])])
    no("ids-cut", [(1, 100, one, 1160, 2)])
    bad(k, "empty", b"", param=1160)
    bad(k, "over", bytes(table([(1, 100, one)]).b) + b"\0", param=1260)


# Section 4

def make_stream():
    k = "streamref"

    def ref(*a, **kw):
        return Obj().streamref(*a, **kw)
    g = good(k, "one-chunk", ref(1000, 0, h("c")))
    good(k, "empty", ref())
    good(k, "one-byte", ref(1, 0, h("c")))
    good(k, "largest-chunk", ref(2097152, 0, h("c")))
    good(k, "list", ref(2097153, 1, h("l")))
    good(k, "list-of-lists", ref(10**12, 2, h("l")))
    good(k, "largest", ref(2**63 - 1, 8, h("l")))
    good(k, "grant", ref(5, 0, h("c"), (1, h("grant"))))
    good(k, "empty-received", ref(0, 0, ZERO, (3, h("vault"))))
    bad(k, "nothing", b"")
    bad(k, "over", g + b"\0")
    bad(k, "short", g[:-1])
    bad(k, "depth-9", ref(2**40, 9, h("l")))
    bad(k, "empty-with-depth", ref(0, 1))
    bad(k, "chunk-too-long", ref(2097153, 0, h("c")))
    bad(k, "length-over", ref(2**63, 8, h("l")))
    bad(k, "origin-4", ref(5, 0, h("c"), (4, h("x"))))
    bad(k, "varint-not-shortest", b"\0" + b"\xe8\x87\x00" + b"\0" + h("c"))
    bad(k, "varint-zero-in-two-bytes", b"\0" + b"\x80\x00" + b"\0")
    bad(k, "varint-eleven-bytes", b"\0" + b"\xff" * 10 + b"\1" + b"\0" + h("c"))
    bad(k, "varint-over-64-bits", b"\0" + b"\xff" * 9 + b"\3" + b"\0" + h("c"))
    k = "streamitem"

    def item(n):
        return Obj().raw("id", h("i")).u24("length", n)
    good(k, "one", item(1))
    good(k, "largest", item(2097152))
    bad(k, "zero", item(0))
    bad(k, "too-long", item(2097153))
    bad(k, "short", bytes(item(5).b)[:-1])
    bad(k, "over", bytes(item(5).b) + b"\0")


# Section 5

def entry_body(type=1, name=b"name", mode=0o644, uid=1000, gid=1000, mtime=(1700000000, 123456789), flags=0,
               group=rnd("group", 16), xattrs=(), stream=(), holes=(), hole_count=None, target=b"target", device=(8, 1),
               rest=b"", vault=h("vault"), epoch=3, path=b"some/path"):
    """The lines stand in the order of the dump: attributes and holes at the end."""
    o = Obj().u8("type", type).bytes("name", name)
    if type == 7:
        return o.raw("vault", vault).u32("epoch", epoch).bytes("path", path).say("attributes", 0) or say_none(o)
    if not 1 <= type <= 6:
        return o.raw("rest", rest).say("attributes", 0) or say_none(o)
    o.u16("mode", mode).varint("uid", uid).varint("gid", gid).moment("mtime", mtime).u8("flags", flags)
    if flags & 4:
        o.raw("link group", group)
    late = Obj()
    late.say("attributes", len(xattrs) if flags & 1 else 0)
    if flags & 1:
        o.varint(None, len(xattrs))
        for n, v in xattrs:
            o.bytes(None, n).bytes(None, v)
            late.say("attribute", n)
            late.say("value", v)
    total = 0
    if type in (1, 2):
        o.streamref(*stream)
    late.say("holes", len(holes) if flags & 2 else 0)
    if flags & 2:
        o.varint(None, len(holes) if hole_count is None else hole_count)
        end = 0
        for at, n in holes:
            o.varint(None, at - end).varint(None, n)
            late.say("hole at", at)
            late.say("hole length", n)
            end = at + n
            total += n
    if type == 1:
        o.say("size", (stream[0] if stream else 0) + total)
    if type == 3:
        o.bytes("target", target)
    if type in (5, 6):
        o.u32("major", device[0]).u32("minor", device[1])
    o.t += late.t
    return o


def say_none(o):
    o.say("holes", 0)
    return o


def make_direntry():
    k = "direntry"
    e = entry_body
    ref = (5000, 0, h("data"))
    x = [(b"security.selinux", b"s0"), (b"user.empty", b""), (b"user.z", rnd("x", 300))]
    g = good(k, "file", e(stream=ref))
    good(k, "file-empty", e())
    good(k, "file-changed", e(stream=ref, flags=8))
    good(k, "file-attributes", e(stream=ref, flags=1, xattrs=x))
    good(k, "file-hard-link", e(stream=ref, flags=4))
    good(k, "file-all-flags", e(stream=ref, flags=15, xattrs=x, holes=[(0, 4096), (8192, 4096), (13192 + 0, 1)]))
    good(k, "hole-only", e(flags=2, holes=[(0, 1 << 40)]))
    good(k, "hole-largest", e(flags=2, holes=[(0, 2**63 - 1)]))
    good(k, "hole-first-inside", e(stream=ref, flags=2, holes=[(1, 1)]))
    good(k, "hole-last", e(stream=ref, flags=2, holes=[(5000, 7)]))
    good(k, "holes-many", e(stream=ref, flags=2, holes=[(2 * i, 1) for i in range(1000)]))
    good(k, "mode-largest", e(mode=0o7777, uid=2**32 - 1, gid=2**32 - 1))
    good(k, "time-largest", e(mtime=(2**63 - 1, 999999999)))
    good(k, "time-before-1970", e(mtime=(-(2**63), 0)))
    good(k, "name-255", e(name=b"n" * 255))
    good(k, "name-bytes", e(name=bytes(range(1, 47)) + bytes(range(48, 256))))
    good(k, "name-dots", e(name=b"..."))
    good(k, "name-dot-x", e(name=b".x"))
    good(k, "directory", e(type=2, mode=0o755, stream=(100000, 0, h("dir"))))
    good(k, "directory-empty", e(type=2, mode=0o755))
    good(k, "directory-acl", e(type=2, flags=1, xattrs=[(b"system.posix_acl_default", rnd("acl", 44))], stream=(2**33, 2, h("d"))))
    good(k, "symlink", e(type=3, mode=0o777))
    good(k, "symlink-longest", e(type=3, target=b"t" * 4096, flags=4))
    good(k, "fifo", e(type=4))
    good(k, "char-device", e(type=5))
    good(k, "block-device", e(type=6, device=(2**32 - 1, 2**32 - 1), flags=5, xattrs=x))
    good(k, "vault-link", e(type=7))
    good(k, "vault-link-no-path", e(type=7, path=b""))
    good(k, "unknown-8", e(type=8, rest=rnd("rest", 40)))
    good(k, "unknown-0", e(type=0))
    good(k, "unknown-255", e(type=255, rest=b"\0"))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    for n, v in (("empty", b""), ("dot", b"."), ("dot-dot", b".."), ("slash", b"a/b"), ("zero", b"a\0b"), ("256", b"n" * 256)):
        bad(k, "name-" + n, e(name=v, stream=ref))
    bad(k, "unknown-name-slash", e(type=9, name=b"/"))
    bad(k, "vault-name-empty", e(type=7, name=b""))
    bad(k, "mode-over", e(mode=0o10000))
    bad(k, "uid-over", e(uid=2**32))
    bad(k, "gid-over", e(gid=2**32))
    bad(k, "nanoseconds-over", e(mtime=(0, 10**9)))
    bad(k, "flag-16", e(flags=16))
    bad(k, "flag-128", e(flags=128))
    bad(k, "directory-holes", e(type=2, flags=2, holes=[(0, 5)]))
    bad(k, "directory-changed", e(type=2, flags=8))
    bad(k, "directory-link-group", e(type=2, flags=4))
    bad(k, "symlink-changed", e(type=3, flags=8))
    bad(k, "fifo-holes", e(type=4, flags=2))
    bad(k, "attributes-none", e(flags=1))
    bad(k, "attributes-4097", e(flags=1, xattrs=[(b"%04d" % i, b"") for i in range(4097)]))
    bad(k, "attribute-no-name", e(flags=1, xattrs=[(b"", b"v")]))
    bad(k, "attribute-zero", e(flags=1, xattrs=[(b"user.\0", b"v")]))
    bad(k, "attribute-name-256", e(flags=1, xattrs=[(b"a" * 256, b"v")]))
    bad(k, "attribute-value-65537", e(flags=1, xattrs=[(b"a", bytes(65537))]))
    bad(k, "attributes-equal", e(flags=1, xattrs=[(b"a", b"1"), (b"a", b"2")]))
    bad(k, "attributes-descending", e(flags=1, xattrs=[(b"b", b""), (b"a", b"")]))
    bad(k, "attributes-prefix-after", e(flags=1, xattrs=[(b"ab", b""), (b"a", b"")]))
    bad(k, "holes-none", e(stream=ref, flags=2))
    bad(k, "holes-65537", e(flags=2, stream=(70000, 0, h("d")), holes=[(2 * i, 1) for i in range(65537)]))
    bad(k, "hole-empty", e(stream=ref, flags=2, holes=[(10, 0)]))
    bad(k, "holes-touch", e(stream=ref, flags=2, holes=[(10, 5), (15, 5)]))
    bad(k, "hole-behind-end", e(stream=ref, flags=2, holes=[(5001, 1)]))
    bad(k, "holes-behind-end", e(stream=ref, flags=2, holes=[(4999, 1), (5002, 1)]))
    bad(k, "hole-size-over", e(stream=ref, flags=2, holes=[(0, 2**63 - 5000)]))
    bad(k, "holes-size-over", e(stream=ref, flags=2, holes=[(0, 2**62), (2**62 + 1, 2**62 - 4999)]))
    bad(k, "symlink-empty", e(type=3, target=b""))
    bad(k, "symlink-zero", e(type=3, target=b"a\0"))
    bad(k, "symlink-4097", e(type=3, target=b"t" * 4097))
    bad(k, "device-short", bytes(e(type=5).b)[:-1])
    bad(k, "fifo-over", bytes(e(type=4).b) + b"\0")
    bad(k, "vault-path-4097", e(type=7, path=b"p" * 4097))
    bad(k, "vault-over", bytes(e(type=7).b) + b"x")

    k = "directory"

    def directory(entries):
        o = Obj()
        for b in entries:
            o.raw(None, varint(len(b.b))).raw(None, b.b)
            o.t += b.t
        return o
    small = [e(name=b"a", type=4), e(name=b"a.txt", stream=ref), e(name=b"b", type=2), e(name=b"\xff", type=8, rest=b"later")]
    g = good(k, "small", directory(small))
    good(k, "nothing", directory([]))
    good(k, "prefix-first", directory([e(name=b"a" * i, type=4) for i in range(1, 20)]))
    good(k, "long-entries", directory([e(name=b"%d" % i, type=4, flags=1, xattrs=[(b"user.x", rnd(f"x{i}", 20000))]) for i in range(3)]))
    bad(k, "equal-names", directory([small[0], small[0]]))
    bad(k, "descending", directory([small[1], small[0]]))
    bad(k, "unsigned-order", directory([e(name=b"\xff", type=4), e(name=b"a", type=4)]))
    bad(k, "entry-bad", directory([e(name=b"..", type=4)]))
    bad(k, "length-zero", b"\0")
    bad(k, "length-not-shortest", b"\x84\0" + bytes(4))
    bad(k, "length-over", b"\x81\x80\x40" + bytes(100))
    bad(k, "length-four-bytes", b"\x80\x80\x80\x01" + bytes(100))
    bad(k, "cut", g[:-1])
    bad(k, "length-cut", g + b"\x80")


# Section 6

def make_index():
    k = "indexleaf"

    def leaf(rows):
        o = Obj()
        o.say("count", len(rows))
        for i, pack, offset, length, slot in rows:
            o.raw("id", i).u32("pack", pack).u24("offset", offset).u24("length", length).u16("slot", slot)
        return o
    SAME = 0xFFFFFFFF
    good(k, "one", leaf([(h("a"), 0, 1160, 33, 0)]))
    good(k, "same-pack", leaf([(h("a"), SAME, 1160, 2121766, 8191)]))
    good(k, "last-place", leaf([(h("a"), 5, 16777216 - 33, 33, 1)]))
    good(k, "several-places", leaf([(h("a"), 0, 1160, 100, 0), (h("a"), 0, 1160, 100, 1), (h("a"), 0, 1260, 100, 0),
                                    (h("a"), 1, 1160, 100, 0), (h("a"), SAME, 1160, 100, 0)]))
    g = good(k, "full", leaf([(low(i), i % 7, 1160 + i, 1000, i % 100) for i in range(1489)]))
    bad(k, "nothing", b"")
    bad(k, "1490-rows", leaf([(low(i), 0, 1160, 1000, 0) for i in range(1490)]))
    bad(k, "cut", g[:-1])
    bad(k, "equal", leaf([(h("a"), 0, 1160, 100, 0)] * 2))
    bad(k, "only-length-differs", leaf([(h("a"), 0, 1160, 100, 0), (h("a"), 0, 1160, 101, 0)]))
    bad(k, "ids-descending", leaf([(low(2), 0, 1160, 100, 0), (low(1), 0, 1160, 100, 0)]))
    bad(k, "packs-descending", leaf([(h("a"), 2, 1160, 100, 0), (h("a"), 1, 1160, 100, 0)]))
    bad(k, "packs-by-bytes", leaf([(h("a"), 1, 1160, 100, 0), (h("a"), 256, 1160, 100, 0), (h("a"), 2, 1160, 100, 0)]))
    bad(k, "offsets-descending", leaf([(h("a"), 1, 1161, 100, 0), (h("a"), 1, 1160, 100, 0)]))
    bad(k, "slots-descending", leaf([(h("a"), 1, 1160, 100, 1), (h("a"), 1, 1160, 100, 0)]))
    bad(k, "offset-1159", leaf([(h("a"), 0, 1159, 33, 0)]))
    bad(k, "length-32", leaf([(h("a"), 0, 1160, 32, 0)]))
    bad(k, "length-over", leaf([(h("a"), 0, 1160, 2121767, 0)]))
    bad(k, "behind-pack", leaf([(h("a"), 0, 16777216 - 33, 34, 0)]))
    bad(k, "slot-8192", leaf([(h("a"), 0, 1160, 33, 8192)]))

    k = "indexhead"

    def head(packs=(), cuts=(), leaves=(), entries=None, counts=(None, None, None)):
        o = Obj().u32("packs", len(packs) if counts[0] is None else counts[0])
        for n, size in packs:
            o.raw("name", n).u32("size", size)
        o.u32("cuts", len(cuts) if counts[1] is None else counts[1])
        for p, offset, nxt, length in cuts:
            o.u32("pack", p).u24("offset", offset).u32("next pack", nxt).u24("rest length", length)
        o.u64("entries", sum(l[4] for l in leaves) if entries is None else entries)
        o.u32("leaves", len(leaves) if counts[2] is None else counts[2])
        for first, p, offset, length, n in leaves:
            o.raw("first", first).u32("pack", p).u24("offset", offset).u24("length", length).u32("entries", n)
        return o
    two = [(h("p1"), 16777216), (h("p2"), 65536)]
    one = [(low(1), SAME, 2000, 40000, 1489)]
    good(k, "nothing", head())
    good(k, "one-leaf", head(two, (), one))
    g = good(k, "cut", head(two, [(0, 16000000, 1, 5000)], one))
    good(k, "cuts", head(two, [(0, 5000, SAME, 33), (0, 6000, 1, 33), (1, 1160, 0, 2121766), (SAME, 1160, 0, 40)], one))
    good(k, "leaves", head(two, (), [(low(i), i % 2, 1160 + i, 1000, 1 + i) for i in range(300)]))
    good(k, "one-id-over-leaves", head(two, (), [(low(1), 0, 1160, 100, 5), (low(1), 0, 1260, 100, 5), (low(2), 0, 1360, 100, 1)]))
    good(k, "packs-only", head([(low(i), padme(65536 + i * 50000)) for i in range(300)]))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "packs-cut", head(two, counts=(3, None, None)))
    bad(k, "packs-over", head(two, counts=(16777217, None, None)))
    bad(k, "cuts-over", head(two, counts=(None, 2**32 - 1, None)))
    bad(k, "leaves-over", head(two, counts=(None, None, 2**32 - 1)))
    bad(k, "pack-too-small", head([(h("p"), 65535)]))
    bad(k, "pack-too-large", head([(h("p"), 16777217)]))
    bad(k, "pack-size-not-padded", head([(h("p"), 100001)]))
    bad(k, "pack-size-0", head([(h("p"), 0)]))
    bad(k, "cut-pack-unknown", head(two, [(2, 2000, 1, 100)]))
    bad(k, "cut-next-unknown", head(two, [(0, 2000, 2, 100)]))
    bad(k, "cut-in-itself", head(two, [(0, 2000, 0, 100)]))
    bad(k, "cut-offset-1159", head(two, [(0, 1159, 1, 100)]))
    bad(k, "cut-offset-over", head(two, [(0, 16777216 - 32, 1, 100)]))
    bad(k, "cut-rest-32", head(two, [(0, 2000, 1, 32)]))
    bad(k, "cut-rest-over", head(two, [(0, 2000, 1, 2121767)]))
    bad(k, "cuts-equal", head(two, [(0, 2000, 1, 100), (0, 2000, 1, 200)]))
    bad(k, "cuts-descending", head(two, [(1, 2000, 0, 100), (0, 2000, 1, 100)]))
    bad(k, "entries-differ", head(two, (), one, 1490))
    bad(k, "entries-without-leaves", head(two, (), (), 1))
    bad(k, "leaf-empty", head(two, (), [(low(1), 0, 1160, 100, 0)]))
    bad(k, "leaf-1490", head(two, (), [(low(1), 0, 1160, 100, 1490)]))
    bad(k, "leaf-pack-unknown", head(two, (), [(low(1), 2, 1160, 100, 1)]))
    bad(k, "leaf-offset-1159", head(two, (), [(low(1), 0, 1159, 100, 1)]))
    bad(k, "leaf-length-32", head(two, (), [(low(1), 0, 1160, 32, 1)]))
    bad(k, "leaves-descending", head(two, (), [(low(2), 0, 1160, 100, 1), (low(1), 0, 1260, 100, 1)]))

    k = "indexpart0"

    def part0(parts, first, count=None):
        o = Obj().u16("parts", len(parts) if count is None else count)
        for l in parts:
            o.location(l)
        return o.raw("first", first)
    good(k, "alone", part0([], bytes(head(two, (), one).b)))
    good(k, "three", part0([(ZERO, 2000, 50000), (h("p"), 1160, 1048576), (ZERO, 60000, 33)], b"x"))
    bad(k, "empty", b"")
    bad(k, "no-bytes", part0([(ZERO, 2000, 50000)], b""))
    bad(k, "parts-4097", part0([(ZERO, 2000, 50000)] * 4097, b"x"))
    bad(k, "parts-cut", part0([], bytes(37), 1))
    bad(k, "offset-1159", part0([(ZERO, 1159, 50000)], b"x"))
    bad(k, "length-32", part0([(ZERO, 2000, 32)], b"x"))


# Section 7

def make_snapshot():
    k = "snapshot"

    def snap(version=1, started=(1700000000, 5), ended=(1700000100, 999999999), host=b"host", user=b"user", program=b"broch 0.1.0",
             branch=b"main", parent=h("parent"), paths=(b"/home/user", b"/etc"), tags=(b"daily", b"x"), root=(5000, 0, h("root")),
             counts=(1, 2, 3, 4, 5, 6), users=((0, b"root"), (1000, b"user")), groups=((0, b"root"),), user_count=None):
        o = Obj().u8(None, version).moment("started", started).moment("ended", ended)
        o.bytes("host", host).bytes("user", user).bytes("program", program).bytes("branch", branch).raw("parent", parent)
        o.list("paths", paths).list("tags", tags).streamref(*root)
        for n, v in zip(("files", "directories", "others", "bytes", "unreadable", "changed"), counts):
            o.varint(n, v)
        o.varint("users", len(users) if user_count is None else user_count)
        for i, n in users:
            o.varint("id", i).bytes("name", n)
        o.varint("groups", len(groups))
        for i, n in groups:
            o.varint("id", i).bytes("name", n)
        return o
    g = good(k, "usual", snap())
    good(k, "least", snap(1, (0, 0), (0, 0), b"", b"", b"", b"", ZERO, (), (), (), (0,) * 6, (), ()))
    good(k, "largest-numbers", snap(started=(-2**63, 0), ended=(2**63 - 1, 0), counts=(U64,) * 6, users=((2**32 - 1, b""),)))
    good(k, "longest-texts", snap(host=b"h" * 255, user=b"u" * 255, program=b"p" * 255, branch=b"b" * 255, tags=(b"t" * 255,),
                                  users=((1, b"n" * 255),)))
    good(k, "many", snap(paths=[b"/p%d" % i for i in range(200)], tags=[b"%03d" % i for i in range(256)], users=[(i, b"u") for i in range(300)]))
    good(k, "path-longest", snap(paths=(b"/" + b"p" * 65535,)))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "version-0", snap(0), "E_UNSUPPORTED")
    bad(k, "version-2", snap(2), "E_UNSUPPORTED")
    bad(k, "started-nanoseconds", snap(started=(0, 10**9)))
    bad(k, "ended-nanoseconds", snap(ended=(0, 10**9)))
    for f in ("host", "user", "program", "branch"):
        bad(k, f + "-256", snap(**{f: b"x" * 256}))
    bad(k, "paths-4097", snap(paths=[b"/"] * 4097))
    bad(k, "path-65537", snap(paths=(b"/" + b"p" * 65536,)))
    bad(k, "path-relative", snap(paths=(b"home",)))
    bad(k, "path-empty", snap(paths=(b"",)))
    bad(k, "path-zero", snap(paths=(b"/a\0b",)))
    bad(k, "tags-257", snap(tags=[b"%03d" % i for i in range(257)]))
    bad(k, "tag-256", snap(tags=(b"t" * 256,)))
    bad(k, "tags-equal", snap(tags=(b"a", b"a")))
    bad(k, "tags-descending", snap(tags=(b"b", b"a")))
    bad(k, "root-depth-9", snap(root=(2**40, 9, h("r"))))
    bad(k, "users-equal", snap(users=((1, b"a"), (1, b"b"))))
    bad(k, "users-descending", snap(users=((2, b"a"), (1, b"b"))))
    bad(k, "groups-descending", snap(groups=((2, b"a"), (1, b"b"))))
    bad(k, "user-over", snap(users=((2**32, b"a"),)))
    bad(k, "user-name-256", snap(users=((1, b"a" * 256),)))
    bad(k, "users-65537", snap(users=[(i, b"") for i in range(65537)]))
    bad(k, "users-count-more", snap(users=(), groups=(), user_count=3))


# Section 8

def make_entry():
    k = "entry"

    def entry(magic=b"bre\1", kind=2, chain=h("chain"), seq=9, previous=h("prev"), cseq=4, chash=h("control"), epoch=2, cls=2,
              role=3, grant=h("grant"), time=1700000000123456789, seal=0, public=b"\0", nonce=h("nonce"), sealed=None,
              signature=rnd("sig", 64)):
        if sealed is None:
            sealed = rnd("sealed", 1024 + (1136 if seal == 1 else 32))
        o = Obj().raw(None, magic).u8("kind", kind).raw("chain", chain).u64("sequence", seq).raw("previous", previous)
        o.u64("control sequence", cseq).raw("control hash", chash).u32("epoch", epoch).u8("class", cls).u8("role", role)
        if role == 1:
            o.raw("grant", grant)
        o.i64("time", time).u8("seal", seal).bytes("public", public).raw("nonce", nonce)
        o.say("outer length", len(o.b))
        o.bytes("sealed", sealed)
        o.say("access length", len(o.b))
        return o.raw("access signature", signature)
    first = dict(chain=ZERO, seq=0, previous=ZERO, cseq=0, chash=ZERO, epoch=1, cls=1, role=4, public=b"\1" + rnd("keys", 1408))
    g = good(k, "data", entry())
    good(k, "first-of-vault", entry(**first))
    good(k, "first-of-account", entry(**{**first, "kind": 1, "seal": 2}))
    good(k, "account-body-key", entry(kind=1, cls=1, role=4))
    good(k, "control", entry(cls=1, role=4, cseq=8))
    good(k, "data-by-admin", entry(role=4))
    good(k, "data-by-grant-hpke", entry(role=1, seal=1))
    good(k, "control-0", entry(seq=1, cseq=0))
    good(k, "largest-numbers", entry(seq=U64, cseq=U64 - 1, epoch=2**32 - 1, time=2**63 - 1))
    good(k, "negative-time", entry(time=-1))
    good(k, "largest", entry(public=rnd("p", 65536), sealed=rnd("s", 131072 + 32)))
    good(k, "longer-hpke", entry(role=1, seal=1, sealed=rnd("s", 3 * 1024 + 1136)))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "version-2", entry(b"bre\2"), "E_UNSUPPORTED")
    bad(k, "other-magic", entry(b"brp\1"))
    bad(k, "kind-0", entry(kind=0))
    bad(k, "kind-3", entry(kind=3))
    for f in ("chain", "previous", "chash"):
        bad(k, f"first-with-{f}", entry(**{**first, f: h("x")}))
        bad(k, f"later-without-{f}", entry(**{f: ZERO}))
    bad(k, "first-with-control-sequence", entry(**{**first, "cseq": 1}))
    bad(k, "first-data", entry(**{**first, "cls": 2}))
    bad(k, "control-sequence-own", entry(cseq=9))
    bad(k, "control-sequence-later", entry(cseq=10))
    bad(k, "epoch-0", entry(epoch=0))
    bad(k, "class-0", entry(cls=0))
    bad(k, "class-3", entry(cls=3))
    bad(k, "role-0", entry(role=0))
    bad(k, "role-2", entry(role=2))
    bad(k, "role-5", entry(role=5))
    bad(k, "control-by-writer", entry(cls=1, role=3))
    bad(k, "control-by-grant", entry(cls=1, role=1))
    bad(k, "account-data", entry(kind=1, role=4))
    bad(k, "account-hpke", entry(kind=1, cls=1, role=4, seal=1))
    bad(k, "vault-contact", entry(seal=2))
    bad(k, "seal-3", entry(seal=3))
    bad(k, "public-65537", entry(public=bytes(65537)))
    bad(k, "sealed-empty", entry(sealed=b""))
    bad(k, "sealed-tag-only", entry(sealed=rnd("s", 32)))
    bad(k, "sealed-not-padded", entry(sealed=rnd("s", 1057)))
    bad(k, "sealed-hpke-as-body", entry(sealed=rnd("s", 1024 + 1136)))
    bad(k, "sealed-body-as-hpke", entry(seal=1, sealed=rnd("s", 2048 + 32)))
    bad(k, "sealed-over", entry(sealed=rnd("s", 132096 + 32)))
    bad(k, "signature-63", entry(signature=rnd("sig", 63)))

    k = "entrypublic"

    def keys(o, kem=rnd("kem", 1216), access=(h("r"), h("w"), h("a")), commitment=h("c"), boxes=h("b")):
        o.raw("kem", kem)
        for n, v in zip(("reader", "writer", "admin"), access):
            o.raw(n, v)
        return o.raw("commitment", commitment).raw("boxes", boxes)
    packs = pack_names

    def kind(n):
        return Obj().u8("kind", n)
    good(k, "none", kind(0))
    create = good(k, "create", keys(kind(1).raw("birth", h("birth"))))
    good(k, "rotate", keys(kind(2)))
    good(k, "intent", packs(kind(3), [low(i) for i in range(3)]))
    good(k, "intent-1024", packs(kind(3), [low(i) for i in range(1024)]))
    good(k, "intent-listed", packs(kind(3), listed=(1025, h("list"))))
    good(k, "intent-listed-largest", packs(kind(3), listed=(524000, h("list"))))
    g = good(k, "purge", packs(kind(4).u64("intent", 77), [low(1)]))
    good(k, "purge-listed", packs(kind(4).u64("intent", U64), listed=(5000, h("list"))))
    good(k, "home", kind(6).raw("store", h("store")))
    bad(k, "empty", b"")
    bad(k, "none-over", b"\0\0")
    bad(k, "create-over", create + b"\0")
    bad(k, "create-short", create[:-1])
    bad(k, "purge-over", g + b"\0")
    bad(k, "intent-no-packs", packs(kind(3), []))
    bad(k, "intent-1025-here", packs(kind(3), [low(i) for i in range(1025)]))
    bad(k, "intent-1024-listed", packs(kind(3), listed=(1024, h("list"))))
    bad(k, "intent-524001-listed", packs(kind(3), listed=(524001, h("list"))))
    bad(k, "intent-equal", packs(kind(3), [low(1), low(1)]))
    bad(k, "intent-descending", packs(kind(3), [low(2), low(1)]))
    bad(k, "intent-form-2", kind(3).u8(None, 2).varint(None, 1).raw(None, h("n")))
    bad(k, "home-short", kind(6).raw(None, h("store")[:-1]))
    bad(k, "grant-reserved", kind(5).raw(None, h("g")).raw(None, h("k")).u64(None, 5), "E_UNSUPPORTED")
    bad(k, "version-reserved", kind(7).u32(None, 2), "E_UNSUPPORTED")
    bad(k, "revoke-reserved", kind(8).raw(None, h("g")), "E_UNSUPPORTED")
    bad(k, "kind-9", kind(9), "E_UNSUPPORTED")
    bad(k, "kind-255", kind(255), "E_UNSUPPORTED")

    k = "entryinner"

    def inner(type=64, account=h("acc"), device=h("dev"), aseq=3, ahead=h("ahead"), own=5, own_hash=h("own"), body=rnd("body", 100),
              signature=rnd("as", 64), pad=None):
        o = Obj().u8("type", type).raw("account", account).raw("device", device).u64("account sequence", aseq)
        o.raw("account head", ahead).u64("own sequence", own).raw("own hash", own_hash).bytes("body", body)
        o.say("signed length", len(o.b))
        o.raw("author signature", signature)
        return o.raw(None, bytes(-len(o.b) % 1024) if pad is None else pad)
    in_account = dict(type=1, account=ZERO, aseq=0, ahead=ZERO)
    fixed = 1 + 32 + 32 + 8 + 32 + 8 + 32 + 64
    good(k, "vault", inner())
    good(k, "account", inner(**in_account))
    good(k, "first-own", inner(own=U64, own_hash=ZERO))
    good(k, "no-body", inner(body=b""))
    g = good(k, "fits-exactly", inner(body=rnd("b", 1024 - fixed - 2)))
    assert len(g) == 1024
    good(k, "one-more", inner(body=rnd("b", 1024 - fixed - 1)))
    good(k, "largest", inner(body=rnd("b", 98304)))
    good(k, "unknown-types", inner(type=255))
    bad(k, "empty", b"")
    bad(k, "not-padded", inner(pad=b""))
    bad(k, "padding-too-long", inner(pad=bytes(-(fixed + 101) % 1024 + 1024)))
    bad(k, "padding-a-whole-unit", g + bytes(1024))
    bad(k, "padding-not-zero", inner(pad=bytes(-(fixed + 101) % 1024 - 1) + b"\1"))
    bad(k, "padding-first-not-zero", inner(pad=b"\1" + bytes(-(fixed + 101) % 1024 - 1)))
    bad(k, "own-hash-without-sequence", inner(own=U64))
    bad(k, "own-sequence-without-hash", inner(own_hash=ZERO))
    bad(k, "account-chain-with-account", inner(**{**in_account, "account": h("x")}))
    bad(k, "account-chain-with-sequence", inner(**{**in_account, "aseq": 1}))
    bad(k, "account-chain-with-head", inner(**{**in_account, "ahead": h("x")}))
    bad(k, "vault-without-account", inner(account=ZERO))
    bad(k, "vault-without-head", inner(ahead=ZERO))
    bad(k, "body-over", inner(body=bytes(98305)))
    bad(k, "too-long", inner(body=bytes(98304), pad=bytes(132096 - 98304 - fixed - 3)))


def pack_names(o, names=None, listed=None):
    o.u8("form", 1 if listed else 0)
    if listed:
        return o.u64("count", listed[0]).raw("list", listed[1])
    o.varint("count", len(names))
    for n in names:
        o.raw("name", n)
    return o


def record(o=None, kind=1, entry=h("ek"), request=h("rk"), kem=rnd("dk", 1216), name=b"laptop", created=1700000000 * 10**9):
    o = o or Obj()
    return o.u8("kind", kind).raw("entry key", entry).raw("request key", request).raw("kem key", kem).bytes("name", name).i64("created", created)


def make_bodies():
    k = "devicerecord"
    g = good(k, "full", record())
    good(k, "write-only", record(kind=2))
    good(k, "kit-without-name", record(kind=3, name=b""))
    good(k, "name-64", record(name=b"n" * 64, created=-1))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "kind-0", record(kind=0))
    bad(k, "kind-4", record(kind=4))
    bad(k, "name-65", record(name=b"n" * 65))
    bad(k, "short", g[:-1])

    k = "accountbody"
    joined = rnd("joined", 64)

    def create(device=1, kit=3):
        return record(record(kind=device).raw("joined", joined), kind=kit, name=b"kit").raw("home", h("home"))

    def add(device=1):
        return record(kind=device).raw("joined", joined)

    def recovery(kit=3, delay=259200):
        return record(kind=kit, name=b"kit").u64("delay", delay)

    def vault(version=1, role=4, name=b"photos"):
        return Obj().u8(None, version).raw("vault", h("v")).raw("store", h("s")).u8("role", role).bytes("name", name).u64(
            "anchor sequence", 12).raw("anchor hash", h("anchor"))
    g = good(k, "create", create(), 1)
    good(k, "add-full", add(), 2)
    good(k, "add-write-only", add(2), 2)
    good(k, "recovery", recovery(), 5)
    good(k, "recovery-longest", recovery(delay=2**32 - 1), 5)
    good(k, "vault", vault(), 6)
    good(k, "vault-longest-name", vault(role=1, name=b"n" * 255), 6)
    good(k, "rotate", Obj(), 7)
    good(k, "home", Obj(), 8)
    bad(k, "create-empty", b"", param=1)
    bad(k, "create-over", g + b"\0", param=1)
    bad(k, "create-by-write-only", create(2), param=1)
    bad(k, "create-device-is-kit", create(3), param=1)
    bad(k, "create-kit-is-device", create(kit=1), param=1)
    bad(k, "add-kit", add(3), param=2)
    bad(k, "add-short", bytes(add().b)[:-1], param=2)
    bad(k, "recovery-device", recovery(1), param=5)
    bad(k, "recovery-delay-over", recovery(delay=2**32), param=5)
    bad(k, "vault-empty", b"", param=6)
    bad(k, "vault-version-2", vault(2), "E_UNSUPPORTED", param=6)
    bad(k, "vault-role-0", vault(role=0), param=6)
    bad(k, "vault-role-5", vault(role=5), param=6)
    bad(k, "vault-no-name", vault(name=b""), param=6)
    bad(k, "vault-name-256", vault(name=b"n" * 256), param=6)
    bad(k, "rotate-over", b"\0", param=7)
    bad(k, "home-over", b"\0", param=8)
    for t in (0, 3, 4, 9, 10, 11, 12, 32, 255):
        bad(k, f"type-{t}", h("device") + b"\1" if t == 3 else b"", "E_UNSUPPORTED", param=t)

    k = "vaultbody"
    loc = [(h("p1"), 1160, 50000), (h("p0"), 2000, 33)]

    def vcreate(mn=131072, mx=2097152, bits=17, hold=2592000, trust=0):
        return Obj().raw("root commitment", h("rc")).u32("min", mn).u32("max", mx).u8("mask bits", bits).u64("hold", hold).u8(
            "trust", trust).raw("owner", h("owner"))

    def policy(hold=86400, trust=1):
        return Obj().u64("hold", hold).u8("trust", trust)

    def summary(state=(90000, 0, h("state")), index=(h("ip"), 3000, 700)):
        return Obj().u64("covers", 1023).raw("state hash", h("sh")).streamref(*state).location(index)

    def snapshot(added=loc, **kw):
        return stamp(Obj().raw("snapshot", h("snap")), **kw).locations("added", added)

    def index(added, removed):
        return Obj().locations("added", added).locations("removed", removed)

    def tag(tags):
        return Obj().raw("snapshot", h("snap")).list("tags", tags)

    def forget(ids):
        o = Obj().varint("forget", len(ids))
        for i in ids:
            o.raw("name", i)
        return o

    def keep(kind, added=(), value=None):
        o = Obj().u8("of intent", kind)
        o = o.u64("intent", 31) if kind == 1 else o.raw("snapshot", h("snap"))
        return o.locations("added", added)
    named = (h("p"), 1160, 100)
    g = good(k, "create", vcreate(), 32)
    good(k, "create-bounds", vcreate(1, 1, 32, 2**32 - 1, 1), 32)
    good(k, "create-no-hold", vcreate(2097152, 2097152, 0, 0), 32)
    good(k, "rotate", Obj(), 35)
    good(k, "policy", policy(), 36)
    good(k, "summary", summary(), 37)
    good(k, "home", Obj(), 38)
    good(k, "snapshot", snapshot(), 64)
    good(k, "snapshot-least", snapshot((), time=(0, 0), host=b"", branch=b"", tags=(), parent=ZERO, counts=(0, 0, 0)), 64)
    good(k, "snapshot-most", snapshot([named] * 256, host=b"h" * 255, branch=b"b" * 255, tags=[b"%0255d" % i for i in range(256)],
                                      counts=(U64,) * 3), 64)
    good(k, "index", index(loc, [named]), 65)
    good(k, "index-nothing", index([], []), 65)
    good(k, "index-most", index([named] * 256, [named] * 1024), 65)
    good(k, "tag", tag([b"a", b"b"]), 66)
    good(k, "tag-none", tag([]), 66)
    good(k, "forget-one", forget([h("a")]), 67)
    good(k, "forget-any-order", forget([low(2), low(1)]), 67)
    good(k, "forget-most", forget([low(i) for i in range(2048)]), 67)
    good(k, "keep-snapshot", keep(0, loc), 68)
    good(k, "keep-intent", keep(1), 68)
    good(k, "keep-intent-added", keep(1, loc), 68)
    good(k, "intent", Obj().locations("removed", [named]), 69)
    good(k, "intent-none", Obj().locations("removed", []), 69)
    good(k, "purge", Obj(), 70)
    good(k, "account", Obj(), 71)
    bad(k, "create-empty", b"", param=32)
    bad(k, "create-over", g + b"\0", param=32)
    bad(k, "create-min-0", vcreate(0), param=32)
    bad(k, "create-min-over-max", vcreate(3000, 2999), param=32)
    bad(k, "create-max-over", vcreate(1, 2097153), param=32)
    bad(k, "create-mask-33", vcreate(bits=33), param=32)
    bad(k, "create-hold-over", vcreate(hold=2**32), param=32)
    bad(k, "create-trust-2", vcreate(trust=2), param=32)
    for t in (35, 38, 70, 71):
        bad(k, f"type-{t}-over", b"\0", param=t)
    bad(k, "policy-hold-over", policy(2**32), param=36)
    bad(k, "policy-trust-2", policy(1, 2), param=36)
    bad(k, "policy-over", bytes(policy().b) + b"\0", param=36)
    bad(k, "summary-empty-state", summary(()), param=37)
    bad(k, "summary-no-pack", summary(index=(ZERO, 3000, 700)), param=37)
    bad(k, "summary-offset", summary(index=(h("p"), 1159, 700)), param=37)
    bad(k, "snapshot-257-indexes", snapshot([named] * 257), param=64)
    bad(k, "snapshot-location-no-pack", snapshot([(ZERO, 1160, 100)]), param=64)
    bad(k, "snapshot-location-length", snapshot([(h("p"), 1160, 32)]), param=64)
    bad(k, "snapshot-nanoseconds", snapshot(time=(0, 10**9)), param=64)
    bad(k, "snapshot-tags-descending", snapshot(tags=(b"b", b"a")), param=64)
    bad(k, "snapshot-host-256", snapshot(host=b"h" * 256), param=64)
    bad(k, "snapshot-over", bytes(snapshot().b) + b"\0", param=64)
    bad(k, "index-257-added", index([named] * 257, []), param=65)
    bad(k, "index-1025-removed", index([], [named] * 1025), param=65)
    bad(k, "index-cut", bytes(index(loc, [named]).b)[:-1], param=65)
    bad(k, "tag-257", tag([b"%03d" % i for i in range(257)]), param=66)
    bad(k, "tags-equal", tag([b"a", b"a"]), param=66)
    bad(k, "forget-none", forget([]), param=67)
    bad(k, "forget-2049", forget([low(i) for i in range(2049)]), param=67)
    bad(k, "keep-kind-2", keep(2), param=68)
    bad(k, "keep-without-added", bytes(keep(1).b)[:-1], param=68)
    bad(k, "intent-1025", Obj().locations(None, [named] * 1025), param=69)
    for t in (0, 1, 31, 33, 34, 39, 40, 63, 72, 255):
        bad(k, f"type-{t}", b"", "E_UNSUPPORTED", param=t)


def stamp(o, time=(1700000000, 1), host=b"host", branch=b"main", tags=(b"daily",), parent=h("parent"), counts=(10, 2000, 300)):
    o.moment("time", time).bytes("host", host).bytes("branch", branch).list("tags", tags).raw("parent", parent)
    for n, v in zip(("files", "bytes", "new bytes"), counts):
        o.varint(n, v)
    return o


# Sections 8.3, 9 and 12

def make_objects():
    k = "boxes"

    def boxes(magic=b"brb\1", epoch=1, count=4, rows=None, wrap=None):
        o = Obj().raw(None, magic).u32("epoch", epoch).u16("count", count)
        for i in range(count if rows is None else rows):
            o.raw("tag", h(f"t{i}")).raw("box", rnd(f"b{i}", 1392))
        return o.raw("wrap", (rnd("wrap", 96) if epoch > 1 else b"") if wrap is None else wrap)
    g = good(k, "first", boxes())
    good(k, "later", boxes(epoch=2))
    good(k, "sixteen", boxes(epoch=2**32 - 1, count=16))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "version-2", boxes(b"brb\2"), "E_UNSUPPORTED")
    bad(k, "other-magic", boxes(b"brl\1"))
    bad(k, "epoch-0", boxes(epoch=0))
    bad(k, "count-0", boxes(count=0))
    bad(k, "count-2", boxes(count=2))
    bad(k, "count-6", boxes(count=6))
    bad(k, "count-2048", boxes(count=2048, rows=4))
    bad(k, "first-with-wrap", boxes(wrap=rnd("wrap", 96)))
    bad(k, "later-without-wrap", boxes(epoch=2, wrap=b""))
    bad(k, "wrap-95", boxes(epoch=2, wrap=rnd("wrap", 95)))
    bad(k, "rows-missing", boxes(count=8, rows=7))

    k = "namelist"

    def names(items, magic=b"brl\1", count=None):
        o = Obj().raw(None, magic).u64("count", len(items) if count is None else count)
        for n in items:
            o.raw("name", n)
        return o
    g = good(k, "one", names([h("a")]))
    good(k, "many", names([low(i) for i in range(300)]))
    bad(k, "empty", b"")
    bad(k, "none", names([]))
    bad(k, "over", g + b"\0")
    bad(k, "version-2", names([h("a")], b"brl\2"), "E_UNSUPPORTED")
    bad(k, "other-magic", names([h("a")], b"brb\1"))
    bad(k, "equal", names([h("a"), h("a")]))
    bad(k, "descending", names([low(2), low(1)]))
    bad(k, "count-more", names([h("a")], count=2))
    bad(k, "count-over", names([h("a")], count=524001))
    bad(k, "count-wraps", names([], count=2**59))

    k = "summarystate"

    def state(version=1, covers=1023, hash=h("ch"), hold=2592000, trust=0, snapshots=(), indexes=(), intents=(), accounts=(),
              devices=(), count=None):
        o = Obj().u8(None, version).u64("covers", covers).raw("hash", hash).u64("hold", hold).u8("trust", trust)
        o.varint("snapshots", len(snapshots) if count is None else count)
        for seq, forgotten, kw in snapshots:
            o.u64("sequence", seq).raw("id", h(f"snap{seq}")).raw("device", h("dev")).u8("forgotten", forgotten)
            stamp(o, **kw)
        o.varint("indexes", len(indexes))
        for seq, l in indexes:
            o.location(l).u64("sequence", seq)
        o.varint("intents", len(intents))
        for seq, time, kw in intents:
            pack_names(o.u64("sequence", seq).i64("time", time), **kw)
        for name, heads in (("accounts", accounts), ("devices", devices)):
            o.varint(name, len(heads))
            for i, seq in heads:
                o.raw("id", i).u64("sequence", seq).raw("hash", h(f"head{seq}"))
        return o
    s = [(3, 0, {}), (4, 1, dict(tags=()))]
    a, b = (low(1), 1160, 100), (low(2), 1160, 100)
    good(k, "nothing", state())
    g = good(k, "all", state(snapshots=s, indexes=[(3, a), (3, b), (4, a)], intents=[(7, -5, dict(names=[low(1), low(2)])), (
        9, 1700000000 * 10**9, dict(listed=(2000, h("list"))))], accounts=[(low(1), 5), (low(9), 1)], devices=[(low(3), 8)]))
    good(k, "index-order", state(indexes=[(1, (low(1), 1160, 100)), (1, (low(1), 1160, 101)), (1, (low(1), 1161, 50)), (1, (low(2), 1160, 33)),
                                          (2, (low(0), 1160, 33))]))
    good(k, "largest-numbers", state(covers=U64, hold=2**32 - 1, trust=1, snapshots=[(U64, 1, {})]))
    bad(k, "empty", b"")
    bad(k, "over", g + b"\0")
    bad(k, "version-2", state(2), "E_UNSUPPORTED")
    bad(k, "hold-over", state(hold=2**32))
    bad(k, "trust-2", state(trust=2))
    bad(k, "snapshots-equal", state(snapshots=[s[0], s[0]]))
    bad(k, "snapshots-descending", state(snapshots=[s[1], s[0]]))
    bad(k, "snapshots-count-more", state(count=1))
    bad(k, "snapshots-count-largest", state(count=U64))
    bad(k, "forgotten-2", state(snapshots=[(3, 2, {})]))
    bad(k, "tags-descending", state(snapshots=[(3, 0, dict(tags=(b"b", b"a")))]))
    bad(k, "indexes-equal", state(indexes=[(3, a), (3, a)]))
    bad(k, "indexes-descending", state(indexes=[(4, a), (3, b)]))
    bad(k, "index-locations-descending", state(indexes=[(3, b), (3, a)]))
    bad(k, "index-no-pack", state(indexes=[(3, (ZERO, 1160, 100))]))
    bad(k, "index-offset", state(indexes=[(3, (low(1), 1000, 100))]))
    one = dict(names=[low(1)])
    bad(k, "intents-equal", state(intents=[(7, 0, one), (7, 0, one)]))
    bad(k, "intents-descending", state(intents=[(8, 0, one), (7, 0, one)]))
    bad(k, "intent-no-packs", state(intents=[(8, 0, dict(names=[]))]))
    bad(k, "accounts-equal", state(accounts=[(low(1), 1), (low(1), 2)]))
    bad(k, "accounts-descending", state(accounts=[(low(2), 1), (low(1), 2)]))
    bad(k, "devices-descending", state(devices=[(low(2), 1), (low(1), 2)]))

    k = "storemark"

    def mark(version="1", hexid=h("store").hex(), end="\n", id=h("store")):
        o = Obj().raw(None, f"broch store {version}\nid {hexid}{end}".encode())
        o.say("id", id)
        return o
    good(k, "one", mark())
    bad(k, "empty", b"")
    bad(k, "version-2", mark("2"), "E_UNSUPPORTED")
    bad(k, "version-10", mark("10"), "E_UNSUPPORTED")
    bad(k, "version-none", mark(""))
    bad(k, "version-0", mark("0"))
    bad(k, "upper-case", mark(hexid=h("store").hex().upper()))
    bad(k, "short-id", mark(hexid=h("store").hex()[:-1]))
    bad(k, "no-newline", mark(end=""))
    bad(k, "two-newlines", mark(end="\n\n"))
    bad(k, "carriage-return", mark(end="\r"))
    bad(k, "other-word", b"broch stork 1\nid " + h("store").hex().encode() + b"\n")
    bad(k, "other-key", b"broch store 1\nie " + h("store").hex().encode() + b"\n")
    bad(k, "digit-g", mark(hexid="g" + h("store").hex()[1:]))


def main():
    for make in (make_block, make_pack, make_stream, make_direntry, make_index, make_snapshot, make_entry, make_bodies, make_objects):
        make()
    kinds = {p.split("/")[0] for p in files if not p.startswith(CORPUS)}
    wrong = []
    for root in [os.path.join(HERE, k, d) for k in kinds for d in ("good", "bad")] + [os.path.join(CORPUS, k) for k in kinds]:
        os.makedirs(root, exist_ok=True)
        for n in os.listdir(root):
            path = os.path.join(root, n)
            path = path if root.startswith(CORPUS) else os.path.relpath(path, HERE)
            if path not in files:
                wrong.append(path)
    for path, data in files.items():
        full = os.path.join(HERE, path)
        there = open(full, "rb").read() if os.path.exists(full) else None
        if there == data:
            continue
        if "--check" in sys.argv:
            wrong.append(path)
        else:
            with open(full, "wb") as f:
                f.write(data)
    for path in wrong:
        print(f"{path}: not what make.py makes")
    n = sum(p.endswith(".bin") for p in files)
    print(f"{n} vectors, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
