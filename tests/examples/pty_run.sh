#!/bin/sh
# tests/examples/pty_run.sh - pty_run gives a terminal, passes all on, and puts ours back
set -u
pty_run=$(cd "$(dirname "$1")" && pwd)/pty_run
export pty_run
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
# What a program says on a terminal, without the terminal's "\r".
on_terminal() { "$pty_run" "$@" | tr -d '\r'; }
mkfifo news
exec 3<>news

"$pty_run" true </dev/null >out 2>err || {
    cat err
    grep -q 'cannot open a pseudo-terminal' err && exit 77
    exit 1
}

# A terminal, and one of its own.
same 'its streams' "$(on_terminal sh -c 'test -t 0 && test -t 1 && test -t 2 && echo yes' </dev/null)" yes
case $(on_terminal tty </dev/null) in
/dev/*) ;;
*) fail 'it has no terminal' ;;
esac
same 'its controlling terminal' "$(on_terminal sh -c 'echo hello >/dev/tty' </dev/null)" hello
same 'arguments as they are' "$(on_terminal printf '<%s>' 'a  b' "it's" '"$x"' </dev/null)" "<a  b><it's><\"\$x\">"

# How it exits.
code() {
    expected=$1
    shift
    "$@" </dev/null >out 2>err
    same "the code of $*" $? "$expected"
}
code 7 "$pty_run" sh -c 'exit 7'
code 137 "$pty_run" sh -c 'kill -9 $$'
code 127 "$pty_run" no-such-program
grep -q 'no such file' err || fail 'a missing program is not told'
code 126 "$pty_run" /
code 125 "$pty_run"
{
    "$pty_run" yes </dev/null 2>err
    echo $? >code
} | head -n 1 >first
same 'the code when nobody reads' "$(cat code)" 125

# What is typed, and its end.
printf 'one\ntw  o' | "$pty_run" sh -c 'cat >copy; echo "the end"' >out
same 'what is typed' "$(cat copy)" 'one
tw  o'
grep -q 'the end' out || fail 'the end of stdin is not typed'
seq 20000 >numbers
"$pty_run" tee copy <numbers >out || fail 'much does not go through'
cmp -s numbers copy || fail 'much is typed otherwise'
"$pty_run" cat numbers </dev/null | tr -d '\r' | cmp -s - numbers || fail 'much is written otherwise'
# Who is left on the terminal is not waited for.
left=$(on_terminal sh -c 'trap "" HUP; "$CSYS_TEST_HELPER" wait >/dev/null & echo $!' </dev/null)
kill "$left" || fail 'nobody was left'

# Our own terminal, from within one.
mkfifo quiet
exec 4<>quiet
within() { "$pty_run" sh -c "stty rows 10 columns 20; $1" <&4 | tr -d '\r'; }
same 'a size when there is none' "$("$pty_run" stty size </dev/null 2>err | tr -d '\r')" '24 80'
same 'our size' "$(within '"$pty_run" stty size')" '10 20'
same 'a new size' "$(within '"$pty_run" sh -c "stty rows 11 columns 21 <\"\$0\"
    until [ \"\$(stty size)\" = \"11 21\" ]; do :; done; echo passed" "$(tty)"')" passed
within 'stty -g >before; "$pty_run" sh -c "stty -a <\"\$0\" >during" "$(tty)"; stty -g >after'
grep -q -e '-icanon' during || fail 'our terminal is not raw'
cmp -s before after || fail 'our terminal is not put back'
same 'the code after SIGTERM, from within' "$(within 'stty -g >before
    "$pty_run" "$CSYS_TEST_HELPER" wait </dev/tty >news & pid=$!
    read -r line <news; kill -TERM $pid; wait $pid; echo $?; stty -g >after' 2>err)" 143
cmp -s before after || fail 'our terminal is not put back after SIGTERM'

# Signals.
after() {
    "$pty_run" "$CSYS_TEST_HELPER" "$3" </dev/null >news &
    pid=$!
    read -r line <&3
    kill "-$1" $pid
    wait $pid
    same "the code of $3 after SIG$1" $? "$2"
}
after INT 130 wait
after HUP 129 wait
after TERM 3 polite
after TERM 137 stay
mkfifo full
exec 5<>full
"$pty_run" sh -c 'trap "" TERM; exec yes' </dev/null >&5 &
pid=$!
dd bs=1 count=1 <&5 >first 2>err
kill -TERM $pid
wait $pid
same 'the code after SIGTERM when nobody reads' $? 137
exit $failed
