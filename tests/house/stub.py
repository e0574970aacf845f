#!/usr/bin/env python3
"""
tests/house/stub.py - a backend that can do nothing, made from the contract.

    stub.py FOLDER    write FOLDER/<part>.c for each part, and FOLDER/meson.build

Every function of src/os/*.h says CSYS_ENOTSUP, or what is nothing of its type.  With these the
floors above os/ link on a system that has no backend yet: they ask for no more than the contract
has.  It is also what a port begins with.  tests/house/portable.sh builds it for Windows.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What base declares itself: the parts that keep it (see src/base/system.h).
OF_BASE = {'csysi_os_now': 'clock', 'csysi_os_now_about': 'clock',
           'csysi_os_close': 'handle', 'csysi_os_dup': 'handle',
           'csysi_os_standard': 'handle', 'csysi_os_can': 'can'}

# What is nothing of a type.  Others with a * are NULL, the rest is zero.
NOTHING = {'int': 'CSYS_ENOTSUP', 'csys_handle': 'CSYS_NO_HANDLE', 'csysi_os_socket': 'CSYSI_OS_NO_SOCKET'}


def declarations(path):
    """(type, name, parameters) of each function that a header declares."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^[ \t]*#(?:.*\\\n)*.*$', '', text, flags=re.M)
    while re.search(r'\{[^{}]*\}', text):
        text = re.sub(r'\{[^{}]*\}', '@', text)
    for statement in re.split(r'[;@]', text):
        found = re.fullmatch(r'\s*((?:\w+[\s*]+)+?)(\w+)\s*\((.*)\)\s*(?:CSYS\w*\(.*\))?\s*', statement, re.S)
        if found and 'typedef' not in found[1] and 'static' not in found[1]:
            kind = re.sub(r'\b(?:CSYS\w+|extern|_Noreturn)\b', '', found[1])
            yield ' '.join(kind.split()), found[2], ' '.join(found[3].split()), '_Noreturn' in found[1] \
                or 'NORETURN' in found[1]


def names(parameters):
    """Those of the parameters."""
    depth = 0
    parts = ['']
    for c in parameters:
        depth += (c == '(') - (c == ')')
        if c == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += c
    for part in parts:
        pointer = re.search(r'\(\*(\w+)\)', part)
        plain = re.search(r'(\w+)\s*(?:\[[^\]]*\])*\s*$', part)
        if part.strip() not in ('', 'void'):
            yield pointer[1] if pointer else plain[1]


def definition(kind, name, parameters, ends):
    """Of a function that does nothing."""
    lines = [f'{kind} {name}({parameters});', f'{kind} {name}({parameters})', '{']
    lines += [f'\t(void){each};' for each in names(parameters)]
    if ends:
        lines += ['\tfor (;;)', '\t\t;']
    elif kind in NOTHING:
        lines += [f'\treturn {NOTHING[kind]};']
    elif '*' in kind:
        lines += ['\treturn NULL;']
    elif kind.startswith('struct '):
        lines += [f'\t{kind} nothing = {{ 0 }};', '\treturn nothing;']
    elif kind != 'void':
        lines += ['\treturn 0;']
    return '\n'.join(lines + ['}', ''])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    folder = sys.argv[1]
    contract = os.path.join(ROOT, 'src', 'os')
    parts = {name[:-2]: [] for name in sorted(os.listdir(contract)) if name.endswith('.h')}
    del parts['os']
    for part, functions in parts.items():
        functions += declarations(os.path.join(contract, part + '.h'))
    for function in declarations(os.path.join(ROOT, 'src/base/system.h')):
        if function[1] in OF_BASE:
            parts[OF_BASE[function[1]]].append(function)
    os.makedirs(folder, exist_ok=True)
    for part, functions in parts.items():
        with open(os.path.join(folder, part + '.c'), 'w', encoding='utf-8') as file:
            file.write(f'/*\n * os/stub/{part}.c - nothing of this can be done.\n */\n'
                       '#include <csys/csys.h>\n\n#include "os/os.h"\n')
            for function in functions:
                file.write('\n' + definition(*function))
    with open(os.path.join(folder, 'meson.build'), 'w', encoding='utf-8') as file:
        file.write("foreach part : parts\n  os_files += {part: files(part + '.c')}\nendforeach\n")


main()
