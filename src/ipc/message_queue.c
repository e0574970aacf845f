/*
 * ipc/message_queue.c - opening queues, what they are, and their end.
 */
#include <string.h>

#include "base/memory.h"
#include "ipc/message_queue.h"

#define USUAL_MODE 0600u
#define MODES 0777u

/* Of a message, where the system does not tell what is usual. */
#define FALLBACK_SIZE 2048

static const csys_message_queue_options usual = { 0 };

/* ---- opening -------------------------------------------------------------------------- */

static int is_wrong(const csys_message_queue_options *options)
{
	return options->kind < CSYS_MESSAGE_QUEUE_POSIX ||
	       options->kind > CSYS_MESSAGE_QUEUE_SYSTEM_V ||
	       options->access < CSYS_MESSAGE_QUEUE_BOTH ||
	       options->access > CSYS_MESSAGE_QUEUE_RECV || options->scope < 0 ||
	       options->scope > CSYS_NAMES_GLOBAL || options->mode & ~MODES;
}

static int is_system_v(const csys_message_queue_options *options)
{
	return options->kind == CSYS_MESSAGE_QUEUE_SYSTEM_V;
}

static unsigned flags_of(const csys_message_queue_options *options)
{
	unsigned flags = 0;

	if (options->access != CSYS_MESSAGE_QUEUE_RECV)
		flags |= CSYSI_OS_QUEUE_SEND;
	if (options->access != CSYS_MESSAGE_QUEUE_SEND)
		flags |= CSYSI_OS_QUEUE_RECV;
	if (options->scope != CSYS_NAMES_GLOBAL)
		flags |= CSYSI_OS_QUEUE_OWN;
	else if (!options->accept_foreign)
		flags |= CSYSI_OS_QUEUE_TRUSTED;
	return flags;
}

static csys_message_queue *new_queue(const csys_message_queue_options *options, const char *name)
{
	size_t size = strlen(name) + 1;
	csys_message_queue *queue = csysi_alloc_zero(sizeof *queue + size);

	if (!queue)
		return NULL;
	queue->kind = options->kind;
	queue->access = options->access;
	queue->by_type = options->by_type;
	/* Of priorities the lowest type first, and then types that are none. */
	queue->wanted = options->by_type ? options->type : -INT64_MAX;
	memcpy(queue->name, name, size);
	return queue;
}

static int open_posix(const char *plain, const csys_message_queue_options *options, unsigned create,
		      csys_message_queue **out)
{
	char name[CSYSI_QUEUE_NAME];
	int r = csysi_queue_name(plain, options->scope, name);
	if (r < 0)
		return r;
	csys_message_queue *queue = new_queue(options, name);
	if (!queue)
		return CSYS_ENOMEM;

	const struct csysi_os_queue_request request = {
		.name = queue->name,
		.flags = flags_of(options) | create,
		.mode = options->mode ? options->mode : USUAL_MODE,
		.max_messages = options->max_messages,
		.max_size = options->max_size,
	};
	r = csysi_os_message_queue_open(&request, &queue->os);
	if (r < 0)
		csysi_free(queue);
	else
		*out = queue;
	return r;
}

/* The key that a name and the options mean; 0 for a queue without one. */
static int key_of(const char *name, const csys_message_queue_options *options, int64_t *out)
{
	if (name && options->key != 0)
		return CSYS_EINVAL;
	*out = options->key;
	return name ? csysi_queue_key(name, options->scope, out) : 0;
}

/* How many bytes a new queue holds; 0: the system's usual number. */
static int bytes_of(const csys_message_queue_options *options, size_t *out)
{
	struct csysi_os_queue_limits limits;
	size_t size = options->max_size;

	*out = 0;
	if (options->max_messages == 0 && size == 0)
		return 0;
	int r = csysi_os_system_v_limits(&limits);
	if (r < 0)
		return r;
	if (size > limits.max_size)
		return CSYS_EINVAL;
	if (options->max_messages == 0)
		return 0;
	if (size == 0)
		size = limits.usual_size ? limits.usual_size : FALLBACK_SIZE;
	if (options->max_messages > SIZE_MAX / size)
		return CSYS_EINVAL;
	*out = options->max_messages * size;
	return 0;
}

static int open_system_v(const char *name, const csys_message_queue_options *options,
			 unsigned create, csys_message_queue **out)
{
	unsigned flags = flags_of(options) | create;
	int64_t key;
	size_t bytes = 0;
	int r = key_of(name, options, &key);

	if (r == 0 && key == 0 && !(create & CSYSI_OS_QUEUE_EXCLUSIVE))
		r = CSYS_EINVAL; /* each of them would be another one */
	if (r == 0 && create)
		r = bytes_of(options, &bytes);
	if (r < 0)
		return r;
	if (!name) /* a number is what its users agree on */
		flags &= ~(CSYSI_OS_QUEUE_OWN | CSYSI_OS_QUEUE_TRUSTED);
	csys_message_queue *queue = new_queue(options, "");
	if (!queue)
		return CSYS_ENOMEM;
	r = csysi_os_system_v_open(key, flags, options->mode ? options->mode : USUAL_MODE, bytes,
				   &queue->id);
	if (r < 0)
		csysi_free(queue);
	else
		*out = queue;
	return r;
}

static int open_queue(const char *name, const csys_message_queue_options *options, unsigned create,
		      csys_message_queue **out)
{
	if (!options)
		options = &usual;
	if (!out || is_wrong(options))
		return CSYS_EINVAL;
	return is_system_v(options) ? open_system_v(name, options, create, out)
				    : open_posix(name, options, create, out);
}

int csys_message_queue_create(const char *name, const csys_message_queue_options *options,
			      csys_message_queue **out)
{
	return open_queue(name, options, CSYSI_OS_QUEUE_CREATE | CSYSI_OS_QUEUE_EXCLUSIVE, out);
}

int csys_message_queue_open(const char *name, const csys_message_queue_options *options,
			    csys_message_queue **out)
{
	return open_queue(name, options, 0, out);
}

int csys_message_queue_create_or_open(const char *name, const csys_message_queue_options *options,
				      csys_message_queue **out)
{
	return open_queue(name, options, CSYSI_OS_QUEUE_CREATE, out);
}

int csys_message_queue_open_id(int64_t id, const csys_message_queue_options *options,
			       csys_message_queue **out)
{
	csys_message_queue_options by_id = options ? *options : usual;

	by_id.kind = CSYS_MESSAGE_QUEUE_SYSTEM_V;
	if (!out || is_wrong(&by_id))
		return CSYS_EINVAL;
	int r = csysi_os_system_v_check(id, flags_of(&by_id));
	if (r < 0)
		return r;
	csys_message_queue *queue = new_queue(&by_id, "");
	if (!queue)
		return CSYS_ENOMEM;
	queue->id = id;
	*out = queue;
	return 0;
}

void csys_message_queue_close(csys_message_queue *queue)
{
	if (!queue)
		return;
	if (queue->kind == CSYS_MESSAGE_QUEUE_POSIX)
		csysi_os_message_queue_close(&queue->os);
	csysi_free(queue);
}

/* ---- what a queue is ------------------------------------------------------------------ */

int csys_message_queue_attributes(const csys_message_queue *queue, csys_message_queue_info *out)
{
	struct csysi_os_queue_state state;

	if (!queue || !out)
		return CSYS_EINVAL;
	int r = queue->kind == CSYS_MESSAGE_QUEUE_SYSTEM_V
			? csysi_os_system_v_state(queue->id, &state)
			: csysi_os_message_queue_state(&queue->os, &state);
	if (r < 0)
		return r;
	*out = (csys_message_queue_info){
		.kind = queue->kind,
		.access = queue->access,
		.max_messages = state.max_messages,
		.max_size = state.max_size,
		.max_bytes = state.max_bytes,
		.messages = state.messages,
	};
	return 0;
}

int64_t csys_message_queue_id(const csys_message_queue *queue)
{
	return queue && queue->kind == CSYS_MESSAGE_QUEUE_SYSTEM_V ? queue->id : -1;
}

int csys_message_queue_key(const char *path, int project, int64_t *out)
{
	if (!path || !out || project < 1 || project > 255)
		return CSYS_EINVAL;
	return csysi_os_system_v_key(path, project, out);
}

csys_handle csys_message_queue_handle(const csys_message_queue *queue)
{
	return queue && queue->kind == CSYS_MESSAGE_QUEUE_POSIX
		       ? csysi_os_message_queue_handle(&queue->os)
		       : CSYS_NO_HANDLE;
}

static csys_waitable waitable_of(const csys_message_queue *queue, csys_waitable waitable)
{
	waitable.is_missing = queue && waitable.handle == CSYS_NO_HANDLE;
	return waitable;
}

csys_waitable csys_message_queue_waitable_reading(const csys_message_queue *queue)
{
	return waitable_of(queue, csys_waitable_reading(csys_message_queue_handle(queue)));
}

csys_waitable csys_message_queue_waitable_writing(const csys_message_queue *queue)
{
	return waitable_of(queue, csys_waitable_writing(csys_message_queue_handle(queue)));
}

/* ---- the end -------------------------------------------------------------------------- */

static int unlink_system_v(const char *name, const csys_message_queue_options *options)
{
	const unsigned owner = name ? CSYSI_OS_QUEUE_OWN | CSYSI_OS_QUEUE_TRUSTED : 0;
	int64_t key, id;
	int r = key_of(name, options, &key);

	if (r == 0 && key == 0)
		r = CSYS_EINVAL;
	if (r == 0)
		r = csysi_os_system_v_open(key, flags_of(options) & owner, 0, 0, &id);
	return r < 0 ? r : csysi_os_system_v_remove(id);
}

int csys_message_queue_unlink(const char *name, const csys_message_queue_options *options)
{
	char whole[CSYSI_QUEUE_NAME];

	if (!options)
		options = &usual;
	if (is_wrong(options))
		return CSYS_EINVAL;
	if (is_system_v(options))
		return unlink_system_v(name, options);
	int r = csysi_queue_name(name, options->scope, whole);
	return r < 0 ? r : csysi_os_message_queue_unlink(whole);
}

int csys_message_queue_remove(csys_message_queue *queue)
{
	if (!queue)
		return CSYS_EINVAL;
	if (queue->kind == CSYS_MESSAGE_QUEUE_SYSTEM_V)
		return csysi_os_system_v_remove(queue->id);
	int r = csysi_os_message_queue_is_at(&queue->os, queue->name);
	if (r <= 0)
		return r < 0 ? r : CSYS_ENOENT;
	return csysi_os_message_queue_unlink(queue->name);
}
