/*
 * ipc/service_answer.c - answers that wait for room: service.h.
 */
#include "ipc/service.h"

#include "base/memory.h"

void csysi_answer_release(struct csysi_answer *answer)
{
	csys_request *request = answer->request;

	csysi_attachments_drop(answer->attachments, answer->count);
	csysi_free(answer->attachments);
	csysi_free(answer->data);
	csysi_free(request ? (void *)request : (void *)answer);
}

int csysi_answer_copy(const struct csysi_call_head *head,
		      const struct csysi_connection_content *content, struct csysi_answer **out)
{
	struct csysi_answer *answer = csysi_alloc_zero(sizeof *answer);
	int r = CSYS_ENOMEM;

	if (!answer)
		return r;
	csysi_ring_begin(&answer->link);
	answer->head = *head;
	if (content->size > 0) {
		answer->data = (unsigned char *)csysi_copy(content->data, content->size);
		if (!answer->data)
			goto done;
		answer->size = content->size;
	}
	if (content->count > 0) {
		size_t size = content->count * sizeof *answer->attachments;
		answer->attachments = csysi_alloc(size);
		if (!answer->attachments)
			goto done;
		memcpy(answer->attachments, content->attachments, size);
		r = csysi_attachments_keep(answer->attachments, content->count);
		if (r < 0)
			goto done;
		answer->count = content->count;
	}
	*out = answer;
	return 0;
done:
	csysi_answer_release(answer);
	return r;
}
