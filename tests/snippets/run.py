#!/usr/bin/env python3
"""
tests/snippets/run.py - every snippet of the manual compiles without a warning.

    run.py [--present]     with each of COMPILERS; with --present those that are here
    run.py --list          the paragraphs of each manual, with their numbers
    run.py --self-test     plant mistakes in a copy of the tree: is each found?

A snippet is code indented by five columns in a comment of a public header, or a
block ```c of a page.  Its paragraphs are numbered through its file, from 1.  What a
snippet takes from the reader's program stands in a program of this folder, named as
the manual is (sync_mutex.c, README.c, docs_STYLE.c), with

    #include "snippet/1"

where paragraph 1 goes: at file scope, in a function, as the reader would place it.
Each paragraph must be in exactly one place.  A line ... in a snippet stands for any
code and is left out.  Shell is no C: the program says so by

    /* snippet/2 is sh */

and sh reads it.  What is no code at all, such as what a program prints, is text:

    /* snippet/3 is text */

Messages name the line of the manual.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

FOLDER = 'tests/snippets'
SNIPPET = 5   # columns from the star of a comment to its code
TABLE = 3     # ... and to lists and tables, which are no code

# A user's warnings.  { 0 } is how C says all zero; C++ would write {}.
WARNINGS = ['-O2', '-Wall', '-Wextra', '-Werror']
CXX_WARNINGS = WARNINGS + ['-Wno-missing-field-initializers']
COMPILERS = [
    ['gcc', '-x', 'c', '-std=c11'] + WARNINGS,
    ['gcc', '-x', 'c', '-std=c11', '-DCSYS_CHECKED'] + WARNINGS,
    ['g++', '-x', 'c++', '-std=c++11'] + CXX_WARNINGS,
    ['clang', '-x', 'c', '-std=c11'] + WARNINGS,
    ['clang', '-x', 'c', '-std=c11', '-DCSYS_CHECKED'] + WARNINGS,
    ['clang++', '-x', 'c++', '-std=c++20'] + CXX_WARNINGS,
    # They are also right for the analysis of csys/sync/annotations.h.
    ['clang-19', '-x', 'c', '-std=c17', '-Wthread-safety'] + WARNINGS,
    ['clang-19', '-x', 'c++', '-std=c++17', '-Wthread-safety'] + CXX_WARNINGS,
]


class Wrong(Exception):
    """A manual or a program that is not as it should be."""


def manuals(root):
    """Each file that may have snippets: its path and the name of its program."""
    for folder, program in (('include/csys', ''), ('.', ''), ('docs', 'docs_'), ('bench', 'bench_')):
        for where, below, names in os.walk(os.path.join(root, folder)):
            if folder != 'include/csys':
                below.clear()
            for name in sorted(names):
                path = os.path.normpath(os.path.join(os.path.relpath(where, root), name))
                if folder == 'include/csys' and name.endswith('.h'):
                    noun = os.path.relpath(path, folder)[:-2].replace(os.sep, '_')
                    yield path, noun + '.c'
                elif folder != 'include/csys' and name.endswith('.md'):
                    yield path, program + name[:-3] + '.c'


def code_of_header(path, lines):
    """(line, text) of its snippets, '' where a paragraph ends."""
    kind = None   # of the block: lines that are indented, with empty lines between
    numbered = False  # the last text was an item of a numbered list, which goes on at 4 columns
    command = False  # of doxygen (\\param, \\retval): its lines are no code, up to the next empty one
    for number, line in enumerate(lines, 1):
        text = re.match(r' \*(\s*)(.*)$', line)
        command = bool(text and text.group(2) and (command or text.group(2).startswith('\\')))
        if not text or command or (text.group(2) and len(text.group(1)) <= 1):
            numbered = bool(text and re.match(r'\d+\. ', text.group(2)))
            kind = None
        elif numbered and text.group(2) and len(text.group(1)) == 4:
            pass
        elif not text.group(2):
            yield number, ''
        else:
            columns = len(text.group(1).expandtabs(8))
            if kind is None and columns not in (SNIPPET, TABLE):
                raise Wrong('%s:%d: code is indented by %d columns, a list by %d, this by %d' % (
                    path, number, SNIPPET, TABLE, columns))
            kind = kind or columns
            if kind == SNIPPET:
                yield number, line.split('*', 1)[1][SNIPPET:]
            continue
        yield number, ''


def code_of_page(lines):
    inside = False
    for number, line in enumerate(lines, 1):
        if line.startswith('```'):
            inside = line == '```c'
            yield number, ''
        elif inside:
            yield number, line


def paragraphs(root, path):
    """The paragraphs of a manual, each as its first line and its text."""
    with open(os.path.join(root, path), encoding='utf-8') as file:
        lines = file.read().split('\n')
    found = []
    inside = False
    for number, text in code_of_header(path, lines) if path.endswith('.h') else code_of_page(lines):
        if not text.strip():
            inside = False
            continue
        if not inside:
            found.append((number, []))
        found[-1][1].append('' if text.strip() == '...' else text)
        inside = True
    return found


def programs(root):
    """Each manual with snippets: its path, its program's path, its paragraphs, those in sh."""
    wanted = {}
    for path, name in manuals(root):
        found = paragraphs(root, path)
        program = os.path.join(FOLDER, name)
        if program in wanted:
            raise Wrong('%s: there are two manuals for it' % program)
        wanted[program] = path, found
    for name in sorted(os.listdir(os.path.join(root, FOLDER))):
        program = os.path.join(FOLDER, name)
        if name.endswith('.c') and not wanted.get(program, (None, None))[1]:
            raise Wrong('%s: there is no manual with snippets for it' % program)
    for program, (path, found) in sorted(wanted.items()):
        if not found:
            continue
        if not os.path.isfile(os.path.join(root, program)):
            raise Wrong('%s:%d: a snippet, and there is no %s that compiles it' % (
                path, found[0][0], program))
        with open(os.path.join(root, program), encoding='utf-8') as file:
            text = file.read()
        shell = [int(n) for n in re.findall(r'^/\* snippet/(\d+) is sh \*/$', text, re.M)]
        plain = [int(n) for n in re.findall(r'^/\* snippet/(\d+) is text \*/$', text, re.M)]
        placed = [int(n) for n in re.findall(r'^#include "snippet/(\d+)"$', text, re.M)] + shell + plain
        for number, (line, _) in enumerate(found, 1):
            if placed.count(number) != 1:
                raise Wrong('%s:%d: paragraph %d is in %d places of %s' % (
                    path, line, number, placed.count(number), program))
        for number in placed:
            if number > len(found):
                raise Wrong('%s: %s has no paragraph %d' % (program, path, number))
        yield path, program, found, shell


def check(root, compilers, say=print):
    """How many compilations are clean; raises Wrong where one is not."""
    clean = 0
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for path, program, found, shell in programs(root):
            place = os.path.join(scratch, os.path.basename(program))
            os.makedirs(os.path.join(place, 'snippet'))
            for number, (line, text) in enumerate(found, 1):
                with open(os.path.join(place, 'snippet', str(number)), 'w', encoding='utf-8') as file:
                    if number not in shell:
                        file.write('#line %d "%s"\n' % (line, path))
                    # As deep as what stands around it in a function: compilers look at that.
                    file.writelines(('\t' + line).rstrip() + '\n' for line in text)
            commands = [['sh', '-n', os.path.join(place, 'snippet', str(n))] for n in shell]
            inside = path.startswith('docs')  # about the library's own code, which is C only
            commands += [compiler + ['-Iinclude', '-I' + place] + ['-Isrc'] * inside + [
                '-c', '-o', os.path.join(scratch, 'object'), program]
                for compiler in compilers if not (inside and compiler[0].endswith('++'))]
            for command in commands:
                run = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                if run.returncode == 0 and not run.stdout:
                    clean += 1
                else:
                    wrong.append('%s: %s with %s\n%s' % (path, program, ' '.join(
                        command[:4]), run.stdout))
    if wrong:
        raise Wrong('\n'.join(wrong))
    return clean


def self_test(root, compilers):
    """Whether each kind of mistake is found, in a copy of the tree."""
    header, program = 'include/csys/ipc/planted.h', FOLDER + '/ipc_planted.c'

    def snippet(*lines):
        return '/*\n * csys/ipc/planted.h - planted.\n *\n' + ''.join(
            (' *     ' + line).rstrip() + '\n' for line in lines) + ' */\n'

    def around(*lines):
        return '#include <csys/csys.h>\nvoid planted(int n);\nvoid planted(int n)\n{\n' + ''.join(
            line + '\n' for line in lines) + '\t(void)n;\n}\n'
    one, two, three = ('#include "snippet/%d"' % n for n in (1, 2, 3))
    plants = [  # what is said, or None, and the files
        (None, {header: snippet('n = 1;', '...', '', 'n = 2;'), program: around(one, two)}),
        ('planted.h:4:', {header: snippet('m = 1;'), program: around(one)}),
        ('planted.h:5:', {header: snippet('n = 1;', 'int m;'), program: around(one)}),
        ('ignoring return value|unused-result', {
            header: snippet('csys_handle r, w;', 'csys_pipe_create(&r, &w);'), program: around(one)}),
        ('planted.h:6: paragraph 2 is in 0', {header: snippet('n = 1;', '', 'n = 2;'),
                                              program: around(one)}),
        ('paragraph 1 is in 2', {header: snippet('n = 1;'), program: around(one, one)}),
        ('has no paragraph 3', {header: snippet('n = 1;', '', 'n = 2;'),
                                program: around(one, two, three)}),
        ('planted.h:4: a snippet, and there is no', {header: snippet('n = 1;')}),
        ('there is no manual with snippets', {program: around()}),
        (None, {header: '/**\n * \\file\n * \\param n    what it is\n *             and more\n */\n'}),
        ('planted.h:5:', {header: '/**\n * \\file\n * csys/ipc/planted.h - planted.\n *\n *     m = 1;\n'
                                  ' *\n * \\param n\n *     here\n */\n', program: around(one)}),
        (None, {header: '/**\n * \\file\n * 1. one\n *    goes on\n *    and on\n */\n'}),
        ('this by 4', {header: '/*\n *    n = 1;\n */\n'}),
        ('planted.md:2:', {'docs/planted.md': '```c\nn = 1;\n```\n'}),
        (None, {header: snippet("echo 'a b' >&2"),
                program: '/* snippet/1 is sh */\nextern int planted;\n'}),
        (None, {header: snippet("cannot read 'a: 5 %"),
                program: '/* snippet/1 is text */\nextern int planted;\n'}),
        ('Syntax error|syntax error|nexpected', {
            header: snippet("echo ('a b'"), program: '/* snippet/1 is sh */\nextern int planted;\n'}),
    ]
    wrong = 0
    for says, files in plants:
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(os.path.join(root, 'include'), os.path.join(copy, 'include'))
            shutil.copytree(os.path.join(root, FOLDER), os.path.join(copy, FOLDER))
            # The others are right, which a plain run tells; without them this is short.
            for path, name in manuals(root):
                if os.path.exists(os.path.join(copy, FOLDER, name)):
                    os.remove(os.path.join(copy, FOLDER, name))
                if paragraphs(root, path) and path.endswith('.h'):
                    target = os.path.join(copy, path)
                    with open(target, encoding='utf-8') as file:
                        text = file.read()
                    with open(target, 'w', encoding='utf-8') as file:
                        file.write(re.sub(r'^( \*) {3,}.*$', r'\1 x', text, flags=re.M))
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
                with open(os.path.join(copy, path), 'w', encoding='utf-8') as file:
                    file.write(text)
            try:
                check(copy, compilers)
                said = ''
            except Wrong as error:
                said = str(error)
            if (said != '') if says is None else not re.search(says, said):
                print('self-test: expected %r, said %r' % (says or '', said))
                wrong += 1
    print('%d plants, %d of them wrong' % (len(plants), wrong))
    return wrong


def main():
    parser = argparse.ArgumentParser(description='The snippets of the manual compile.')
    parser.add_argument('--root', default=os.path.join(os.path.dirname(__file__), '..', '..'))
    parser.add_argument('--present', action='store_true', help='do without compilers that are missing')
    parser.add_argument('--list', action='store_true', help='show the paragraphs')
    parser.add_argument('--self-test', action='store_true', help='check this check')
    arguments = parser.parse_args()
    root = os.path.realpath(arguments.root)

    compilers = [c for c in COMPILERS if shutil.which(c[0])]
    missing = sorted({c[0] for c in COMPILERS} - {c[0] for c in compilers})
    if missing:
        print('not installed: ' + ', '.join(missing))
    if missing and not arguments.present or not compilers:
        return 1
    try:
        if arguments.list:
            for path, name in manuals(root):
                for number, (line, text) in enumerate(paragraphs(root, path), 1):
                    print('%s:%d: %s %d\n    %s' % (path, line, name, number, '\n    '.join(text)))
        elif arguments.self_test:
            return 1 if self_test(root, compilers) else 0
        else:
            print('%d compilations were clean' % check(root, compilers))
    except Wrong as error:
        print(error)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
