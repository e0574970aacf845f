#!/usr/bin/env python3
"""
vm/plan.py - the tests of some suites, for vm/init.sh, and their files.

    meson introspect --tests BUILD | plan.py BUILD FILES SUITE...

Copies each file of BUILD that a test names to FILES/build and prints a line of shell
for the test, in which BUILD is /build.
"""
import json
import os
import shlex
import shutil
import sys

# An emulated processor takes longer than the tests foresee.
SLOWER = 10


def main(build, files, *suites):
    build = os.path.realpath(build)

    def inside(word):
        """A word of a command as it is in the machine, with its file there."""
        for name in (word, os.path.join(build, word)):
            if name.startswith(build + "/") and os.path.isfile(name):
                part = os.path.relpath(name, build)
                target = os.path.join(files, "build", part)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if not os.path.exists(target):
                    shutil.copy(name, target)
                return "/build/" + part
        return word

    for test in json.load(sys.stdin):
        # "csys:unit", "csys:base": project and suite
        if not {suite.split(":")[-1] for suite in test["suite"]} & set(suites):
            continue
        words = ["check", test["name"], str(test["timeout"] * SLOWER), "env"]
        words += [f"{key}={inside(value)}" for key, value in sorted(test["env"].items())]
        words += [inside(word) for word in test["cmd"]]
        print(shlex.join(words))


if __name__ == "__main__":
    main(*sys.argv[1:])
