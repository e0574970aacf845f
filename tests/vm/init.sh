#!/bin/busybox sh
# vm/init.sh - the first process of the virtual machine: run the tests of /plan.
#
# A line for each on the serial console, which run.sh reads:
#
#     @ RESULT SECONDS NAME      RESULT is the exit status, 137 after a time limit
#
# then, if it failed or "verbose" is on the kernel's command line, what the test wrote,
# indented; at the end "@ end".
# Every path below is in the machine, whose files vanish with it.
/bin/busybox mkdir -p proc sys dev tmp etc usr run
/bin/busybox ln -s /bin /usr/bin
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox --install -s /bin
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 none /dev/pts
mount -t tmpfs none /dev/shm
chmod 1777 tmp dev/shm
ln -sf /proc/self/fd /dev/fd
ifconfig lo up
echo 'root:x:0:0::/:/bin/sh' >/etc/passwd
export PATH=/bin:/usr/bin HOME=/

echo "@ kernel $(uname -r)"
verbose=$(grep -w verbose /proc/cmdline)
cd /build || exec poweroff -f

# check NAME SECONDS WORD... - run one test, in a session of its own.
check() {
    name=$1 limit=$2 failed=
    shift 2
    begin=$(cut -d. -f1 /proc/uptime)
    timeout -s KILL "$limit" setsid "$@" </dev/null >/run/log 2>&1
    result=$?
    echo "@ $result $(($(cut -d. -f1 /proc/uptime) - begin)) $name"
    [ $result -eq 0 ] || [ $result -eq 77 ] || failed=yes
    [ -z "$failed$verbose" ] || tail -n 60 /run/log | sed 's/^/    /'
    [ -z "$failed" ] || kill -9 -1 2>/dev/null # what it left; the first process is spared
}
. /plan
echo '@ end'
poweroff -f
