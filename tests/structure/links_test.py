# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) the whawty-libvirt-usb-hotplugd contributors
"""The documents lead where they say: each relative link has its file, and that file the heading.

usage: links_test.py ROOT
"""

import collections
import os
import pathlib
import re
import sys

LINK = re.compile(r"\]\(\s*<?([^)>\s]+)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(.+?)[ #]*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]*`")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)  # the web, or a place on some host
BUILT = ("build", "packages")


def anchors_of(text):
    """As GitHub makes them of headings: the second of the same text ends in -1."""
    seen = collections.Counter()
    anchors = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors


def links_of(text):
    prose = CODE.sub("", FENCED.sub("", text))
    links = [first or second for first, second in LINK.findall(prose)]
    return [link for link in links if not ELSEWHERE.match(link)]


def problem(documents, root, path, link):
    """What is wrong with a link of the document at path; documents are texts by path, relative to the root."""
    file, _, anchor = link.partition("#")
    target = os.path.normpath(pathlib.PurePosixPath(path).parent / file) if file else path
    if target not in documents and (target.startswith("..") or not (root / target).exists()):
        return f"{path}: {link}: there is no such file"
    if anchor and anchor not in anchors_of(documents.get(target, "")):
        return f"{path}: {link}: {target} has no such heading"
    return None


def problems_of(root):
    documents = {}
    for file in sorted(root.rglob("*.md")):
        path = file.relative_to(root).as_posix()
        if not path.startswith((".", *BUILT)):
            documents[path] = file.read_text(encoding="utf-8")
    links = [(path, link) for path, text in documents.items() for link in links_of(text)]
    found = [what for path, link in links if (what := problem(documents, root, path, link))]
    if len(links) < 10:
        found.append(f"{root}: only {len(links)} links: is it the project's folder?")
    return found


if __name__ == "__main__":
    found = problems_of(pathlib.Path(sys.argv[1]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
