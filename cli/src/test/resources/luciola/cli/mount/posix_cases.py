"""What system calls do to files, step by step: the same program on two file systems must print the same lines.

posix_cases.py DIRECTORY: an empty directory of the file system; as root. Prints "case step: outcome": an errno's name, or what is there afterwards.
Times are told by what changed, not by what they are.
"""

import ctypes
import errno
import os
import stat
import subprocess
import sys
import time
import traceback

LIBC = ctypes.CDLL(None, use_errno=True)
CASES = []
ANN, BOB, TEAM = 12001, 12002, 12050
NAME_MAX, PATH_MAX = 255, 4096
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2


def case(work):
    CASES.append(work)
    return work


def outcome(work):
    """What a call gives: its result, or the name of its errno."""
    try:
        result = work()
        return "ok" if result is None else str(result)
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno))


def call(name, *arguments):
    result = getattr(LIBC, name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return None if result == 0 else result


def say(step, result):
    print(f"{say.case} {step}: {result}", flush=True)


def t(step, work):
    say(step, outcome(work))


def as_user(uid, gid, groups, work):
    """Runs something in a process of another user."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            work()
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        say("child", "failed")


def ann(work, groups=()):
    as_user(ANN, ANN, list(groups), work)


def bob(work, groups=()):
    as_user(BOB, BOB, list(groups), work)


def put(path, content=b"x", mode=0o644, owner=None):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    if content:
        os.write(fd, content)
    os.close(fd)
    if owner is not None:
        os.chown(path, owner, owner)
    os.chmod(path, mode)


def put_dir(path, mode=0o755, owner=None):
    os.mkdir(path)
    if owner is not None:
        os.chown(path, owner, owner)
    os.chmod(path, mode)


def about(path, follow=False):
    """All of an inode that does not differ between file systems."""
    s = os.stat(path) if follow else os.lstat(path)
    size = "" if stat.S_ISDIR(s.st_mode) else f" size={s.st_size}"
    return f"{stat.filemode(s.st_mode)} {s.st_mode & 0o7777:04o} links={s.st_nlink} {s.st_uid}:{s.st_gid}{size}"


def tell(step, path, follow=False):
    t(step, lambda: about(path, follow))


def times(path):
    s = os.lstat(path)
    return s.st_mtime_ns, s.st_ctime_ns


def changes(step, paths, work):
    """Which times of which paths a call moves forward."""
    before = {path: times(path) for path in paths}
    time.sleep(0.012)
    result = outcome(work)
    told = []
    for path in paths:
        try:
            after = times(path)
        except OSError:
            told.append(f"{path} gone")
            continue
        told.append(f"{path}" + "".join(f" {n}" for n, a, b in zip("mc", before[path], after) if b > a)
                    + "".join(f" {n}<" for n, a, b in zip("mc", before[path], after) if b < a))
    say(step, f"{result} [{', '.join(told)}]")


def opened(path, flags, mode=0o644):
    os.close(os.open(path, flags, mode))


CALLS = {
    "chmod": lambda p: os.chmod(p, 0o640),
    "chown": lambda p: os.chown(p, os.getuid(), os.getgid()),
    "lchown": lambda p: os.lchown(p, os.getuid(), os.getgid()),
    "link to": lambda p: os.link("target", p),
    "link from": lambda p: os.link(p, "made-link", follow_symlinks=False),
    "mkdir": lambda p: os.mkdir(p),
    "mkfifo": lambda p: os.mkfifo(p),
    "mknod": lambda p: os.mknod(p, 0o600 | stat.S_IFREG),
    "open": lambda p: opened(p, os.O_RDONLY),
    "open rw": lambda p: opened(p, os.O_RDWR),
    "open creat": lambda p: opened(p, os.O_RDWR | os.O_CREAT),
    "open excl": lambda p: opened(p, os.O_RDWR | os.O_CREAT | os.O_EXCL),
    "open trunc": lambda p: opened(p, os.O_WRONLY | os.O_TRUNC),
    "open nofollow": lambda p: opened(p, os.O_RDONLY | os.O_NOFOLLOW),
    "open directory": lambda p: opened(p, os.O_RDONLY | os.O_DIRECTORY),
    "rename from": lambda p: os.rename(p, "made-name"),
    "rename to": lambda p: os.rename("source", p),
    "rename dir to": lambda p: os.rename("source-dir", p),
    "rmdir": lambda p: os.rmdir(p),
    "symlink": lambda p: os.symlink("target", p),
    "readlink": lambda p: os.readlink(p),
    "truncate": lambda p: os.truncate(p, 3),
    "unlink": lambda p: os.unlink(p),
    "utime": lambda p: os.utime(p, ns=(1_000_000_000_000, 2_000_000_000_001)),
    "utime now": lambda p: os.utime(p),
    "lutime": lambda p: os.utime(p, ns=(5, 6), follow_symlinks=False),
    "stat": lambda p: about(p, True),
    "lstat": lambda p: about(p, False),
    "access r": lambda p: os.access(p, os.R_OK),
    "access w": lambda p: os.access(p, os.W_OK),
    "access x": lambda p: os.access(p, os.X_OK),
    "listdir": lambda p: sorted(os.listdir(p)),
    "chdir": lambda p: inside(p),
    "statvfs": lambda p: os.statvfs(p).f_namemax,
}


def inside(path):
    here = os.getcwd()
    os.chdir(path)
    os.chdir(here)


def help_for(name, owner=None):
    """What a call needs beside the path that it is about."""
    if name == "link to":
        put("target", owner=owner)
    elif name == "rename to":
        put("source", owner=owner)
    elif name == "rename dir to":
        put_dir("source-dir", owner=owner)


def every_call(what, make, path, owner=None):
    """Every call on one kind of path, each in a directory of its own."""
    for name, work in CALLS.items():
        place = f"{what}-{name}".replace(" ", "_").replace("/", "_")
        os.mkdir(place)
        os.chdir(place)
        help_for(name)
        make()
        t(f"{what}: {name}", lambda: work(path))
        say(f"{what}: {name} left", " ".join(sorted(os.listdir("."))))
        os.chdir("..")


@case
def each_call_on_each_kind():
    kinds = {
        "file": lambda: put("p", b"12345"),
        "nothing": lambda: None,
        "directory": lambda: os.mkdir("p"),
        "full directory": lambda: (os.mkdir("p"), put("p/f")),
        "link to a file": lambda: (put("f", b"12345"), os.symlink("f", "p")),
        "link to a directory": lambda: (os.mkdir("d"), os.symlink("d", "p")),
        "link to nothing": lambda: os.symlink("none", "p"),
        "link to itself": lambda: os.symlink("p", "p"),
    }
    for kind, make in kinds.items():
        every_call(kind, make, "p")


@case
def each_call_on_bad_paths():
    every_call("below a file", lambda: put("f"), "f/p")
    every_call("below nothing", lambda: None, "none/p")
    every_call("below a loop", lambda: os.symlink("l", "l"), "l/p")
    every_call("longest name", lambda: None, "n" * NAME_MAX)
    every_call("too long a name", lambda: None, "n" * (NAME_MAX + 1))
    every_call("too long a name below", lambda: None, "n" * (NAME_MAX + 1) + "/p")
    every_call("too long a path", lambda: None, "./" * (PATH_MAX // 2) + "p")
    every_call("longest path", lambda: None, "./" * ((PATH_MAX - 2) // 2) + "p")
    every_call("no name", lambda: None, "")
    every_call("slash after a file", lambda: put("p"), "p/")
    every_call("slash after a directory", lambda: os.mkdir("p"), "p/")
    every_call("slash after nothing", lambda: None, "p/")
    every_call("dot", lambda: os.mkdir("p"), "p/.")
    every_call("dots", lambda: (os.mkdir("p"), os.mkdir("p/q")), "p/q/..")


@case
def each_call_by_others():
    """Ann in her directory, in one of root's, in one that she may not search; her files and Bob's."""
    places = {"hers": (0o755, ANN), "theirs": (0o755, 0), "closed": (0o666, ANN), "sticky": (0o1777, 0)}
    owners = {"own": ANN, "other": BOB}
    for place, (mode, owner) in places.items():
        for whose, uid in owners.items():
            for name, work in CALLS.items():
                where = f"{place}-{whose}-{name}".replace(" ", "_")
                put_dir(where)
                os.chown(where, ANN, ANN)
                put_dir(where + "/in")
                put(where + "/in/p", b"", 0o644, uid)
                os.chown(where + "/in", owner, owner)
                os.chmod(where + "/in", mode)
                here = os.getcwd()
                os.chdir(where)
                help_for(name, ANN)

                def run():
                    t(f"{place} {whose} {name}", lambda: work("in/p"))

                ann(run)
                os.chdir(here)


@case
def modes():
    put("f")
    put_dir("d")
    for mode in (0, 0o1, 0o12, 0o123, 0o644, 0o777, 0o1777, 0o2755, 0o4755, 0o7777):
        for name in ("f", "d"):
            os.chmod(name, mode)
            tell(f"{mode:o}", name)
    for bits in range(8):
        for shift, who in ((6, ANN), (3, BOB), (0, BOB)):
            put("m", b"x", 0o600)
            os.chown("m", ANN, BOB if shift == 3 else ANN)
            os.chmod("m", bits << shift)
            act = ann if who == ANN else bob
            act(lambda: say(f"{bits << shift:03o}", [os.access("m", m) for m in (os.R_OK, os.W_OK, os.X_OK)]
                            + [outcome(lambda: opened("m", f)) for f in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)]))
            os.unlink("m")


@case
def set_id_bits():
    put("f", b"x" * 10, 0o6777, ANN)
    put("g", b"x" * 10, 0o6777, ANN)
    put("h", b"x" * 10, 0o2767, ANN)

    def write(name):
        fd = os.open(name, os.O_WRONLY)
        os.write(fd, b"y")
        os.close(fd)

    bob(lambda: t("write", lambda: write("f")))
    tell("after a write", "f")
    bob(lambda: t("truncate", lambda: os.truncate("g", 5)))
    tell("after a truncate", "g")
    os.chmod("g", 0o6777)
    bob(lambda: t("open trunc", lambda: opened("g", os.O_WRONLY | os.O_TRUNC)))
    tell("after an open trunc", "g")
    bob(lambda: t("write h", lambda: write("h")))
    tell("after a write without group execute", "h")
    os.chmod("f", 0o6777)
    write("f")
    tell("after a write of root", "f")
    os.chmod("f", 0o6777)
    os.chown("f", BOB, BOB)
    tell("after a chown of root", "f")
    os.chown("f", BOB, TEAM)
    os.chmod("f", 0o6777)
    bob(lambda: t("chgrp", lambda: os.chown("f", -1, BOB)))
    tell("after a chgrp of its owner", "f")
    os.chown("f", BOB, TEAM)
    bob(lambda: t("chmod", lambda: os.chmod("f", 0o2755)))
    tell("set group by who is not in it", "f")
    bob(lambda: t("chmod", lambda: os.chmod("f", 0o2755)), [TEAM])
    tell("set group by who is in it", "f")
    bob(lambda: t("chmod", lambda: os.chmod("f", 0o1755)))
    tell("sticky file", "f")
    put_dir("d", 0o6777)
    os.chown("d", ANN, ANN)
    tell("chown of a directory", "d")
    put("k", b"x" * 10, 0o6755, BOB)
    bob(lambda: t("own write", lambda: write("k")))
    tell("after a write of its owner", "k")
    os.chmod("k", 0o4755)

    def while_open():
        fd = os.open("k", os.O_WRONLY)
        os.write(fd, b"1")
        os.chmod("k", 0o4755)
        os.write(fd, b"2")
        tell("set while open", "k")
        os.chmod("k", 0o4755)
        os.ftruncate(fd, 1)
        tell("cut while open", "k")
        os.chmod("k", 0o4755)
        os.posix_fallocate(fd, 0, 100)
        tell("allocated while open", "k")
        os.close(fd)

    bob(while_open)


@case
def owners():
    put("f", owner=ANN)
    os.chown("f", 5, 6)
    tell("root", "f")
    os.chown("f", -1, 7)
    os.chown("f", 8, -1)
    tell("one by one", "f")
    os.symlink("f", "l")
    os.lchown("l", ANN, BOB)
    tell("link", "l")
    tell("its file", "f")
    os.chown("l", 9, 10)
    tell("through the link", "f")
    os.chown("f", ANN, ANN)
    ann(lambda: t("give away", lambda: os.chown("f", BOB, -1)))
    ann(lambda: t("to a foreign group", lambda: os.chown("f", -1, TEAM)))
    ann(lambda: t("to an own group", lambda: os.chown("f", ANN, TEAM)), [TEAM])
    tell("then", "f")
    bob(lambda: t("of another", lambda: os.chown("f", -1, BOB)))
    bob(lambda: t("nothing of another", lambda: os.chown("f", -1, -1)))
    ann(lambda: t("to itself", lambda: os.chown("f", ANN, TEAM)))


@case
def inherited_groups():
    put_dir("d", 0o2777)
    os.chown("d", 0, TEAM)
    os.chmod("d", 0o2777)
    put_dir("plain", 0o777)

    def make():
        os.umask(0)
        for where in ("d", "plain"):
            opened(where + "/f", os.O_CREAT | os.O_WRONLY, 0o666)
            opened(where + "/g", os.O_CREAT | os.O_WRONLY, 0o2775)
            opened(where + "/u", os.O_CREAT | os.O_WRONLY, 0o6711)
            os.mkdir(where + "/s", 0o755)
            os.mkdir(where + "/t", 0o2700)
            os.mkfifo(where + "/p", 0o2671)
            os.symlink("f", where + "/l")
            for name in "fgustpl":
                tell(where + "/" + name, where + "/" + name)

    ann(make)

    def masked():
        os.umask(0o027)
        opened("d/masked", os.O_CREAT | os.O_WRONLY, 0o666)
        os.mkdir("d/masked-dir", 0o777)
        os.mkfifo("d/masked-fifo", 0o666)
        for name in ("masked", "masked-dir", "masked-fifo"):
            tell(name, "d/" + name)

    ann(masked)


@case
def sticky_directories():
    for mode in (0o777, 0o1777):
        for owner in (0, ANN, BOB):
            for verb in ("unlink", "rename", "rename over", "rmdir", "rename dir"):
                name = f"d{mode:o}-{owner}-{verb}".replace(" ", "_")
                put_dir(name)
                put(name + "/bobs", owner=BOB)
                put(name + "/anns", owner=ANN)
                put_dir(name + "/dir", owner=BOB)
                os.chown(name, owner, owner)
                os.chmod(name, mode)
                work = {
                    "unlink": lambda: os.unlink(name + "/bobs"),
                    "rename": lambda: os.rename(name + "/bobs", name + "/new"),
                    "rename over": lambda: os.rename(name + "/anns", name + "/bobs"),
                    "rmdir": lambda: os.rmdir(name + "/dir"),
                    "rename dir": lambda: os.rename(name + "/dir", name + "/new"),
                }[verb]
                ann(lambda: t(name, work))
                say(name, sorted(os.listdir(name)))


@case
def links():
    put("f")
    os.mkdir("d")
    changes("link", ["f", "d", "."], lambda: os.link("f", "d/g"))
    tell("both", "f")
    tell("both", "d/g")
    say("one inode", os.stat("f").st_ino == os.stat("d/g").st_ino)
    changes("chmod", ["f", "d/g"], lambda: os.chmod("f", 0o600))
    changes("unlink", ["f", "d", "."], lambda: os.unlink("d/g"))
    tell("one", "f")
    t("of a directory", lambda: os.link("d", "e"))
    os.symlink("f", "l")
    t("of a link", lambda: os.link("l", "m", follow_symlinks=False))
    tell("is", "m")
    t("through a link", lambda: os.link("l", "n", follow_symlinks=True))
    tell("is", "n")
    t("over a name", lambda: os.link("f", "l"))
    os.mkfifo("p")
    t("of a fifo", lambda: os.link("p", "q"))
    tell("is", "q")
    os.rename("p", "q")
    tell("rename to itself leaves both", "p")


@case
def directories():
    put_dir("a")
    changes("mkdir", ["a", "."], lambda: os.mkdir("a/b"))
    tell("parent", "a")
    os.mkdir("a/c")
    tell("two", "a")
    changes("rmdir", ["a", "."], lambda: os.rmdir("a/b"))
    tell("one", "a")
    changes("file", ["a", "."], lambda: put("a/f"))
    changes("write", ["a", "a/f"], lambda: put("a/f", b"more"))
    os.mkdir("z")
    os.mkdir("a/c/deep")
    changes("move", ["a", "z", "a/c"], lambda: os.rename("a/c", "z/c"))
    tell("from", "a")
    tell("to", "z")
    say("dots", os.stat("z/c/..").st_ino == os.stat("z").st_ino)
    t("into itself", lambda: os.rename("z", "z/c/deep/z"))
    t("into its parent's place", lambda: os.rename("z/c/deep", "z"))
    t("over itself", lambda: os.rename("z", "z"))
    t("rmdir of dot", lambda: os.rmdir("z/."))
    t("rmdir of dots", lambda: os.rmdir("z/c/.."))
    t("rename of dot", lambda: os.rename("z/.", "y"))
    t("rename to dots", lambda: os.rename("a", "z/c/.."))
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    t("make in what is gone", lambda: put("f"))
    t("mkdir in what is gone", lambda: os.mkdir("f"))
    t("cwd", lambda: os.getcwd())


@case
def renames():
    kinds = {
        "file": lambda p: put(p),
        "directory": lambda p: os.mkdir(p),
        "full": lambda p: (os.mkdir(p), put(p + "/x")),
        "link": lambda p: os.symlink("none", p),
        "fifo": lambda p: os.mkfifo(p),
        "nothing": lambda p: None,
    }
    for a, make in kinds.items():
        for b, other in kinds.items():
            for flags, verb in ((0, "rename"), (1, "noreplace"), (2, "exchange"), (3, "both"), (8, "unknown")):
                place = f"{a}-{b}-{verb}"
                os.mkdir(place)
                os.chdir(place)
                make("a")
                other("b")
                t(f"{verb} {a} {b}", lambda: call("renameat2", -100, b"a", -100, b"b", flags))
                for name in sorted(os.listdir(".")):
                    tell(f"{verb} {a} {b} {name}", name)
                os.chdir("..")
    put("f")
    os.mkdir("d")
    changes("times", ["f", ".", "d"], lambda: os.rename("f", "d/f"))
    changes("times of who is replaced", ["d/f"], lambda: (put("g"), os.link("d/f", "h"), os.rename("g", "d/f")))
    tell("other name", "h")
    put_dir("anns", 0o755, ANN)
    put_dir("anns/own", 0o755, ANN)
    put_dir("anns/roots")
    put_dir("anns/other", 0o755, ANN)
    ann(lambda: t("a directory that may not be written, elsewhere", lambda: os.rename("anns/roots", "anns/other/r")))
    ann(lambda: t("the same in place", lambda: os.rename("anns/roots", "anns/r")))
    ann(lambda: t("an own one", lambda: os.rename("anns/own", "anns/other/o")))


@case
def special_files():
    for name, mode, device in (("c", stat.S_IFCHR, os.makedev(1, 3)), ("b", stat.S_IFBLK, os.makedev(7, 99)), ("s", stat.S_IFSOCK, 0), ("p", stat.S_IFIFO, 0)):
        t(name, lambda: os.mknod(name, mode | 0o640, device))
        tell(name, name)
        say("device", os.lstat(name).st_rdev)
        t("again", lambda: os.mknod(name, mode | 0o640, device))
    put_dir("d", 0o777)
    for name, mode in (("c", stat.S_IFCHR), ("b", stat.S_IFBLK), ("s", stat.S_IFSOCK), ("p", stat.S_IFIFO)):
        ann(lambda: t(f"ann {name}", lambda: os.mknod("d/" + name, mode | 0o600, os.makedev(1, 3))))
    t("a directory", lambda: os.mknod("x", stat.S_IFDIR | 0o700))
    t("a link", lambda: os.mknod("x", stat.S_IFLNK | 0o700))
    t("fifo without reader", lambda: opened("p", os.O_WRONLY | os.O_NONBLOCK))
    t("fifo", lambda: opened("p", os.O_RDONLY | os.O_NONBLOCK))
    t("socket", lambda: opened("s", os.O_RDONLY))
    t("truncate fifo", lambda: os.truncate("p", 0))
    changes("times", ["."], lambda: os.mkfifo("q"))


@case
def opens():
    put("f", b"12345")
    os.mkdir("d")
    changes("trunc", ["f", "."], lambda: opened("f", os.O_WRONLY | os.O_TRUNC))
    tell("empty", "f")
    changes("trunc of what is empty", ["f"], lambda: opened("f", os.O_WRONLY | os.O_TRUNC))
    changes("creat of what is there", ["f", "."], lambda: opened("f", os.O_WRONLY | os.O_CREAT))
    changes("creat", ["."], lambda: opened("g", os.O_WRONLY | os.O_CREAT, 0o6751))
    tell("mode", "g")
    t("write-only creation of a read-only file", lambda: opened("r", os.O_RDWR | os.O_CREAT, 0o444))
    tell("is", "r")

    def readonly():
        fd = os.open("d/r", os.O_RDWR | os.O_CREAT, 0)
        say("own creation", [outcome(lambda: os.write(fd, b"abc")), outcome(lambda: os.pread(fd, 9, 0))])
        os.close(fd)
        t("open again", lambda: opened("d/r", os.O_RDONLY))

    os.chown("d", ANN, ANN)
    ann(readonly)
    fd = os.open("f", os.O_RDONLY)
    t("write to what is read", lambda: os.write(fd, b"x"))
    t("ftruncate of what is read", lambda: os.ftruncate(fd, 3))
    t("fallocate of what is read", lambda: os.posix_fallocate(fd, 0, 3))
    t("fchmod of what is read", lambda: os.fchmod(fd, 0o604))
    t("negative offset", lambda: os.pread(fd, 1, -1))
    os.close(fd)
    fd = os.open("f", os.O_WRONLY)
    t("read what is written", lambda: os.read(fd, 1))
    os.close(fd)
    fd = os.open("d", os.O_RDONLY)
    t("read a directory", lambda: os.read(fd, 10))
    t("fsync a directory", lambda: os.fsync(fd))
    t("fchmod a directory", lambda: os.fchmod(fd, 0o700))
    t("ftruncate a directory", lambda: os.ftruncate(fd, 0))
    t("in a directory", lambda: os.close(os.open("inside", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=fd)))
    os.close(fd)
    t("path only", lambda: opened("f", os.O_PATH))
    t("append", lambda: os.close(os.open("f", os.O_WRONLY | os.O_APPEND)))


@case
def running_programs():
    with open("/bin/sleep", "rb") as source:
        put("sleep", source.read(), 0o755)
    running = subprocess.Popen(["./sleep", "60"])
    deadline = time.time() + 30
    while os.path.basename(os.readlink(f"/proc/{running.pid}/exe")) != "sleep" and time.time() < deadline:
        time.sleep(0.01)
    t("write", lambda: opened("sleep", os.O_WRONLY))
    t("trunc", lambda: opened("sleep", os.O_WRONLY | os.O_TRUNC))
    t("truncate", lambda: os.truncate("sleep", 5))
    t("read", lambda: opened("sleep", os.O_RDONLY))
    t("unlink", lambda: os.unlink("sleep"))
    running.kill()
    running.wait()
    with open("/bin/true", "rb") as source:
        put("true", source.read(), 0o755)
    fd = os.open("true", os.O_WRONLY)
    t("run what is written", lambda: subprocess.call(["./true"]))
    os.close(fd)
    t("run", lambda: subprocess.call(["./true"]))
    os.chmod("true", 0o644)
    t("run what may not be", lambda: subprocess.call(["./true"]))
    put("script", b"#!/bin/sh\nexit 7\n", 0o755)
    t("script", lambda: subprocess.call(["./script"]))


@case
def lengths():
    put("f", b"0123456789")
    changes("shorter", ["f"], lambda: os.truncate("f", 5))
    changes("longer", ["f"], lambda: os.truncate("f", 20))
    with open("f", "rb") as f:
        say("content", f.read())
    t("negative", lambda: os.truncate("f", -1))
    fd = os.open("f", os.O_RDWR)
    changes("ftruncate", ["f"], lambda: os.ftruncate(fd, 7))
    changes("ftruncate to the same", ["f"], lambda: os.ftruncate(fd, 7))
    t("ftruncate negative", lambda: os.ftruncate(fd, -1))
    changes("allocate", ["f"], lambda: os.posix_fallocate(fd, 5, 100))
    tell("longer", "f")
    t("allocate nothing", lambda: os.posix_fallocate(fd, 0, 0))
    t("allocate before", lambda: os.posix_fallocate(fd, -1, 5))
    t("allocate too far", lambda: os.posix_fallocate(fd, 1 << 62, 1 << 62))
    t("keep size", lambda: call("fallocate", fd, 1, ctypes.c_long(0), ctypes.c_long(5000)))
    tell("kept", "f")
    t("punch without keeping the size", lambda: call("fallocate", fd, 2, ctypes.c_long(0), ctypes.c_long(10)))
    t("punch", lambda: call("fallocate", fd, 3, ctypes.c_long(1), ctypes.c_long(3)))
    say("content", os.pread(fd, 12, 0))
    t("punch past the end", lambda: call("fallocate", fd, 3, ctypes.c_long(100), ctypes.c_long(1000)))
    tell("kept", "f")
    os.lseek(fd, 0, os.SEEK_SET)
    changes("write", ["f", "."], lambda: os.write(fd, b"AB"))
    changes("write nothing", ["f"], lambda: os.write(fd, b""))
    changes("write past the end", ["f"], lambda: os.pwrite(fd, b"Z", 300))
    tell("longer", "f")
    say("hole", os.pread(fd, 300, 100).count(0))
    say("past the end", os.pread(fd, 10, 301))
    t("seek data at the end", lambda: os.lseek(fd, 301, os.SEEK_DATA))
    t("seek hole at the end", lambda: os.lseek(fd, 301, os.SEEK_HOLE))
    t("seek data", lambda: os.lseek(fd, 0, os.SEEK_DATA))
    t("seek hole", lambda: os.lseek(fd, 0, os.SEEK_HOLE))
    t("seek past the end", lambda: os.lseek(fd, 10_000, os.SEEK_DATA))
    t("seek before", lambda: os.lseek(fd, -1, os.SEEK_SET))
    put("copy")
    to = os.open("copy", os.O_RDWR)
    t("copy range", lambda: os.copy_file_range(fd, to, 100, 0, 10))
    t("copy range past the end", lambda: os.copy_file_range(fd, to, 100, 1000, 10))
    t("copy range within", lambda: os.copy_file_range(fd, fd, 50, 0, 400))
    t("copy range over itself", lambda: os.copy_file_range(fd, fd, 50, 0, 10))
    tell("copy", "copy")
    say("copied", os.pread(to, 200, 0).hex())
    os.close(to)
    os.close(fd)
    put("a", b"a" * 100)
    fd = os.open("a", os.O_RDWR)
    os.unlink("a")
    say("unlinked", [os.fstat(fd).st_nlink, os.fstat(fd).st_size])
    changes("cut what is unlinked", ["."], lambda: os.ftruncate(fd, 50))
    say("unlinked", [os.fstat(fd).st_size, os.pread(fd, 3, 40)])
    t("chmod of what is unlinked", lambda: os.fchmod(fd, 0o600))
    t("chown of what is unlinked", lambda: os.fchown(fd, ANN, ANN))
    t("times of what is unlinked", lambda: os.utime(fd, ns=(1, 2)))
    s = os.fstat(fd)
    say("unlinked", [oct(s.st_mode), s.st_uid, s.st_mtime_ns])
    t("link of what is unlinked", lambda: os.link(f"/proc/self/fd/{fd}", "again", follow_symlinks=True))
    os.close(fd)


@case
def file_times():
    put("f")
    os.symlink("f", "l")
    os.mkdir("d")

    def ns(step, path):
        s = os.lstat(path)
        say(step, [s.st_atime_ns, s.st_mtime_ns])

    for seconds, nanos in ((0, 0), (1, 999_999_999), (-1, 5), (-1_000_000_000, 1), (1 << 31, 7), (4_000_000_000, 123_456_789)):
        at = seconds * 1_000_000_000 + nanos
        for name in ("f", "d", "l"):
            changes(f"{seconds}", [], lambda: os.utime(name, ns=(at, at + 1), follow_symlinks=False))
            ns(name, name)
    os.utime("l", ns=(77, 88))
    ns("through the link", "f")
    changes("change time", ["f"], lambda: os.utime("f", ns=(5, 6)))
    buffer = (ctypes.c_long * 4)(0, UTIME_OMIT, 9, 10)
    t("omit access", lambda: call("utimensat", -100, b"f", buffer, 0))
    ns("then", "f")
    buffer = (ctypes.c_long * 4)(11, 12, 0, UTIME_OMIT)
    t("omit modification", lambda: call("utimensat", -100, b"f", buffer, 0))
    ns("then", "f")
    buffer = (ctypes.c_long * 4)(0, UTIME_OMIT, 0, UTIME_OMIT)
    changes("omit both", ["f"], lambda: call("utimensat", -100, b"f", buffer, 0))
    buffer = (ctypes.c_long * 4)(0, UTIME_NOW, 0, UTIME_OMIT)
    t("access now", lambda: call("utimensat", -100, b"f", buffer, 0))
    say("is now", abs(os.stat("f").st_atime - time.time()) < 60)
    t("modification stays", lambda: os.stat("f").st_mtime_ns)
    buffer = (ctypes.c_long * 4)(0, 1_000_000_000, 0, 0)
    t("too many nanoseconds", lambda: call("utimensat", -100, b"f", buffer, 0))
    put("w", mode=0o666)
    put("r", mode=0o644)
    for name in ("w", "r"):
        ann(lambda: t(f"now by who may write {name}", lambda: os.utime(name)))
        ann(lambda: t(f"set by who may write {name}", lambda: os.utime(name, ns=(1, 2))))
    os.chown("r", ANN, ANN)
    os.chmod("r", 0o400)
    ann(lambda: t("now by its owner", lambda: os.utime("r")))
    ann(lambda: t("set by its owner", lambda: os.utime("r", ns=(1, 2))))
    fd = os.open("f", os.O_RDWR)
    os.write(fd, b"abc")
    os.utime(fd, ns=(100, 200))
    os.close(fd)
    ns("set while written", "f")
    changes("chmod", ["f", "."], lambda: os.chmod("f", 0o611))
    changes("the same mode", ["f"], lambda: os.chmod("f", 0o611))
    changes("chown", ["f"], lambda: os.chown("f", 3, 4))
    changes("chmod that fails", ["f"], lambda: os.chmod("f/x", 0o611))
    changes("symlink", ["."], lambda: os.symlink("x", "m"))
    changes("failed mkdir", ["."], lambda: os.mkdir("m"))
    changes("failed unlink", [".", "d"], lambda: os.unlink("d"))
    changes("rename", ["f", "l", "."], lambda: os.rename("f", "g"))


@case
def symbolic_links():
    for length in (1, 255, 4000, 4095):
        t(f"{length}", lambda: os.symlink("t" * length, f"l{length}"))
        t("read", lambda: len(os.readlink(f"l{length}")))
        tell("is", f"l{length}")
    t("empty", lambda: os.symlink("", "e"))
    t("too long", lambda: os.symlink("t" * 4096, "e"))
    put("f", b"12")
    os.symlink("f", "c0")
    for i in range(41):
        os.symlink(f"c{i}", f"c{i + 1}")
    for i in (38, 39, 40, 41):
        tell(f"chain of {i}", f"c{i}", True)
    os.symlink("a/../f", "dots")
    tell("dots through nothing", "dots", True)
    os.mkdir("a")
    tell("dots", "dots", True)
    os.symlink("b", "a/up")
    os.symlink("../f", "a/b")
    tell("relative", "a/up", True)
    t("created through", lambda: (os.symlink("new", "to-new"), put("to-new"))[0])
    tell("made", "new")
    t("excl through", lambda: (os.symlink("new2", "to-new2"), opened("to-new2", os.O_CREAT | os.O_EXCL | os.O_WRONLY))[0])
    os.unlink("dots")
    say("left", sorted(os.listdir(".")))


@case
def listings():
    os.mkdir("d")
    for i in range(300):
        put(f"d/{i}", b"")
    with os.scandir("d") as entries:
        kinds = sorted((e.name, e.is_file(), e.inode() == os.stat("d/" + e.name).st_ino) for e in entries)
    say("all", [len(kinds), kinds[:3]])
    fd = os.open("d", os.O_RDONLY)
    first = sorted(os.listdir(fd))
    for i in range(0, 300, 2):
        os.unlink(f"d/{i}")
    say("after", [len(first), len(os.listdir("d"))])
    os.close(fd)
    with os.scandir("d") as entries:
        for e in entries:
            os.unlink(e.path)
    say("removed while listed", os.listdir("d"))
    t("rmdir", lambda: os.rmdir("d"))


def main():
    os.chdir(sys.argv[1])
    os.chmod(".", 0o755)
    os.umask(0o022)
    wanted = sys.argv[2:]
    top = os.getcwd()
    for work in CASES:
        if wanted and work.__name__ not in wanted:
            continue
        say.case = work.__name__
        os.mkdir(work.__name__)
        os.chdir(work.__name__)
        try:
            work()
        except Exception as e:
            traceback.print_exc()
            say("broke off", repr(e))
        os.chdir(top)


main()
