/*
 * io/waitable.c - streams as what can be waited for.
 */
#include <csys/io/waitable.h>

csys_waitable csys_waitable_reading(csys_handle stream)
{
	return (csys_waitable){ .handle = stream };
}

csys_waitable csys_waitable_writing(csys_handle stream)
{
	return (csys_waitable){ .handle = stream, .writing = 1 };
}
