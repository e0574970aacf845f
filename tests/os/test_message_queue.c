/*
 * os/test_message_queue.c - exam: the system's queues of messages, of both kinds.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

#define BOTH (CSYSI_OS_QUEUE_SEND | CSYSI_OS_QUEUE_RECV)

static char name[64];

static struct csysi_os_queue_request request(unsigned flags)
{
	snprintf(name, sizeof name, "csys-os-queue-%ld", (long)getpid());
	return (struct csysi_os_queue_request){
		.name = name, .flags = flags, .mode = 0600, .max_messages = 2, .max_size = 16
	};
}

static void a_queue_is_found_by_its_name(void **state)
{
	(void)state;
	struct csysi_os_message_queue queue, other;
	struct csysi_os_queue_request wanted = request(BOTH);
	int can = csysi_os_can(CSYS_CAN_MESSAGE_QUEUE);
	assert_int_equal(csysi_os_message_queue_open(&wanted, &queue),
			 can ? CSYS_ENOENT : CSYS_ENOTSUP);
	if (!can)
		return;
	wanted = request(BOTH | CSYSI_OS_QUEUE_CREATE | CSYSI_OS_QUEUE_EXCLUSIVE);
	assert_int_equal(csysi_os_message_queue_open(&wanted, &queue), 0);
	assert_int_equal(csysi_os_message_queue_open(&wanted, &other), CSYS_EEXIST);
	wanted = request(BOTH | CSYSI_OS_QUEUE_OWN);
	assert_int_equal(csysi_os_message_queue_open(&wanted, &other), 0);
	csysi_os_message_queue_close(&other);
	int r = csysi_os_message_queue_is_at(&queue, name);
	assert_true(r == 1 || r == CSYS_ENOTSUP);
	assert_int_equal(csysi_os_message_queue_unlink(name), 0);
	assert_int_equal(csysi_os_message_queue_unlink(name), CSYS_ENOENT);
	r = csysi_os_message_queue_is_at(&queue, name);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	csysi_os_message_queue_close(&queue);
}

static void what_is_there_is_taken_and_what_is_not_is_waited_for(void **state)
{
	(void)state;
	struct csysi_os_message_queue queue;
	struct csysi_os_queue_request wanted = request(BOTH | CSYSI_OS_QUEUE_CREATE);
	struct csysi_os_queue_state about;
	char text[16];
	size_t size;
	int64_t priority;
	if (!csysi_os_can(CSYS_CAN_MESSAGE_QUEUE))
		return;
	assert_int_equal(csysi_os_message_queue_open(&wanted, &queue), 0);
	assert_int_equal(csysi_os_message_queue_unlink(name), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(csysi_os_message_queue_send(&queue, "x", 1, i, CSYS_POLL), 0);
	assert_int_equal(csysi_os_message_queue_send(&queue, "x", 1, 0, csys_after_us(1500)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_message_queue_state(&queue, &about), 0);
	assert_true(about.messages == 2 && about.max_messages == 2 && about.max_size == 16);
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(
			csysi_os_message_queue_recv(&queue, text, 16, CSYS_POLL, &size, &priority),
			0);
		assert_true(size == 1 && priority == i);
	}
	assert_int_equal(csysi_os_message_queue_recv(&queue, text, 16, csys_after_us(1500), &size,
						     &priority),
			 CSYS_ETIMEDOUT);
	csysi_os_message_queue_close(&queue);
}

static void a_queue_of_system_v_is_found_by_its_key_and_its_id(void **state)
{
	(void)state;
	const unsigned create = BOTH | CSYSI_OS_QUEUE_CREATE;
	int64_t id, other, key = 0x05550000 + getpid() % 65536, type;
	char text[65] = "";
	size_t size;
	int can = csysi_os_can(CSYS_CAN_SYSTEM_V);
	assert_int_equal(csysi_os_system_v_open(key, BOTH, 0, 0, &id),
			 can ? CSYS_ENOENT : CSYS_ENOTSUP);
	if (!can)
		return;
	assert_int_equal(csysi_os_system_v_open(key, create, 0600, 64, &id), 0);
	assert_int_equal(csysi_os_system_v_open(key, BOTH | CSYSI_OS_QUEUE_OWN, 0, 0, &other), 0);
	assert_true(id == other);
	assert_int_equal(csysi_os_system_v_check(id, BOTH), 0);
	assert_int_equal(csysi_os_system_v_send(id, "x", 1, 7, CSYS_POLL), 0);
	assert_int_equal(csysi_os_system_v_send(id, text, 65, 7, CSYS_POLL), CSYS_EMSGSIZE);
	assert_int_equal(csysi_os_system_v_recv(id, text, 16, 8, csys_after_us(1500), &size, &type),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_system_v_recv(id, text, 16, 0, CSYS_POLL, &size, &type), 0);
	assert_true(size == 1 && type == 7);
	assert_int_equal(csysi_os_system_v_remove(id), 0);
	assert_int_equal(csysi_os_system_v_check(id, BOTH), CSYS_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_is_found_by_its_name),
		TEST(what_is_there_is_taken_and_what_is_not_is_waited_for),
		TEST(a_queue_of_system_v_is_found_by_its_key_and_its_id),
	};
	return RUN(tests);
}
