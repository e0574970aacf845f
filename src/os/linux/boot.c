/*
 * os/linux/boot.c - the boot of the system.
 */
#define _GNU_SOURCE /* CLOCK_BOOTTIME */
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"

#define SECOND 1000000000

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "e4e4b24f-c79a-4ff9-8ab6-f35f421c7c37" */
static int read_boot_id(uint64_t out[2])
{
	char text[64];
	csys_handle file;
	if (csysi_os_open_file("/proc/sys/kernel/random/boot_id", CSYSI_OS_READ, &file) < 0)
		return -1;
	ssize_t size = read((int)file, text, sizeof text);
	csysi_os_close(file);

	int digits = 0;
	out[0] = out[1] = 0;
	for (ssize_t i = 0; i < size && digits < 32; i++) {
		int digit = hex_digit(text[i]);
		if (digit < 0)
			continue;
		out[digits / 16] = out[digits / 16] << 4 | (uint64_t)digit;
		digits++;
	}
	return digits == 32 ? 0 : -1;
}

void csysi_os_boot_id(uint64_t out[2])
{
	/* Read once, and kept in parts of 32 bits, which every processor stores in one step.  Two
	 * threads that read it at the same time store the same parts. */
	static uint32_t kept[4];
	static int known;

	/* Acquire pairs with the release below: a thread that sees the flag sees the parts. */
	if (!csysi_load_acquire(&known)) {
		uint64_t id[2];
		if (read_boot_id(id) < 0) {
			out[0] = out[1] = 0;
			return;
		}
		for (int i = 0; i < 4; i++)
			csysi_store_relaxed(&kept[i], (uint32_t)(id[i / 2] >> 32 * (i % 2)));
		csysi_store_release(&known, 1);
	}
	for (int i = 0; i < 2; i++)
		out[i] = (uint64_t)csysi_load_relaxed(&kept[2 * i + 1]) << 32 |
			 csysi_load_relaxed(&kept[2 * i]);
}

int64_t csysi_os_boot_time(void)
{
	struct timespec wall, boot;

	/* Neither can fail. */
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)(wall.tv_sec - boot.tv_sec) * SECOND + (wall.tv_nsec - boot.tv_nsec);
}
