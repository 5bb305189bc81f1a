#!/usr/bin/env python3
"""Compares two directory trees in every field that an image can set.

    compare-trees.py [--ignore GLOB:FIELD[,FIELD…]]… A B

Each difference is one line, `path: field a != b`; the exit status is 1 if there was any. Links are never followed,
names are bytes. Fields: presence, type, mode, uid, gid, size, mtime (ns), device, target, links (the other names of
the inode), nlink, xattr.NAME, content. Of directories, size and nlink are the file system's business and not compared.
FIELD `*` ignores all of them. Deliberately shares nothing with the program under test.
"""
import argparse
import fnmatch
import os
import stat
import sys

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def main():
    sys.stdout.reconfigure(errors="backslashreplace")
    arguments = parse_arguments()
    a, b = Tree(arguments.a), Tree(arguments.b)
    ignored = [parse_ignore(text) for text in arguments.ignore]
    found = False
    for path in sorted(a.entries.keys() | b.entries.keys()):
        for field, left, right in differences(a, b, path):
            if not is_ignored(ignored, path, field):
                found = True
                print(f"{show(path)}: {field} {show(left)} != {show(right)}")
    sys.exit(1 if found else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ignore", action="append", default=[], metavar="GLOB:FIELD,…")
    parser.add_argument("a", type=os.fsencode)
    parser.add_argument("b", type=os.fsencode)
    return parser.parse_args()


def parse_ignore(text):
    glob, fields = os.fsencode(text).rsplit(b":", 1)
    return glob, fields.decode().split(",")


def is_ignored(ignored, path, field):
    return any(
        fnmatch.fnmatchcase(path, glob) and ("*" in fields or field in fields) for glob, fields in ignored
    )


class Tree:
    def __init__(self, root):
        self.root = root
        self.entries = dict(walk(root, b"."))
        self.names = {}
        for path, status in self.entries.items():
            if not stat.S_ISDIR(status.st_mode):
                self.names.setdefault((status.st_dev, status.st_ino), []).append(path)

    def absolute(self, path):
        return os.path.join(self.root, path)


def walk(root, path):
    status = os.lstat(os.path.join(root, path))
    yield path, status
    if stat.S_ISDIR(status.st_mode):
        for name in os.listdir(os.path.join(root, path)):
            yield from walk(root, name if path == b"." else os.path.join(path, name))


def differences(a, b, path):
    left, right = a.entries.get(path), b.entries.get(path)
    if left is None or right is None:
        yield "presence", *("absent" if status is None else kind(status) for status in (left, right))
        return
    of_a, of_b = facts(a, path, left), facts(b, path, right)
    for field in sorted(of_a.keys() | of_b.keys()):
        if of_a.get(field) != of_b.get(field):
            yield field, of_a.get(field), of_b.get(field)
    if kind(left) == kind(right) == "file":
        yield from content_difference(a.absolute(path), b.absolute(path))


def facts(tree, path, status):
    result = {
        "type": kind(status),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mtime": seconds(status.st_mtime_ns),
    }
    if not stat.S_ISDIR(status.st_mode):
        result["size"] = status.st_size
        result["nlink"] = status.st_nlink
        result["links"] = b", ".join(sorted(tree.names[status.st_dev, status.st_ino]))
    if stat.S_ISLNK(status.st_mode):
        result["target"] = os.readlink(tree.absolute(path))
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        result["device"] = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    for name in os.listxattr(tree.absolute(path), follow_symlinks=False):
        result[f"xattr.{name}"] = os.getxattr(tree.absolute(path), name, follow_symlinks=False)
    return result


def content_difference(a, b):
    offset = 0
    with open(a, "rb") as left, open(b, "rb") as right:
        while True:
            of_a, of_b = left.read(1 << 20), right.read(1 << 20)
            if of_a != of_b:
                at = next((i for i, pair in enumerate(zip(of_a, of_b)) if pair[0] != pair[1]), min(len(of_a), len(of_b)))
                yield "content", f"byte {offset + at}: {of_a[at:at + 8].hex()}", of_b[at:at + 8].hex()
                return
            if not of_a:
                return
            offset += len(of_a)


def seconds(nanoseconds):
    whole, rest = divmod(abs(nanoseconds), 10**9)
    return f"{'-' if nanoseconds < 0 else ''}{whole}.{rest:09d}"


def kind(status):
    return TYPES.get(stat.S_IFMT(status.st_mode), "unknown")


def show(value):
    if isinstance(value, bytes):
        return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02x}" for byte in value)
    return "absent" if value is None else str(value)


if __name__ == "__main__":
    main()
