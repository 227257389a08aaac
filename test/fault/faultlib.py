"""What killsweep and errorsweep share: a vault in each state that a command starts from, and what must be true afterwards.

Each case gets its own copy of the store (packs and entries are never changed in place, so files are linked) and of the
device's state, runs one command of the unmodified program with inject.so preloaded, and is then judged with the plain program.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BROCH_BUILD_ROOT", "build")
BROCH = os.path.join(BUILD, "broch")
INJECT = os.path.join(BUILD, "test", "fault", "inject.so")

PACK = 16 * 1024 * 1024


class Failed(Exception):
    pass


def run(box, *args, fault=None, ok=True):
    """The program's exit code, standard output, standard error."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BROCH_")}
    env.update(BROCH_HOME=os.path.join(box, "home"), BROCH_AT=os.path.join(box, "store"))
    if fault is not None:
        env.update(fault, LD_PRELOAD=INJECT)
    done = subprocess.run([BROCH, *args], env=env, cwd=box, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if ok and done.returncode != 0:
        raise Failed("broch %s: exit %d: %s" % (" ".join(args), done.returncode, err.strip()[-400:]))
    return done.returncode, out, err


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def snapshots(box):
    _, out, _ = run(box, "snapshots", "--json")
    return [r["snapshot"] for r in map(json.loads, out.splitlines()) if r["type"] == "snapshot"]


def pack_bytes(box, store="store"):
    total = 0
    for folder, _, names in os.walk(os.path.join(box, store, "packs")):
        total += sum(os.path.getsize(os.path.join(folder, n)) for n in names)
    return total


def write(path, seed, size):
    with open(path, "wb") as f:
        f.write(random.Random(seed).randbytes(size))


class Bases:
    """Prepared boxes: a folder with store and home; the sources are shared by all."""

    def __init__(self):
        top = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.dir = tempfile.mkdtemp(prefix="broch-fault-", dir=top)
        self.src = os.path.join(self.dir, "src")
        self.kit = {}
        self.number = 0
        self.make()

    def done(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def first_sources(self):
        os.mkdir(self.src)
        for i in range(60):
            os.makedirs(os.path.join(self.src, "d%d" % (i % 7)), exist_ok=True)
            write(os.path.join(self.src, "d%d" % (i % 7), "small%d" % i), i, 700 * i % 9000)
        write(os.path.join(self.src, "old"), 1000, 20_000_000)
        write(os.path.join(self.src, "both"), 1001, 19_000_000)
        os.symlink("both", os.path.join(self.src, "link"))

    def second_sources(self):
        os.remove(os.path.join(self.src, "old"))
        write(os.path.join(self.src, "new"), 1002, 40_000_000)
        for i in range(10):
            write(os.path.join(self.src, "d1", "more%d" % i), 2000 + i, 3000 + i)

    def start(self, name, hold):
        box = self.path(name)
        os.mkdir(box)
        run(box, "init", "--at", os.path.join(box, "store"), "--no-passphrase", "--kit-out", "kit", "--hold", hold)
        return box

    def grow(self, old, new):
        self.copy_box(self.path(old), self.path(new))
        return self.path(new)

    @staticmethod
    def copy_box(old, new):
        subprocess.run(["cp", "-a", "--link", old, new], check=True)
        # state files are replaced or appended to: copies of their own
        shutil.rmtree(os.path.join(new, "home"))
        subprocess.run(["cp", "-a", os.path.join(old, "home"), os.path.join(new, "home")], check=True)

    def make(self):
        self.first_sources()
        for name, hold in (("h0", "0"), ("h2", "2s")):
            run(self.start(name, hold), "backup", self.src)
        self.second_sources()
        for name in ("h0", "h2"):
            first = snapshots(self.path(name))
            box = self.grow(name, name + "-two")
            run(box, "backup", self.src)
            box = self.grow(name + "-two", name + "-forgot")
            run(box, "forget", first[0])
        box = self.grow("h2-forgot", "h2-intent")
        run(box, "prune")
        self.held_until = time.time() + 2.2

    def box(self, base):
        self.number += 1
        if base == "h2-intent" and time.time() < self.held_until:
            time.sleep(self.held_until - time.time())
        box = self.path("case%d" % self.number)
        self.copy_box(self.path(base), box)
        return box


class Flow:
    """A command, and what is to be seen when it was cut short or failed."""

    def __init__(self, name, base, args):
        self.name, self.base, self.args = name, base, args
        self.deleted = 0  # packs, for prunes
        self.worst = 0.0  # share sent again, for backups
        self.measured = 0

    def command(self, bases):
        return [a.replace("SRC", bases.src) for a in self.args]

    def after(self, bases, box, acked):
        """Judges a box: nothing lost, clean, and the command works when it is simply run again."""
        check(box)
        missing = set(acked) - set(snapshots(box))
        if missing and self.name != "forget":
            raise Failed("lost snapshots %s" % missing)
        self.again(bases, box)
        check(box)
        if set(acked[-1:]) - set(snapshots(box)):
            raise Failed("lost the newest snapshot")

    def again(self, bases, box):
        run(box, *self.command(bases))


class Backup(Flow):
    clean = None  # pack bytes that an undisturbed run adds

    def again(self, bases, box):
        stored = pack_bytes(box) - pack_bytes(bases.path(self.base))
        acked = snapshots(box)
        if self.clean is None:
            other = bases.box(self.base)
            run(other, *self.command(bases))
            Backup.clean = pack_bytes(other) - pack_bytes(bases.path(self.base))
            shutil.rmtree(other)
        run(box, *self.command(bases))
        if set(acked) - set(snapshots(box)):
            raise Failed("the next backup lost a snapshot")
        wasted = pack_bytes(box) - pack_bytes(bases.path(self.base)) - self.clean
        if stored >= PACK:
            self.measured += 1
            # an index and a folder more are no resending of data: 64 KiB each
            share = max(0, wasted - 3 * 65536) / stored
            self.worst = max(self.worst, share)
            if share >= 0.05:
                raise Failed("%.1f %% of %d bytes were sent again" % (share * 100, stored))


class Prune(Flow):
    def again(self, bases, box):
        _, out, _ = run(box, "prune", "--json")
        if last_json(out)["waiting"]:
            time.sleep(2.1)
            run(box, "prune")
        gone = packs(bases.path(self.base)) - packs(box)
        if not gone:
            raise Failed("the prunes deleted nothing")
        self.deleted += len(gone)


class Copy(Flow):
    def again(self, bases, box):
        run(box, *self.command(bases))
        check(box, "mirror", "--read-data")


class Kit(Flow):
    """The next writer finishes what was begun; then one of the kits opens the account, and the command run again ends it."""

    def again(self, bases, box):
        run(box, "backup", bases.src)
        if not any(self.opens(box, k) for k in ("kit", "kit2")):
            raise Failed("no kit opens the account")
        run(box, *self.command(bases), ok=False)  # with a kit that counts no more it is refused
        if not self.opens(box, "kit2") or self.opens(box, "kit"):
            raise Failed("the new kit does not open the account, or the old one still does")

    @staticmethod
    def opens(box, kit):
        return run(box, "kit", "verify", "--kit-file", kit, ok=False)[0] == 0


class Restore(Flow):
    def again(self, bases, box):
        target = os.path.join(box, "out", bases.src.lstrip("/"))
        # what is there under its own name is whole; or small, and its time says that it isn't (doc/decisions/restore-new-files.md)
        for folder, _, names in os.walk(target):
            for name in names:
                path = os.path.join(folder, name)
                twin = os.path.join(bases.src, os.path.relpath(path, target))
                if not os.path.lexists(twin) or os.path.islink(path) or same(path, twin):
                    continue
                if os.path.getsize(twin) > 2_097_152 or os.stat(path).st_mtime_ns == os.stat(twin).st_mtime_ns:
                    raise Failed("half a file stands at its place: %s" % path)
        run(box, *self.command(bases))
        if subprocess.run(["diff", "-r", "--no-dereference", bases.src, target]).returncode:
            raise Failed("the restore differs")


def same(a, b):
    with open(a, "rb") as x, open(b, "rb") as y:
        return x.read() == y.read()


def packs(box):
    return {n for _, _, names in os.walk(os.path.join(box, "store", "packs")) for n in names}


def check(box, store="store", *more):
    code, out, err = run(box, "check", "--at", os.path.join(box, store), *more, ok=False)
    if code != 0:
        raise Failed("check: exit %d: %s %s" % (code, out.strip()[-300:], err.strip()[-300:]))


def flows():
    return [
        Backup("backup", "h0", ["backup", "SRC"]),
        Flow("forget", "h0-two", ["forget", "--keep-last", "1"]),
        Prune("prune, hold 0", "h0-forgot", ["prune"]),
        Prune("prune that announces, hold 2 s", "h2-forgot", ["prune"]),
        Prune("prune that deletes, hold 2 s", "h2-intent", ["prune"]),
        Copy("copy", "h0-two", ["copy", "--to", "mirror"]),
        Kit("kit replace", "h0-two", ["kit", "replace", "--kit-file", "kit", "--kit-out", "kit2"]),
        Restore("restore", "h0-two", ["restore", "latest", "--to", "out"]),
    ]


def count_calls(bases, flow, kind):
    box = bases.box(flow.base)
    log = os.path.join(box, "log")
    run(box, *flow.command(bases), fault={"FAULT_LOG": log, "FAULT_CALLS": kind})
    with open(log) as f:
        calls = int(f.read().split()[-1])
    shutil.rmtree(box)
    return calls


def sample(rng, calls, wanted):
    """Numbers of calls, spread evenly; all of them, and again, where more are wanted than there are."""
    picked = []
    while len(picked) < wanted:
        rest = min(calls, wanted - len(picked))
        picked += [1 + int((i + rng.random()) * calls / rest) for i in range(rest)]
    return picked


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def judge(self, label, work):
        try:
            work()
            self.passed += 1
        except (Failed, subprocess.TimeoutExpired) as e:
            self.failed += 1
            print("FAIL  %s: %s" % (label, e), flush=True)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)
