/*
 * os/test_block.c - exam: blocks of memory that grow.
 */
#include <string.h>

#include "os/os.h"
#include "support/support.h"

#define MIB ((size_t)1 << 20)

static void a_block_keeps_its_content_as_it_grows_and_shrinks(void **state)
{
	(void)state;
	void *block = NULL;
	size_t size = 0;

	for (size_t next = CSYSI_OS_BLOCK; next <= 32 * MIB; next *= 2) {
		assert_int_equal(csysi_os_block_resize(&block, size, next), 0);
		memset((char *)block + size, (int)(next / MIB), next - size);
		size = next;
	}
	assert_int_equal(((unsigned char *)block)[0], 2);
	assert_int_equal(((unsigned char *)block)[2 * MIB], 4);
	assert_int_equal(((unsigned char *)block)[32 * MIB - 1], 32);

	assert_int_equal(csysi_os_block_resize(&block, size, 4 * MIB), 0);
	assert_int_equal(((unsigned char *)block)[4 * MIB - 1], 4);
	assert_int_equal(csysi_os_block_resize(&block, 4 * MIB, 0), 0);
	assert_null(block);
}

static void too_much_fails_and_keeps_the_block(void **state)
{
	(void)state;
	void *block = NULL;
	assert_int_equal(csysi_os_block_resize(&block, 0, CSYSI_OS_BLOCK), 0);
	memset(block, 7, CSYSI_OS_BLOCK);
	void *before = block;

	size_t absurd = SIZE_MAX / CSYSI_OS_BLOCK * CSYSI_OS_BLOCK;
	assert_int_equal(csysi_os_block_resize(&block, CSYSI_OS_BLOCK, absurd), CSYS_ENOMEM);
	assert_ptr_equal(block, before);
	csysi_fault_arm(1);
	assert_int_equal(csysi_os_block_resize(&block, CSYSI_OS_BLOCK, 2 * CSYSI_OS_BLOCK),
			 CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_int_equal(((char *)block)[CSYSI_OS_BLOCK - 1], 7);
	csysi_os_block_resize(&block, CSYSI_OS_BLOCK, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_keeps_its_content_as_it_grows_and_shrinks),
		TEST(too_much_fails_and_keeps_the_block),
	};
	return RUN(tests);
}
