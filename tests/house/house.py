#!/usr/bin/env python3
"""
tests/house/house.py - the rules of the house that a compiler cannot see.

    house.py                    check the tree that this file lies in
    house.py --build DIR        and the names in the static library built there
    house.py --format           only: is each file as .clang-format wants it?
    house.py --self-test        plant violations of each rule in a copy: is each found?
                                (with --present not those of a rule whose tool is missing)
    house.py --update-symbols   write symbols.txt from the headers
    house.py --update-models    write tests/model/digests.txt: models and sources say the same
    house.py --list             the rules, a line for each

Each violation is one line, "file:line: rule: message".  The exit status is 0 if
there is none.  To add a rule: a function below marked with @rule, which yields
(file, line, message), and a plant for it in PLANTS.
"""
import argparse
import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

FLOORS = ['base', 'os', 'sync', 'io', 'ipc', 'process']  # a file includes its own floor and lower ones

# What may be included above os/ and below it: C without a system.
PLAIN_HEADERS = {
    'ctype.h', 'float.h', 'inttypes.h', 'limits.h', 'setjmp.h', 'stdalign.h', 'stdarg.h', 'stdbool.h',
    'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'stdnoreturn.h', 'string.h',
}
PUBLIC_HEADERS = {'limits.h', 'stdarg.h', 'stddef.h', 'stdint.h'}

# The one place above os/ that tests for a system, and what it asks for: a macro of ours tells
# the others.
SYSTEM_TESTS = {'include/csys/base/attributes.h': {'__ELF__'}}

# Public headers without a source and a test of their own, and why.
NO_TWIN = {
    'include/csys/base/attributes.h': 'macros only: nothing to compile and nothing to call',
    'include/csys/base/auto.h': 'macros only: tests/base/test_auto.c tries each type',
    'include/csys/sync/annotations.h': 'macros only: tests/compile tries them',
    'include/csys/sync/atomic_inside.h': 'the inside of atomic.h, which has both',
    'include/csys/sync/channel_inside.h': 'the inside of typed_channel.h and channel.h',
    'include/csys/sync/rwlock_inside.h': 'the inside of rwlock.h, which has both',
    'include/csys/ipc/region_inside.h': 'the inside of region.h, which has both',
    'include/csys/ipc/shared_guard.h': 'inline only: tests/ipc/test_shared_guard.c tries it',
    'include/csys/ipc/shared_rwlock_inside.h': 'the inside of shared_rwlock.h, which has both',
    'include/csys/sync/typed_channel.h': 'macros over channel.h',
    'include/csys/ipc/typed_shared_channel.h': 'macros over shared_channel.h',
}

# Names that compilers and sanitizers put into an object by themselves.
COMPILER_NAMES = ('__odr_asan', '__x86.', 'DW.ref.')

ROOT_FOLDERS = ['.ci', 'bench', 'docs', 'examples', 'include', 'packaging', 'src', 'tests', 'tools']
IGNORED = {'.git', '__pycache__', 'node_modules', 'target'}
C_FILES = ('.c', '.h')
CXX_FILES = C_FILES + ('.cc',)
SCRIPTS = ('.sh', '.py')
TEXT_FILES = CXX_FILES + SCRIPTS + ('.build', '.cmake', '.in', '.ini', '.map', '.md', '.rs', '.txt',
                                    '.wrap')


class Tree:
    """The files of one checkout, by their path from its root."""

    def __init__(self, root, library=None):
        self.root = root
        self.library = library
        self.texts = {}

    def files(self, folders, endings):
        """All files below `folders` with one of the endings, sorted."""
        found = []
        for folder in folders:
            for where, below, names in os.walk(os.path.join(self.root, folder)):
                below[:] = [b for b in below if b not in IGNORED and not b.startswith('build')]
                for name in names:
                    if name.endswith(endings):
                        found.append(os.path.relpath(os.path.join(where, name), self.root))
        return sorted(found)

    def everything(self):
        """All text files, those at the root and the extensionless .ci/run included."""
        top = [name for name in os.listdir(self.root)
               if os.path.isfile(os.path.join(self.root, name)) and name.endswith(TEXT_FILES)]
        extra = ['.ci/run'] if self.exists('.ci/run') else []
        return sorted(top) + self.files(ROOT_FOLDERS, TEXT_FILES) + extra

    def exists(self, path):
        return os.path.isfile(os.path.join(self.root, path))

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), encoding='utf-8') as file:
                self.texts[path] = file.read()
        return self.texts[path]

    def lines(self, path):
        """Numbered lines as they are written."""
        return enumerate(self.text(path).split('\n'), 1)

    def code(self, path):
        """Numbered lines without comments."""
        text = self.text(path)
        if path.endswith(CXX_FILES):
            return enumerate(without_comments(text).split('\n'), 1)
        return enumerate((re.sub(r'(^|\s)#.*', '', line) for line in text.split('\n')), 1)


def without_comments(text):
    """C without its comments, every line where it was."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        part = match.group()
        return '\n' * part.count('\n') if part.startswith('/') else part
    return token.sub(blank, text)


RULES = {}


def rule(name):
    def add(function):
        RULES[name] = function
        return function
    return add


# ---- what includes what -------------------------------------------------------


def includes(tree, path):
    for line, text in tree.code(path):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', text)
        if match:
            yield line, match.group(1), match.group(2)


def resolve(tree, path, bracket, name):
    """The file of the tree that an #include names, None if it is none of ours."""
    if bracket == '"':
        candidates = [os.path.normpath(os.path.join(os.path.dirname(path), name)),
                      'src/' + name, 'include/' + name]
    else:
        candidates = ['include/' + name]
    for candidate in candidates:
        if tree.exists(candidate):
            return candidate
    return None


def floor_of(path):
    """The floor of a file of include/ or src/; csys.h stands above all of them."""
    match = re.match(r'include/csys/([a-z]+)(?:/|\.h$)|src/([a-z]+)/', path)
    name = match and (match.group(1) or match.group(2))
    if name == 'csys':
        return len(FLOORS)
    return FLOORS.index(name) if name in FLOORS else None


def backend_of(path):
    match = re.match(r'src/os/([a-z]+)/', path)
    return match and match.group(1)


@rule('floors')
def floors(tree):
    """a file includes its own floor and lower ones; backend files only from their backend"""
    for path in tree.files(['include', 'src'], C_FILES):
        floor = floor_of(path)
        if floor is None:
            yield path, 1, 'stands on no floor: ' + ' < '.join(FLOORS)
            continue
        for line, bracket, name in includes(tree, path):
            target = resolve(tree, path, bracket, name)
            if target is None:
                if bracket == '"' or name.startswith('csys/'):
                    yield path, line, 'there is no "%s"' % name
                continue
            if path.startswith('include/') and bracket == '"':
                yield path, line, 'a public header includes by <csys/...>: "%s"' % name
            above = floor_of(target)
            if above is None or above > floor:
                yield path, line, '%s is above %s' % (target, FLOORS[floor])
            backend = backend_of(target)
            if backend and backend not in (backend_of(path), 'posix' if backend_of(path) else ''):
                yield path, line, '%s is private to the backend %s' % (target, backend)


@rule('os-header')
def os_headers(tree):
    """no header of a system, nor stdatomic.h, outside src/os"""
    for path in tree.files(['include', 'src'], C_FILES):
        if path.startswith('src/os/'):
            continue
        allowed = PUBLIC_HEADERS if path.startswith('include/') else PLAIN_HEADERS
        for line, bracket, name in includes(tree, path):
            if bracket == '<' and not name.startswith('csys/') and name not in allowed:
                yield path, line, '<%s> belongs into src/os' % name


@rule('os-if')
def os_conditions(tree):
    """no #if that names a system or its object format, and no feature-test macro, outside
    src/os; what attributes.h asks for is excepted"""
    names = re.compile(r'\b(__(?:gnu_)?linux(?:__)?|linux|_?WIN(?:32|64)|__WIN(?:32|64)(?:__)?|'
                       r'__WINDOWS__|__MINGW\w+|__CYGWIN\w*|__MSYS__|__APPLE(?:_CC)?__|'
                       r'__MACH__|TARGET_OS_\w+|__unix(?:__)?|unix|__\w*BSD(?:_\w+)?__|'
                       r'__DragonFly__|__(?:sun|svr4|SVR4)(?:__)?|_AIX|__hpux|__HAIKU__|__QNX\w*|'
                       r'__Fuchsia__|__wasi__|__EMSCRIPTEN__|__ANDROID(?:_API)?__|__BIONIC__|'
                       r'__GLIBC\w*|__GNU_LIBRARY__|__UCLIBC__|__(?:ELF|MACHO|PE|COFF)__|'
                       r'__USER_LABEL_PREFIX__|_POSIX\w*|'
                       r'_(?:GNU|DEFAULT|BSD|XOPEN|DARWIN_C|NETBSD|ALL)_SOURCE)\b')
    for path in tree.files(['include', 'src'], C_FILES):
        if path.startswith('src/os/'):
            continue
        directive = False  # inside one, perhaps continued by a backslash
        for line, text in tree.code(path):
            directive = directive or re.match(r'\s*#\s*(if|elif|ifdef|ifndef|define)\b', text)
            for found in names.finditer(text) if directive else []:
                if found.group() not in SYSTEM_TESTS.get(path, ()):
                    yield path, line, '%s belongs into src/os' % found.group()
            if not text.endswith('\\'):
                directive = False


@rule('signals')
def signal_numbers(tree):
    """no number of a signal above os/: what is done to a process is an act of os/child.h"""
    number = re.compile(r'\bSIG(?!NED)[A-Z]{2,}\d?\b|\w*_signal(?:_group)?\([^;()]*(?:\([^()]*\)[^;()]*)*,\s*[1-9]\d*\)')
    for path in tree.files(['include', 'src'], C_FILES):
        if path.startswith('src/os/'):
            continue
        for line, text in tree.code(path):
            for found in number.finditer(text):
                yield path, line, '%s: a number of a signal belongs into src/os' % found.group()


# ---- what belongs together -----------------------------------------------------


@rule('parts')
def parts_of_the_contract(tree):
    """each src/os/<part>.h is included by os.h, is a part in src/os/meson.build and has a .c of its name"""
    if not tree.exists('src/os/os.h') or not tree.exists('src/os/meson.build'):
        return
    included = {name for _, _, name in includes(tree, 'src/os/os.h')}
    listed = re.search(r'^parts = \[(.*?)\]', tree.text('src/os/meson.build'), re.S | re.M)
    listed = re.findall(r"'(\w+)'", listed.group(1)) if listed else []
    for path in tree.files(['src/os'], '.h'):
        part = re.match(r'src/os/(\w+)\.h$', path)
        if not part or part.group(1) == 'os':
            continue
        if 'os/%s.h' % part.group(1) not in included:
            yield path, 1, 'is not included by os/os.h'
        if part.group(1) not in listed:
            yield path, 1, 'is no part in src/os/meson.build'
        if not tree.exists('src/os/posix/%s.c' % part.group(1)):
            yield path, 1, 'has no file in src/os/posix'


@rule('twins')
def twins(tree):
    """each include/csys/<module>/<noun>.h has its src/<module>/<noun>.c and its test"""
    for path in tree.files(['include/csys'], '.h'):
        match = re.match(r'include/csys/(\w+)/(\w+)\.h$', path)
        if not match:
            continue
        source = 'src/%s/%s.c' % match.groups()
        test = 'tests/%s/test_%s.c' % match.groups()
        missing = [twin for twin in (source, test) if not tree.exists(twin)]
        if path in NO_TWIN:
            if not missing:
                yield path, 1, 'is excepted from having twins, and has them'
        else:
            for twin in missing:
                yield path, 1, 'has no ' + twin
    for path in NO_TWIN:
        if not tree.exists(path):
            yield path, 1, 'is excepted from having twins, and does not exist'


def declared(tree):
    """The functions and variables that include/ declares: (name, path, line)."""
    for path in tree.files(['include'], '.h'):
        code = '\n'.join(text for _, text in tree.code(path))
        for match in re.finditer(r'^[^\n#]*\bCSYS_API\b([^;{]*)[;{]', code, re.M):
            name = re.search(r'(\w+)\s*\(', re.sub(r'__attribute__\s*\(\(.*?\)\)', '',
                                                   match.group(1), flags=re.S))
            name = name or re.search(r'(\w+)\s*$', match.group(1))  # a variable
            yield name and name.group(1), path, code.count('\n', 0, match.start()) + 1


SYMBOLS = 'tests/house/symbols.txt'


@rule('symbols')
def symbols(tree):
    """symbols.txt lists the functions that the headers declare (--update-symbols)"""
    functions = {name: (path, line) for name, path, line in declared(tree)}
    listed = {}
    if tree.exists(SYMBOLS):
        for line, name in tree.lines(SYMBOLS):
            if name in listed:
                yield SYMBOLS, line, name + ' is listed twice'
            if name:
                listed[name] = line
    for name in sorted(n for n in functions if n and n not in listed):
        yield (*functions[name], '%s is not in %s (--update-symbols)' % (name, SYMBOLS))
    for name in sorted(n for n in listed if n not in functions):
        yield SYMBOLS, listed[name], name + ' is declared in no header (--update-symbols)'


MAP = 'src/csys.map'


@rule('exported')
def exported(tree):
    """src/csys.map exports each function that the headers declare, and names no other"""
    functions = {name: (path, line) for name, path, line in declared(tree)}
    patterns = {}
    for number, text in tree.lines(MAP) if tree.exists(MAP) else ():
        if text.startswith('local:'):
            break
        match = re.match(r'\s*(\w+\*?);', text)
        if match:
            patterns[match.group(1)] = number
    for name in sorted(n for n in functions if n):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            yield (*functions[name], '%s is not exported: name it in %s' % (name, MAP))
    # Some are declared in a checked build only, by a macro of their own.
    known = {word for path in tree.files(['include'], '.h') for _, text in tree.code(path)
             for word in re.findall(r'\w+', text)}
    for pattern, number in patterns.items():
        if not any(fnmatch.fnmatchcase(word, pattern) for word in known):
            yield MAP, number, pattern + ' is declared in no header'


@rule('version')
def version(tree):
    """meson.build and csys/base/version.h name the same version"""
    header = 'include/csys/base/version.h'
    project = re.search(r"^project\(.*?version: *'([^']*)'", tree.text('meson.build'), re.S | re.M)
    if not project:
        yield 'meson.build', 1, 'project() has no version'
        return
    parts = []
    for part in ('MAJOR', 'MINOR', 'PATCH'):
        for line, text in tree.code(header):
            match = re.match(r'#define CSYS_VERSION_%s (\d+)$' % part, text)
            if match:
                parts.append(match.group(1))
                last = line
    if '.'.join(parts) != project.group(1):
        yield header, last if parts else 1, 'version %s, but meson.build has %s' % (
            '.'.join(parts), project.group(1))


# ---- circles of files -----------------------------------------------------------

# Files that need each other's functions, and why.  A circle whose files all match one of these is
# no surprise; another one is.  linux and posix count as one folder.
CIRCLES = [
    (r'base/deadline|os/clock', 'a deadline is a point of the clock, and the clock waits until one'),
    (r'sync/(ledger|mutex|handoff|once|panic|rwlock|thread)(_\w+)?',
     'a lock enters the ledger of its thread, and the end of the thread releases what is in it'),
    (r'ipc/(region_member|shared_(mutex|once|permits|rwlock)(_\w+)?)',
     'what a member of a region holds has its id, and the end of its thread releases that'),
    (r'os/(message_queue|queue_system)',
     'which queue a name leads to is told by opening it'),
]


def references(library):
    """The members of a library, each with the members whose functions or variables it uses."""
    listing = subprocess.run(['nm', '-A', '-g', library], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True).stdout
    home, used = {}, {}
    for entry in listing.splitlines():
        fields = entry.split()
        if len(fields) < 3:
            continue
        # library:member.o:address, and meson's member is floor_noun.c.o
        member = re.sub(r'^os/(linux|posix)_', 'os/', fields[0].split(':')[-2].split('.')[0]
                        .replace('_', '/', 1))
        if fields[-2] in 'Uw':
            used.setdefault(member, set()).add(fields[-1])
        else:
            home[fields[-1]] = member
    return {member: {home[name] for name in names if name in home} - {member}
            for member, names in used.items()}


def circles_of(graph):
    """The sets of more than one node that all lead to each other."""
    def reached(start):
        found, left = set(), [start]
        while left:
            for node in graph.get(left.pop(), ()):
                if node not in found:
                    found.add(node)
                    left.append(node)
        return found
    reach = {node: reached(node) for node in graph}
    seen = set()
    for node in sorted(graph):
        circle = {other for other in reach[node] if node in reach.get(other, ())} | {node}
        if len(circle) > 1 and not circle & seen:
            seen |= circle
            yield sorted(circle)


@rule('circles')
def circles(tree):
    """with --build: no files that need each other, but for those of CIRCLES"""
    for circle in circles_of(references(tree.library)) if tree.library else []:
        if not any(all(re.fullmatch(known, name) for name in circle) for known, _ in CIRCLES):
            yield tree.library, 1, 'these need each other: ' + ', '.join(circle)


# ---- models and their sources ---------------------------------------------------

DIGESTS = 'tests/model/digests.txt'

# What each model is a model of: files, or of a file the functions with such names ("FILE:REGEX").
# wake.pml is a part of the others.
MODELLED = {
    'barrier.pml': ['src/sync/barrier.c'],
    'barrier_late.pml': ['src/sync/barrier.c'],
    'channel_block.pml': ['src/sync/channel_block.c:csysi_channel_(link|await_link|next_block)',
                          'include/csys/sync/channel_inside.h:csysi_channel_send_shared_list'],
    'channel_claim.pml': ['src/sync/channel_claim.c'],
    'channel_close.pml': ['src/sync/channel_drain.c',
                          'src/sync/channel.c:release|disconnect_senders|csys_(sender|receiver)_close',
                          'src/sync/channel_look.c:csysi_channel_may_.*',
                          'src/sync/channel_send.c:csysi_channel_sent',
                          'src/sync/channel_recv.c:csysi_channel_recv_last'],
    'channel_fence.pml': ['src/sync/channel_fence.c',
                          'include/csys/sync/channel_inside.h:csysi_channel_(order|tell_.*|claim)'],
    'channel_owner.pml': ['src/sync/channel_owner.c:(?!csysi_channel_find_cpu).*',
                          'include/csys/sync/channel_inside.h:csysi_channel_(enter|leave)'],
    'channel_place.pml': ['src/sync/channel_in_place.c', 'src/sync/channel_place.c',
                          'src/sync/channel_turn.c',
                          'src/sync/channel_look.c:csysi_channel_(state|is_held|may_.*|count)',
                          'src/sync/channel_send.c:wake_receiver|csysi_channel_sent',
                          'src/sync/channel_recv.c:is_special|recv_in_turn|sleep_for_message|'
                          'csysi_channel_(try_recv|wait_to_recv)'],
    'channel_wait.pml': ['src/sync/channel_wait.c',
                         'src/sync/channel_send.c:'
                         'send_after_sleep|csysi_channel_(wait_to_send|sent)',
                         'src/sync/channel_recv.c:'
                         'recv_in_turn|sleep_for_message|csysi_channel_(wait_to_recv|received)',
                         'src/sync/channel_look.c:csysi_channel_may_(send|recv)'],
    'channel_watch.pml': ['src/sync/channel_watch.c', 'src/sync/channel_ready.c',
                          'src/sync/select_ready.c:ready_until',
                          'src/sync/wait_any.c:look_once|look|run|leave|wait_for_first|'
                          'csys_wait_any_until',
                          'src/sync/watch.c:claim|csysi_watch_(list|end|notify)|'
                          'csysi_watcher_(sleep|renew)|claim_part|notify',
                          'src/sync/channel_wait.c:'
                          'csysi_channel_(set_some|delist|claim_first|wake_.*|pass_on)',
                          'src/sync/channel_look.c:csysi_channel_may_(send|recv)'],
    'condvar.pml': ['src/sync/condvar.c', 'src/sync/handoff.c', 'src/sync/waitqueue.c',
                    'src/sync/waitqueue.h', 'include/csys/sync/condvar.h'],
    'event.pml': ['src/sync/event.c'],
    'latch.pml': ['src/sync/latch.c'],
    'mutex.pml': ['src/sync/mutex.c', 'include/csys/sync/mutex.h'],
    'named_semaphore.pml': ['src/ipc/named_semaphore.c:csysi_named_semaphore_.*|wake|take|announce|sleep_for',
                            'include/csys/ipc/named_semaphore.h:csys_.*|csysi_named_semaphore_take'],
    'once.pml': ['src/sync/once.c', 'include/csys/sync/once.h'],
    'region.pml': ['src/ipc/region_member.c:csysi_region_is_alive|fill_place|take_place|enter_table|'
                   'leave_table|join|part',
                   'src/ipc/region.h:csysi_region_is_takable', 'src/ipc/shared_mutex.c:try_take|acquire'],
    'rwlock.pml': ['src/sync/rwlock.c', 'src/sync/rwlock_read.c', 'src/sync/rwlock_write.c',
                   'include/csys/sync/rwlock_inside.h'],
    'rwlock_upgradable.pml': ['src/sync/rwlock_upgradable.c'],
    'select.pml': ['src/sync/select.c:(?!csysi_.*|sort|csys_.*).*',
                   'src/sync/channel_rendezvous.c'],
    'semaphore.pml': ['src/sync/semaphore.c', 'include/csys/sync/semaphore.h'],
    'shared_barrier.pml': ['src/ipc/shared_barrier.c:arrive|look.*|verdict|replace|next_round|changed|'
                           'withdraw|sleep_on|wait_for|csys_shared_barrier_wait_until'],
    'shared_rwlock.pml': ['src/ipc/shared_rwlock.c:release_word|take_word|sleep_on_word|take_word_until|'
                          'await_.*|take_alone|clear_cell|try_cell|read_by_cell|'
                          'csys_shared_rwlock_write_until',
                          'include/csys/ipc/shared_rwlock_inside.h:csys_shared_rwlock_(unlock_)?read',
                          'src/ipc/region_member.c:csysi_region_is_alive|fill_place',
                          'src/ipc/region.h:csysi_region_is_takable'],
    'shared_handle.pml': ['src/ipc/shared_handle.c:clear|watch_sender|csysi_shared_receiver_(arm|expect)',
                          'src/ipc/shared_end.c:'
                          'csysi_shared_(are_senders_gone|wake_receiver_slow)',
                          'src/ipc/shared_sender.c:csys_shared_sender_(open|close)|take_entry',
                          'src/ipc/shared_receiver.c:await_slow'],
    'shared_channel.pml': ['src/ipc/shared_sender.c:claim_at|try_claim|move_tail|commit',
                           'src/ipc/shared_receiver.c:pass|look|release',
                           'src/ipc/shared_quick.c:send_message|receive'],
    'shared_condvar.pml': ['src/ipc/shared_condvar.c:(?!csys_shared_condvar_wait(_while.*)?$).*'],
    'sleep.pml': ['src/os/posix/wake.c', 'src/base/wakequeue.h'],
    'task_queue.pml': ['src/sync/task_queue.c:csys_task_queue_wake|run_task|run_some'],
    'wake.pml': [],
}

# Functions of those files that no model has: the marks of a lock, what no thread waits in, and what a
# watcher does.
UNMODELLED = re.compile(r'(_poison|_poisoned|_assert_\w+|_at|_init|_item|_item_on)$')


def digest(text):
    """Of what is left without comments and white space."""
    return hashlib.sha256(re.sub(r'\s+', '', without_comments(text)).encode()).hexdigest()[:16]


def functions_of(text):
    """The functions that C defines at the left margin: name, line, text with head and body."""
    bare = without_comments(text)
    for match in re.finditer(r'^[^\s#{}/][^;{}]*?\b(\w+)\([^;{}]*\)[^;{}()]*\n\{\n.*?^\}$', bare,
                             re.S | re.M):
        yield match.group(1), bare.count('\n', 0, match.start()) + 1, match.group()


def digests(tree):
    """Path of the changed side, line, and what a line of digests.txt has for it."""
    for model in sorted(MODELLED):
        path = 'tests/model/' + model
        if tree.exists(path):
            yield path, 1, model + ' ' + digest(tree.text(path))
        for part in MODELLED[model]:
            source, _, names = part.partition(':')
            if not tree.exists(source):
                continue
            for name, line, text in functions_of(tree.text(source)):
                if not UNMODELLED.search(name) and re.fullmatch(names or '.*', name):
                    yield source, line, '%s %s:%s %s' % (model, source, name, digest(text))


@rule('models')
def models(tree):
    """each model, and each function that it is a model of, is as it was when both were last
    compared (--update-models)"""
    for path in tree.files(['tests/model'], '.pml'):
        if os.path.basename(path) not in MODELLED:
            yield path, 1, 'house.py (MODELLED) does not know what this is a model of'
    known = set()
    if tree.exists(DIGESTS):
        known = {text for _, text in tree.lines(DIGESTS) if text}
    current = list(digests(tree))
    for path, line, text in current:
        if text not in known:
            what = text.split()[-2]
            yield path, line, '%s is not as it was when model and source were compared: let the ' \
                'other side follow, then --update-models' % what.split(':')[-1]
    here = {text.rsplit(' ', 1)[0] for _, _, text in current}
    for line, text in tree.lines(DIGESTS) if tree.exists(DIGESTS) else []:
        if text and text.rsplit(' ', 1)[0] not in here:
            yield DIGESTS, line, 'there is no %s any more (--update-models)' % text.split()[-2]


# ---- how things are named and described ------------------------------------------


@rule('names')
def names(tree):
    """public names begin with csys_ or CSYS, what inline functions need with csysi_ or CSYSI;
    with --build, the library's own with csysi_"""
    for name, path, line in declared(tree):
        if not name or not re.match(r'csysi?_', name):
            yield path, line, 'CSYS_API without a csys_ function: %s' % name
    for path in tree.files(['include'], '.h'):
        for line, text in tree.code(path):
            # A macro that stands for a function of many types is named as one.
            match = re.match(r'\s*#\s*define\s+(\w+)(\(?)', text)
            if match and not match.group(1).startswith('CSYS') and not (
                    match.group(2) and match.group(1).startswith('csys_')):
                yield path, line, 'a public macro begins with CSYS: ' + match.group(1)
            match = re.match(r'(?:typedef\b.*?|})\s*(\w+);$', text)
            if match and not re.match(r'csysi?_', match.group(1)):
                yield path, line, 'a public type begins with csys_: ' + match.group(1)
        code = '\n'.join(text for _, text in tree.code(path))
        for body in re.finditer(r'\benum\b[^{;]*{(.*?)}', code, re.S):
            for match in re.finditer(r'(?:^|,)\s*(\w+)', body.group(1)):
                if not match.group(1).startswith('CSYS'):
                    yield (path, code.count('\n', 0, body.start(1) + match.start(1)) + 1,
                           'a public constant begins with CSYS: ' + match.group(1))
    if tree.library:
        yield from library_names(tree)


def library_names(tree):
    listing = subprocess.run(['nm', '-A', '-g', '--defined-only', tree.library],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if listing.returncode != 0 or not listing.stdout:
        yield tree.library, 1, 'nm sees nothing in it: ' + listing.stderr.strip()
    public = {name for name, _, _ in declared(tree)}
    for entry in listing.stdout.splitlines():
        where, name = entry.split()[0], entry.split()[-1]
        if name.startswith(('csysi_',) + COMPILER_NAMES) or name in public:
            continue
        # where is library:member.o:address, and meson's member is folder_noun.c.o
        member = where.split(':')[-2] if where.count(':') > 1 else where
        yield tree.library, 1, '%s: %s is neither public nor csysi_ (or should be static)' % (
            member, name)


def documented(text):
    """The comments of a header that are for doxygen: their line, that of what follows, their text."""
    for match in re.finditer(r'^/\*\*(?!\*)(?!<)(.*?)\*/', text, re.S | re.M):
        body = re.sub(r'^ \*(?: |$)', '', match.group(1).lstrip(' '), flags=re.M).strip()
        yield (text.count('\n', 0, match.start()) + 1, text.count('\n', 0, match.end()) + 2, body)


# How a first sentence begins that tells nothing where an editor shows it alone.
DEPENDENT = re.compile(r"(The same|Same|Likewise|As|Like|Also|Both|It|Its|This|These|They|And|Else|"
                       r"Each (gives|is|of)|\w+ (it|them|one)|[01],? (if|when) it)\b(?!')")


def functions_told(tree, path):
    """The public functions that a header declares or defines, and the lines."""
    code = '\n'.join(text for _, text in tree.code(path))
    for match in re.finditer(r'^(?:CSYS_API|(?:CSYSI_UNUSED )?static inline)\b[^;{}#]*?\b(csys_\w+)\(',
                             code, re.M):
        yield match.group(1), code.count('\n', 0, match.start()) + 1


@rule('manual')
def manual(tree):
    """each public header is written for doxygen: \\file, a comment of its own for each function, a
    first sentence that stands alone, tables that it knows"""
    for path in tree.files(['include'], '.h'):
        text = tree.text(path)
        if not text.startswith('/**\n * \\file\n'):
            yield path, 1, 'does not begin with /** and \\file'
        ends = {}  # line after a comment: what it says
        for line, after, body in documented(text):
            ends[after] = body
            first = re.match(r'(?:\\file\s+\S+ - )?(.*?)(?:\.(?=\s|$)|:(?=\s*$)|\n\s*\n|\n\\|\Z)', body, re.S)
            if line > 1 and not body[:first.end()].endswith('.'):
                yield path, line, 'the first sentence does not end with a full stop'
            if line > 1 and DEPENDENT.match(first.group(1)):
                yield path, line, 'the first sentence needs another one: "%s"' % (
                    first.group(1).split('\n')[0])
        # The inside of a header has the bodies of what is declared there, with its comment.
        outside = re.sub(r'_inside\.h$', '.h', path)
        seen = {name for name, _ in functions_told(tree, outside)} if outside != path else set()
        for name, line in functions_told(tree, path):
            if name not in seen and line not in ends:
                yield path, line, '%s has no comment /** of its own' % name
            seen.add(name)
        yield from old_comments(path, text)


def old_comments(path, text):
    """Comments of public things that doxygen does not see, or shows wrong."""
    public = re.compile(r'CSYS_API\b[^(]*\bcsys_\w+\(|#\s*define (csys|CSYS)_|typedef\b(?!.*\bcsysi_\w+;)|'
                        r'enum\b|struct csys_')
    inside = None  # what the last line was, in a comment for doxygen
    lines = text.split('\n')

    def is_public(index):
        """Whether a line declares what users see; not an enum of constants that they do not."""
        return index < len(lines) and public.match(lines[index]) and not (
            lines[index] == 'enum {' and '\tCSYSI_' in lines[index + 1])
    for line, row in enumerate(lines, 1):
        if row.startswith(('/* ', '/*\n')) and row.endswith('*/') and is_public(line):
            yield path, line, 'a comment of the interface begins with /**'
        elif row == '/*':
            end = next((n for n in range(line, len(lines)) if lines[n].endswith('*/')), line)
            if is_public(end + 1):
                yield path, line, 'a comment of the interface begins with /**'
        if re.match(r'\tCSYS_\w+(?: = [^,/]*)?,?(\s*$|\s*/\*(?!\*<))', row) and not (
                lines[line - 2].endswith('*/') and re.match(r'\t(/\*\*| \*/)', lines[line - 2])):
            yield path, line, 'a constant has a comment /**<'
        if row.startswith('/**'):
            inside = 'text'
        elif not row.startswith(' *') or row.endswith('*/'):
            inside = None
        elif inside:
            columns = re.match(r' \*( *)', row.expandtabs(8)).group(1)
            content = row[2:].strip()
            if not content:
                inside = 'empty' if inside != 'list' else 'list'
            elif content.startswith('\\'):
                inside = 'command'
            elif re.match(r'([-*]|\d+\.) ', content) and len(columns) in (1, 3):
                inside = 'list'
            elif len(columns) >= 5 and inside in ('empty', 'code', 'list'):
                inside = 'code' if inside != 'list' else 'list'
            elif len(columns) > 1 and inside not in ('command', 'list'):
                yield path, line, 'doxygen takes this for text: an empty line before code, ' \
                    '\\retval or a list for a table'
            elif len(columns) == 1 and inside != 'command':
                inside = 'text'


@rule('header')
def file_headers(tree):
    """each file begins by saying its own name and what it is for"""
    shapes = {
        CXX_FILES: r'/\*(?:\*\n \* \\file)?\n? \*? ?(\S+) - \S',
        ('.sh', '/run'): r'#!.*\n# (\S+) - \S',
        ('.py',): r'#!.*\n"""\n(\S+) - \S',
    }
    for path in tree.files(ROOT_FOLDERS, CXX_FILES + SCRIPTS + ('/run', 'run')):
        if os.path.basename(path) != 'run' and not path.endswith(CXX_FILES + SCRIPTS):
            continue
        for endings, shape in shapes.items():
            if ('/' + path).endswith(endings):
                match = re.match(shape, tree.text(path))
                if not match:
                    yield path, 1, 'does not begin with a comment "%s - what it is for"' % (
                        re.sub(r'^(src|include)/', '', path))
                elif not ('/' + path).endswith('/' + match.group(1)):
                    yield path, 1, 'calls itself ' + match.group(1)


# ---- how a comment is laid out -----------------------------------------------------

# .clang-format leaves comments alone, since it fills tables as if they were text;
# so nothing but these two rules looks at their form.


@rule('width')
def width(tree):
    """no line of C is wider than 100 columns, a tab counting 8"""
    for path in tree.files(ROOT_FOLDERS, CXX_FILES):
        for line, text in tree.lines(path):
            columns = len(text.expandtabs(8))
            if columns > 100:
                yield path, line, '%d columns' % columns


@rule('mangled')
def mangled(tree):
    """no comment that a formatter has broken: tables, section rules, ends, those of directives"""
    for path in tree.files(ROOT_FOLDERS, CXX_FILES):
        last = ''
        row = False  # whether the last line is one of a table, or of a snippet
        for line, text in tree.lines(path):
            if '*' not in text:
                row, last = False, text
                continue
            text = text.expandtabs(8)
            flush = re.match(r'\s*(?:/\*+<?|\*) (?! )(?!\\(?:param|retval|return)\b)(.*)', text)
            # Two spaces end a sentence, and are a gap between two columns elsewhere.
            if flush and re.search(r'(?<![\s.!?:;])(?<![.!?]\)) {2,}\S|\S {3,}\S', flush.group(1)):
                yield path, line, 'a table is indented by two columns or more'
            elif row and re.match(r' \* [a-z(]', text):
                yield path, line, 'a row of a table goes on below its text'
            if re.match(r'\s*/\* ?-{3,}', text) and not re.match(r'/\* ---- \S.* -{4,} \*/$', text):
                yield path, line, 'a section rule is one line: /* ---- what ----... */'
            elif re.match(r'\s*\*/$', text) and re.match(r'.*/\*.*\S', last) and '*/' not in last:
                yield path, line, 'a comment of one line ends on it'
            if re.match(r'\s*#.*/\*(?!.*\*/).*\\$', text):
                yield path, line, 'a comment of a directive is continued: give it a line of its own'
            row = bool(re.match(r' \*  +\S', text))
            last = text


# ---- what must not be there --------------------------------------------------------


@rule('words')
def words(tree):
    """nothing unfinished: the usual marks for it"""
    marks = re.compile(r'\b(' + '|'.join(['TO' 'DO', 'FIX' 'ME', 'X' 'XX', 'HA' 'CK']) + r')\b')
    for path in tree.everything():
        if path.endswith('.md'):
            continue  # pages talk about these words
        for line, text in tree.lines(path):
            match = marks.search(text)
            if match:
                yield path, line, match.group() + ': finish it, or write OPEN: with the question'


@rule('language')
def language(tree):
    """the library's own text is in the field's terms (docs/STYLE.md, Language)"""
    # Subjects are threads, callers, processes; a child is set up, not born.
    words = re.compile(r'\b(who|whoever|whomever|(?:new|still)?born|birth|bell)\b', re.I)
    for path in tree.files(['include', 'src'], C_FILES):
        for line, text in tree.lines(path):
            match = words.search(text)
            if match:
                yield path, line, '"%s": name the thread, the caller, the process' % match.group()


@rule('sleeps')
def sleeps(tree):
    """no test sleeps: a deadline, a pipe or a barrier says it better"""
    calls = re.compile(r'\b(u?sleep|nanosleep|clock_nanosleep|thrd_sleep|Sleep)\s*\(')
    command = re.compile(r'(?:^|[;&|({]|\bdo|\bthen|\belse)\s*sleep\s+["$\d.]')
    for path in tree.files(['tests'], CXX_FILES + ('.sh',)):
        pattern = command if path.endswith('.sh') else calls
        for line, text in tree.code(path):
            match = pattern.search(text)
            if match:
                yield path, line, 'a sleep in a test'


@rule('paths')
def paths(tree):
    """no path of one machine; temporary files go where TMPDIR or mktemp says"""
    machine = re.compile(r'(?<![\w.$}/-])/(?:home|work|root|Users)/')
    scratch = re.compile(r'(?<![\w.})])/t' r'mp(?=[/"\'\s]|$)')
    asked = re.compile(r'TMPDIR|mk[sd]?temp')
    for path in tree.everything():
        for line, text in tree.lines(path):
            if machine.search(text):
                yield path, line, 'a path of one machine'
        if path.endswith('.md'):
            continue
        lines = [text for _, text in tree.lines(path)]
        for line, text in tree.code(path):
            near = '\n'.join(lines[max(0, line - 4):line + 1])
            if scratch.search(text) and not asked.search(near):
                yield path, line, 'a fixed temporary path: ask TMPDIR or mktemp'


def wrong_format(tree):
    """as .clang-format wants it (only with --format)"""
    files = tree.files(['bench', 'examples', 'include', 'src', 'tests'], CXX_FILES)
    try:
        run = subprocess.run(['clang-format', '--dry-run', '--style=file'] + files, cwd=tree.root,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        yield '.clang-format', 1, 'clang-format is not installed'
        return
    for line in run.stdout.splitlines():
        match = re.match(r'(.*?):(\d+):\d+: (?:warning|error): ', line)
        if match:
            yield match.group(1), int(match.group(2)), 'clang-format would write it otherwise'
    if run.returncode != 0:
        yield '.clang-format', 1, run.stdout.strip()


def check(tree, rules):
    found = set()
    for name, function in rules.items():
        for path, line, message in function(tree):
            found.add((path, line, name, message))
    return sorted(found)


# ---- the check of the checks --------------------------------------------------------

HEADER = '/*\n * %s - planted.\n */\n'  # three lines, so that what follows is line 4


def plant(path, *lines):
    """A new file with a right header."""
    return path, lambda _: HEADER % re.sub(r'^(src|include)/', '', path) + '\n'.join(lines) + '\n'


def manual_of(*lines):
    """A public header in doxygen's form; what follows is line 6."""
    return raw('include/csys/ipc/planted.h', '/**\n * \\file\n * csys/ipc/planted.h - planted.\n */\n\n' +
               '\n'.join(lines) + '\n')


def raw(path, text):
    return path, lambda _: text


def change(path, pattern, replacement):
    def edit(old):
        new = re.sub(pattern, replacement, old, count=1, flags=re.M)
        assert new != old, 'nothing to change in ' + path
        return new
    return path, edit


# Each: the rule, the line of the first file where it must speak (None: it must
# say nothing about it), and the files to make or change.
PLANTS = [
    ('floors', 4, plant('src/base/planted.c', '#include "ipc/planted.h"'),
     plant('src/ipc/planted.h', 'int csysi_planted(void);')),
    ('floors', 4, plant('src/base/planted.c', '#include "os/os.h"'),
     plant('src/os/os.h', '')),
    ('floors', 4, plant('include/csys/base/planted.h', '#include <csys/process.h>')),
    ('floors', 4, plant('src/process/planted.c', '#include <csys/csys.h>')),
    ('floors', 4, plant('src/process/planted.c', '#include "os/posix/planted.h"'),
     plant('src/os/posix/planted.h', '')),
    ('floors', 4, plant('src/os/posix/planted.c', '#include "os/linux/planted.h"'),
     plant('src/os/linux/planted.h', '')),
    ('floors', 4, plant('src/process/planted.c', '#include "nowhere.h"')),
    ('floors', 4, plant('include/csys/ipc/planted.h', '#include "pipe.h"'),
     plant('include/csys/ipc/pipe.h', '')),
    ('floors', 1, plant('src/attic/planted.c', 'int csysi_planted;')),
    ('floors', None, plant('src/process/planted.c', '#include <csys/io.h>', '#include "os/os.h"'),
     plant('src/os/os.h', '')),
    ('floors', None, plant('src/os/linux/planted.c', '#include "os/posix/planted.h"'),
     plant('src/os/posix/planted.h', '')),
    ('os-header', 5, plant('src/process/planted.c', '#include <string.h>', '#include <unistd.h>')),
    ('os-header', 4, plant('src/base/planted.c', '#include <sys/wait.h>')),
    ('os-header', 4, plant('src/sync/planted.c', '# include <stdatomic.h>')),
    ('os-header', 4, plant('include/csys/ipc/planted.h', '#include <errno.h>')),
    ('os-header', None, plant('src/os/posix/planted.c', '#include <unistd.h>')),
    ('os-header', None, plant('src/base/planted.c', '/*', '#include <unistd.h>', '*/')),
    ('os-if', 4, plant('src/process/planted.c', '#ifdef __linux__', '#endif')),
    ('os-if', 5, plant('src/base/planted.h', '#if defined(__GNUC__) && \\',
                       '\tdefined(_WIN32)', '#endif')),
    ('os-if', 6, plant('include/csys/base/planted.h', '#if 1', '#else', '#elif __APPLE__', '#endif')),
    ('os-if', 4, plant('src/ipc/planted.c', '#define _GNU_SOURCE')),
    ('os-if', 4, plant('include/csys/sync/planted.h', '#if defined(__ELF__)', '#endif')),
    ('os-if', 4, plant('src/base/planted.h', '#ifndef __MINGW32__', '#endif')),
    ('os-if', 4, plant('src/sync/planted.c', '#if defined(__ELF__) || __FreeBSD__', '#endif')),
    ('os-if', 5, plant('src/sync/planted.c', '#if 1', '#elif defined(__MACHO__)', '#endif')),
    ('os-if', r'^#if defined\(__linux__\)', change('include/csys/base/attributes.h',
                                                  r'^#if defined\(__ELF__\)',
                                                  '#if defined(__linux__)')),
    ('os-if', None, change('include/csys/base/attributes.h', r'^#if defined\(__ELF__\)',
                           '#ifdef __ELF__')),
    ('os-if', None, plant('src/sync/planted.c', '#if CSYSI_IS_ELF', '#endif')),
    ('os-if', None, plant('src/os/posix/planted.c', '#ifdef __APPLE__', '#endif')),
    ('os-if', None, plant('src/base/planted.c', '#ifdef __cplusplus /* not __linux__ */', '#endif')),
    ('parts', 1, plant('src/os/planted.h', '')),
    ('parts', 1, change('src/os/wake.h', r'\Z', '\n'), change('src/os/os.h', r'#include "os/wake.h"\n', '')),
    ('parts', None, plant('src/os/linux/planted.h', '')),
    ('twins', 1, plant('include/csys/ipc/planted.h', ''),
     plant('tests/ipc/test_planted.c', 'int x;')),
    ('twins', 1, plant('include/csys/ipc/planted.h', ''), plant('src/ipc/planted.c', '')),
    ('twins', None, plant('include/csys/ipc/planted.h', ''), plant('src/ipc/planted.c', ''),
     plant('tests/ipc/test_planted.c', '')),
    ('symbols', 4, plant('include/csys/ipc/planted.h', 'CSYS_API int csys_planted(void);')),
    ('symbols', 1, change(SYMBOLS, r'\A', 'csys_planted\n')),
    ('exported', 4, plant('include/csys/ipc/planted.h', 'CSYS_API int csysi_planted(void);')),
    ('exported', None, plant('include/csys/ipc/planted.h', 'CSYS_API int csys_planted(void);')),
    ('exported', 'csysi_planted', change(MAP, r'^local:', '\tcsysi_planted;\nlocal:')),
    ('version', 'CSYS_VERSION_PATCH \\d', change('include/csys/base/version.h',
                                                 r'(CSYS_VERSION_PATCH) \d+$', r'\1 98')),
    ('names', 4, plant('include/csys/ipc/planted.h', 'CSYS_API int planted(void);')),
    ('names', 4, plant('include/csys/ipc/planted.h', '#define PLANTED 1')),
    ('names', 4, plant('include/csys/ipc/planted.h', '#define csys_planted 1')),
    ('names', None, plant('include/csys/ipc/planted.h', '#define csys_planted(x) (x)')),
    ('names', 4, plant('include/csys/ipc/planted.h', 'typedef int planted;')),
    ('names', 6, plant('include/csys/ipc/planted.h', 'typedef struct csys_planted {', '\tint x;',
                       '} planted;')),
    ('names', 6, plant('include/csys/ipc/planted.h', 'enum {', '\tCSYS_PLANTED = 1,',
                       '\tPLANTED = 2', '};')),
    ('names', None, plant('include/csys/ipc/planted.h', '/* One. */',
                          'CSYS_API const char *csys_planted(int (*f)(void), const char *s);',
                          'enum {', '\tCSYS_PLANTED = 1', '};', '#define CSYS_PLANT(x) (x)')),
    ('manual', 1, raw('include/csys/ipc/planted.h', '/*\n * csys/ipc/planted.h - planted.\n */\n')),
    ('manual', 6, manual_of('CSYS_API int csys_planted(void);')),
    ('manual', 8, manual_of('/** One function. */', 'CSYS_API int csys_planted(void);',
                            'CSYS_API int csys_other(void);')),
    ('manual', 8, manual_of('/** One function. */', '', 'CSYS_API int csys_planted(void);')),
    ('manual', 6, manual_of('static inline int csys_planted(void)', '{', '}')),
    ('manual', 6, raw('include/csys/sync/rwlock_inside.h',
                      '/**\n * \\file\n * csys/sync/rwlock_inside.h - planted.\n */\n\n'
                      'static inline int csys_planted(void)\n{\n}\n')),
    ('manual', 6, manual_of('/* Plant. */', 'CSYS_API int csys_planted(void);')),
    ('manual', 6, manual_of('/*', ' * Many.', ' */', '#define CSYS_PLANTED 1')),
    ('manual', 8, manual_of('/** Plants. */', 'enum {', '\tCSYS_PLANTED = 1, /* one */', '};')),
    ('manual', 8, manual_of('/** Plants. */', 'enum {', '\tCSYS_PLANTED', '};')),
    ('manual', 6, manual_of('/** The same, by a deadline. */', 'CSYS_API int csys_planted(void);')),
    ('manual', 6, manual_of('/**', ' * Plant it here.', ' */', 'CSYS_API int csys_planted(void);')),
    ('manual', 6, manual_of('/** Plant a tree */', 'CSYS_API int csys_planted(void);')),
    ('manual', 8, manual_of('/**', ' * Plant a tree.  Returns', ' *   0   it grows', ' */',
                            'CSYS_API int csys_planted(void);')),
    ('manual', 8, manual_of('/**', ' * Plant a tree.', ' *     int code;', ' */',
                            'CSYS_API int csys_planted(void);')),
    ('manual', None, manual_of(
        '/**', ' * Plant a tree.  It grows, e.g. here.', ' *', ' *     int code;', ' *             deep();', ' *',
        ' *     more();', ' *', ' * - one', ' *   two', ' *', ' *   three', ' *', ' * \\param a  goes on', ' *           here',
        ' * \\retval 0  yes', ' */', 'CSYS_API int csys_planted(int a);', '', '/** What plants are. */',
        'enum {', '\tCSYS_PLANTED = 1, /**< one */', '\tCSYS_MORE = 2   /**< and', '\t\t\t * two */',
        '\t/**', '\t * Three.', '\t */', '\tCSYS_THREE = 3,', '};',
        '/* Inside. */', 'CSYS_API int csysi_planted(csys_x *x);', '/* Inside. */', 'typedef int csysi_number;',
        '/* Inside. */', 'enum {', '\tCSYSI_PLANTED_X = 1', '};',
        '#define CSYSI_PLANTED 1',
        '/** Plant a tree', ' * in a hurry. */', 'static inline int csys_quick(void);',
        'static inline int csys_quick(void)', '{', '}')),
    ('header', None, manual_of()),
    ('mangled', None, manual_of('/**', ' * Plant.', ' *', ' * \\param tree     grows', ' * \\retval 0       all',
                                ' *                is well', ' * \\retval CSYS_E  it is not', ' */')),
    ('header', 1, raw('src/base/planted.c', 'int csysi_planted;\n')),
    ('header', 1, raw('src/base/planted.c', '/*\n * base/other.c - another.\n */\n')),
    ('header', 1, raw('tools/planted.sh', '#!/bin/sh\ntrue\n')),
    ('header', 1, raw('tools/planted.py', '#!/usr/bin/env python3\nimport os\n')),
    ('header', None, raw('src/base/planted.c', '/* base/planted.c - one line */\n')),
    ('width', 4, plant('src/base/planted.c', '/* ' + 95 * 'x' + ' */')),
    ('width', 5, plant('tests/base/planted.c', '/*', '\t * ' + 90 * 'x', ' */')),
    ('width', 4, plant('tests/base/planted.cc', '// ' + 98 * 'x')),
    ('width', None, plant('src/base/planted.c', '/* ' + 94 * 'x' + ' */', '\t' + 92 * '\u00e4')),
    ('mangled', 8, plant('include/csys/ipc/planted.h', '/*', ' * One.  Returns',
                         ' *   0               all is well', ' *   CSYS_ETIMEDOUT  it is not, and what was',
                         ' * begun goes on CSYS_ENOMEM     likewise', ' */')),
    ('mangled', 7, plant('include/csys/ipc/planted.h', '/*', ' *   0               all is well, or',
                         ' *                   it is not, and what was', ' * begun goes on', ' */')),
    ('mangled', 4, plant('src/base/planted.c', '/* CSYS_ENOMEM     likewise */')),
    ('mangled', 5, plant('src/base/planted.c', '/*', ' * A.)  B  c', ' */')),
    ('mangled', 4, plant('src/base/planted.c', '/* ---- one ' + 84 * '-', ' */')),
    ('mangled', 4, plant('src/base/planted.c', '/* ---- one', ' * ' + 84 * '-' + ' */')),
    ('mangled', 5, plant('src/base/planted.c', '/* One line of text', ' */')),
    ('mangled', 5, plant('src/base/planted.c', 'int csysi_planted; /* One line of text', '\t*/')),
    ('mangled', 4, plant('tests/compile/planted.c', '#ifdef ONE /* rejected: two \\', '\t    */',
                         '#endif')),
    ('mangled', None, plant(
        'include/csys/ipc/planted.h', '/* ---- one ' + 62 * '-' + ' */', '', '/*',
        ' * A sentence.  (Another one!)  A third:  all of them end.', ' *   0               all is',
        ' *                   well', ' *   CSYS_ENOMEM     it is not', ' * After the table.', ' */',
        '#define CSYS_PLANTED 1 /* one */', '/* Two', ' * lines. */', '/*', ' *', ' */')),
    ('words', 4, plant('src/base/planted.c', '// TO' 'DO: more')),
    ('words', 2, raw('src/planted/meson.build', '\n# FIX' 'ME\n')),
    ('words', None, raw('tools/planted.sh', 'mktemp x.X' 'XXXXX\n')),
    ('signals', 4, plant('src/process/planted.c', '\tcsysi_planted(SIGTERM);')),
    ('signals', 4, plant('src/process/planted.c', '\tcsys_child_signal(list[i(0)], 9);')),
    ('signals', None, plant('src/process/planted.c', '\t/* SIGTERM */ csys_child_signal(child, signal);')),
    ('signals', None, plant('src/os/posix/planted.c', '\tkill(pid, SIGTERM);')),
    ('language', 4, plant('src/base/planted.c', '/* Who' ' waits is woken. */')),
    ('language', 4, plant('include/csys/base/planted.h', '/* From its bir' 'th. */')),
    ('language', None, plant('src/base/planted.c', '/* A thread whose turn it is. */')),
    ('sleeps', 4, plant('tests/base/planted.c', '\tusleep(10);')),
    ('sleeps', 2, raw('tests/planted.sh', '\nwhile true; do sleep 1; done\n')),
    ('sleeps', None, plant('tests/base/planted.c', '/* sleep(1) */ run("sleep", "60");')),
    ('paths', 4, plant('src/base/planted.c', '/* see /ho' 'me/me/notes */')),
    ('paths', 1, raw('docs/planted.md', 'cd /wo' 'rk/csys\n')),
    ('paths', 4, plant('tests/base/planted.c', '\topen("/t' 'mp/planted");')),
    ('paths', 1, raw('tools/planted.sh', 'log=/t' 'mp/log\n')),
    ('paths', None, plant('tests/base/planted.c', '/* cd \'/t' 'mp/a b\' */')),
    ('paths', None, plant('tests/base/planted.c', '\tconst char *d = getenv("TMPDIR");', '\tif (!d)',
                          '\t\td = "/t' 'mp";')),
    ('format', 4, plant('src/base/planted.c', 'int   csysi_planted( void ) ;')),
    ('format', None, plant('src/base/planted.c', 'int csysi_planted(void);')),
    ('models', r'^static int arrive\(', change('src/sync/barrier.c', r'word \+ 1;$', 'word + 2;')),
    ('models', r'^static inline int csys_mutex_lock\(csys_mutex \*mutex\)$',
     change('include/csys/sync/mutex.h', r'csysi_mutex_lock_slow\(mutex\);', 'csysi_none(mutex);')),
    ('models', r'^uint32_t csys_latch_done\(',
     change('src/sync/latch.c', r'csysi_cas_acq_rel', 'csysi_cas_relaxed')),
    ('models', r'^CSYSI_ALWAYS struct csysi_channel_seat \*csysi_channel_enter\(',
     change('include/csys/sync/channel_inside.h', r'&seat->is_busy, 0, __ATOMIC_RELEASE\);$',
            '&seat->is_busy, 0, __ATOMIC_RELAXED);')),
    ('models', 1, change('tests/model/latch.pml', r'count >= n', 'count > n')),
    ('models', 1, change('tests/model/wake.pml', r'^#define FOREVER 0', '#define FOREVER 2')),
    ('models', 1, raw('tests/model/planted.pml',
                      '/*\n * planted.pml - planted.\n */\nactive proctype p() { skip }\n')),
    ('models', 1, raw(DIGESTS, 'latch.pml src/sync/latch.c:planted 0123456789abcdef\n')),
    ('models', None, change('src/sync/latch.c', r'^(int csys_latch_add\()', r'/* Planted. */\n\1')),
    ('models', None, change('src/sync/latch.c', r'^\tuint32_t next;', '\tuint32_t   next;')),
    ('models', None, change('include/csys/sync/channel_inside.h', r'memcpy\(to, from, size\);$',
                            'memcpy(to, from, size + 0);')),
]


def self_test(root, present):
    """Whether each rule sees what is planted for it, and no rule goes unplanted."""
    rules = dict(RULES, format=wrong_format)
    plants = PLANTS
    wrong = 0
    if not shutil.which('clang-format'):
        print('self-test: clang-format is not installed, so the rule format is not tried')
        wrong += not present
        plants = [plant for plant in PLANTS if plant[0] != 'format']
    with tempfile.TemporaryDirectory() as copy:
        for name in os.listdir(root):
            source, target = os.path.join(root, name), os.path.join(copy, name)
            if name in ROOT_FOLDERS:
                shutil.copytree(source, target, ignore=shutil.ignore_patterns(*IGNORED, 'build*'))
            elif os.path.isfile(source):
                shutil.copy(source, target)
        clean = Tree(copy)
        before = {name: {(p, n) for p, n, _ in rules[name](clean)} for name in rules}
        for name, where, *files in plants:
            wrong += not planted(clean, name, rules[name], before[name], where, files)
        wrong += not planted_in_library(copy)
        wrong += not planted_circles(copy)
    for name in rules:
        if name != 'circles' and not any(p[0] == name and p[1] is not None for p in PLANTS):
            print('self-test: no plant for the rule', name)
            wrong += 1
    print('%d plants, %d wrong' % (len(plants) + 2, wrong))
    return wrong


def planted(clean, name, function, before, where, files):
    copy = clean.root
    saved = {}
    created = []
    for path, edit in files:
        full = os.path.join(copy, path)
        old = None
        if os.path.exists(full):
            with open(full, encoding='utf-8') as file:
                old = file.read()
        folder = os.path.dirname(full)
        while not os.path.isdir(folder):
            created.append(folder)
            folder = os.path.dirname(folder)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        saved[full] = old
        with open(full, 'w', encoding='utf-8') as file:
            file.write(edit(old))
    path = files[0][0]
    tree = Tree(copy)
    changed = [p for p, _ in files]
    tree.texts = {p: text for p, text in clean.texts.items() if p not in changed}
    if isinstance(where, str):
        where = next(n for n, text in tree.lines(path) if re.search(where, text))
    seen = {(p, n) for p, n, _ in function(tree)} - before
    good = (path, where) in seen if where else not any(p == path for p, _ in seen)
    if not good:
        print('self-test: %s, planted in %s: expected %s, seen %s' % (
            name, path, 'line %d' % where if where else 'nothing', sorted(seen) or 'nothing'))
        print('    ' + tree.text(path).replace('\n', '\n    ').rstrip())
    for full, old in saved.items():
        if old is None:
            os.remove(full)
        else:
            with open(full, 'w', encoding='utf-8') as file:
                file.write(old)
    for folder in created:
        if not os.listdir(folder):
            os.rmdir(folder)
    return good


def planted_in_library(copy):
    """A library with one name of each kind: only the stranger may be reported."""
    public = next(name for name, _, _ in declared(Tree(copy)))
    source, object_file, library = (os.path.join(copy, name)
                                    for name in ('planted.c', 'planted.o', 'planted.a'))
    with open(source, 'w', encoding='utf-8') as file:
        file.write('int planted(void) { return 0; }\nint csysi_planted(void) { return 0; }\n'
                   'int csys_planted(void) { return 0; }\nint %s(void) { return 0; }\n'
                   'static int hidden(void) { return 0; }\nint csysi_x(void) { return hidden(); }\n'
                   % public)
    subprocess.run(['cc', '-c', source, '-o', object_file], check=True)
    subprocess.run(['ar', 'cr', library, object_file], check=True)
    seen = sorted(message.split()[1] for _, _, message in library_names(Tree(copy, library)))
    if seen != ['csys_planted', 'planted']:
        print('self-test: names, planted in a library: seen', seen)
        return False
    return True


def planted_circles(copy):
    """A library whose files call each other: only the circle that is not listed may be reported."""
    library = os.path.join(copy, 'circles.a')
    for member, names in {'base_one': 'two', 'io_two': 'three', 'io_three': 'one', 'io_four': 'one',
                          'base_deadline': 'clock', 'os_posix_clock': 'deadline'}.items():
        source, object_file = (os.path.join(copy, member + end) for end in ('.c', '.c.o'))
        with open(source, 'w', encoding='utf-8') as file:
            file.write('void %s(void);\nvoid %s(void) { %s(); }\n' % (
                names, member.split('_')[-1], names))
        subprocess.run(['cc', '-O0', '-c', source, '-o', object_file], check=True)
        subprocess.run(['ar', 'cr', library, object_file], check=True)
    seen = [message for _, _, message in circles(Tree(copy, library))]
    if seen != ['these need each other: base/one, io/three, io/two']:
        print('self-test: circles, planted in a library: seen', seen)
        return False
    return True


def find_library(build):
    for where, _, files in os.walk(build):
        if 'libcsys.a' in files:
            return os.path.join(where, 'libcsys.a')
    sys.exit('house.py: no libcsys.a under ' + build)


def main():
    parser = argparse.ArgumentParser(description='The rules of the house.')
    parser.add_argument('--root', default=os.path.join(os.path.dirname(__file__), '..', '..'))
    parser.add_argument('--build', metavar='DIR', help='check the names in its libcsys.a too')
    parser.add_argument('--format', action='store_true', help='check the format only')
    parser.add_argument('--self-test', action='store_true', help='check the rules')
    parser.add_argument('--update-symbols', action='store_true', help='write symbols.txt')
    parser.add_argument('--present', action='store_true', help='do without tools that are missing')
    parser.add_argument('--update-models', action='store_true', help='write digests.txt')
    parser.add_argument('--list', action='store_true', help='name the rules')
    arguments = parser.parse_args()
    root = os.path.realpath(arguments.root)

    if arguments.list:
        for name, function in dict(RULES, format=wrong_format).items():
            print('%-10s %s' % (name, function.__doc__))
        return 0
    if arguments.self_test:
        return 1 if self_test(root, arguments.present) else 0

    tree = Tree(root, arguments.build and find_library(arguments.build))
    if arguments.update_symbols:
        with open(os.path.join(root, SYMBOLS), 'w', encoding='utf-8') as file:
            file.writelines(sorted(name + '\n' for name, _, _ in declared(tree) if name))
        return 0
    if arguments.update_models:
        with open(os.path.join(root, DIGESTS), 'w', encoding='utf-8') as file:
            file.writelines(text + '\n' for _, _, text in digests(tree))
        return 0
    found = check(tree, {'format': wrong_format} if arguments.format else RULES)
    for path, line, name, message in found:
        print('%s:%d: %s: %s' % (path, line, name, message))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
