/*
 * os/test_parallelism_linux.c - exam: the CPU time that the groups of this process may use.
 */
#define _GNU_SOURCE /* mkdtemp, ftw */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/parallelism.h"
#include "support/support.h"

/* ---- a tree of files as the kernel shows them ------------------------------------------------ */

static char root[256];

static int new_root(void **state)
{
	const char *folder = getenv("TMPDIR");
	snprintf(root, sizeof root, "%.200s/csys-XXXXXX", folder ? folder : "/tmp");
	return mkdtemp(root) ? support_before(state) : -1;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
	(void)about;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_root(void **state)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return support_after(state);
}

/* Write a file of the tree, its folders too. */
static void put(const char *name, const char *text)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", root, name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

#define MOUNT_2 "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
#define MOUNT_1 "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
#define OTHERS                                                    \
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" \
	"23 22 0:21 / /proc rw - proc proc rw\n"                  \
	"33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

static void no_groups_are_no_limit(void **state)
{
	(void)state;
	assert_int_equal(csysi_linux_cpu_quota(root), 0); /* no files at all */
	put("proc/self/mountinfo", OTHERS);
	put("proc/self/cgroup", "0::/\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 0);
	put("proc/self/mountinfo", OTHERS MOUNT_2);
	assert_int_equal(csysi_linux_cpu_quota(root), 0);
	put("sys/fs/cgroup/cpu.max", "max 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 0);
}

static void the_least_quota_of_the_group_and_those_above_counts(void **state)
{
	(void)state;
	put("proc/self/mountinfo", OTHERS MOUNT_2);
	put("proc/self/cgroup", "0::/a/b\n");
	put("sys/fs/cgroup/a/b/cpu.max", "650000 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 6);
	put("sys/fs/cgroup/a/cpu.max", "200000 50000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 4);
	put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 4);
	put("sys/fs/cgroup/cpu.max", "300000 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 3);
	put("sys/fs/cgroup/other/cpu.max", "100000 100000\n"); /* not above */
	assert_int_equal(csysi_linux_cpu_quota(root), 3);
}

static void less_than_one_cpu_is_one(void **state)
{
	(void)state;
	put("proc/self/mountinfo", MOUNT_2);
	put("proc/self/cgroup", "0::/a\n");
	put("sys/fs/cgroup/a/cpu.max", "5000 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 1);
}

static void version_1_counts_too(void **state)
{
	(void)state;
	put("proc/self/mountinfo", OTHERS MOUNT_1);
	put("proc/self/cgroup", "5:cpuset:/x\n4:cpuacct,cpu:/box/inner\n0::/y\n");
	put("sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_quota_us", "-1\n");
	put("sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_period_us", "100000\n");
	put("sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us", "100000\n");
	put("sys/fs/cgroup/cpuset/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 0);
	put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n");
	put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "50000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 5);
}

static void a_part_of_the_hierarchy_may_be_mounted_anywhere(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/machine/box/inner\n");
	put("proc/self/mountinfo", "9 1 0:28 /machine/box /my\\040groups rw - cgroup2 none rw\n");
	put("my groups/inner/cpu.max", "400000 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 4);
	put("my groups/cpu.max", "200000 100000\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 2);
	/* A group that is not in what is mounted: what is mounted is all that can be seen. */
	put("proc/self/cgroup", "0::/machine/boxes\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 2);
	put("proc/self/cgroup", "0::/machine/box/../other\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 2);
	put("proc/self/cgroup", "0::/../outside\n");
	assert_int_equal(csysi_linux_cpu_quota(root), 2);
}

static void damaged_files_are_no_limit(void **state)
{
	(void)state;
	char line[9000];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/cpu.max", "100000 100000\n");
	const char *mounts[] = { "",
				 "\n\n",
				 " - \n",
				 "1 2 3 4 5 - cgroup2 cgroup2 rw\n",
				 "31 23 0:28 / /sys/fs/cgroup rw - cgroup2\n",
				 line };
	for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
		put("proc/self/mountinfo", mounts[i]);
		assert_int_equal(csysi_linux_cpu_quota(root), 0);
	}
	put("proc/self/mountinfo", MOUNT_2);
	const char *limits[] = { "", "\n", "100000\n", "x y\n", "100000 0\n", "-5 100000\n", line };
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		put("sys/fs/cgroup/cpu.max", limits[i]);
		assert_int_equal(csysi_linux_cpu_quota(root), 0);
	}
	put("sys/fs/cgroup/cpu.max", "100000 100000"); /* whole, but for the end of the line */
	assert_int_equal(csysi_linux_cpu_quota(root), 1);
	const char *groups[] = { "", "0\n", "0:\n", ":\n", "1:cpuset:/\n", line };
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		put("proc/self/cgroup", groups[i]);
		assert_int_equal(csysi_linux_cpu_quota(root), 0);
	}
}

static void without_memory_no_limit_is_known(void **state)
{
	(void)state;
	put("proc/self/mountinfo", MOUNT_2);
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/cpu.max", "100000 100000\n");
	csysi_fault_arm(1);
	assert_int_equal(csysi_linux_cpu_quota(root), 0);
	assert_true(csysi_fault_fired());
	csysi_fault_arm(0);
	assert_int_equal(csysi_linux_cpu_quota(root), 1);
}

#define IN_ROOT(name) cmocka_unit_test_setup_teardown(name, new_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(no_groups_are_no_limit),
		IN_ROOT(the_least_quota_of_the_group_and_those_above_counts),
		IN_ROOT(less_than_one_cpu_is_one),
		IN_ROOT(version_1_counts_too),
		IN_ROOT(a_part_of_the_hierarchy_may_be_mounted_anywhere),
		IN_ROOT(damaged_files_are_no_limit),
		IN_ROOT(without_memory_no_limit_is_known),
	};
	return RUN(tests);
}
