/*
 * os/linux/clone.c - clone3, which libc does not wrap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>

#include "os/linux/linux.h"

/* Newer than some headers; the same number on every architecture. */
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/*
 * libc has no wrapper.  After the call the child is on another stack, which has no frame of a C
 * function; so the jump to `start` is part of the assembly.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
long csysi_linux_clone3(struct clone_request *request, size_t size, int (*start)(void *),
			void *argument)
{
	long r;
	register int (*entry)(void *) __asm__("r8") = start;
	register void *given __asm__("r9") = argument;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(request), "S"(size), "r"(entry), "r"(given)
			 : "rcx", "r11", "cc", "memory");
	return r;
}
#elif defined(__i386__)
long csysi_linux_clone3(struct clone_request *request, size_t size, int (*start)(void *),
			void *argument)
{
	long r;

	__asm__ volatile("int $0x80\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "sub $12, %%esp\n\t"
			 "push %%edi\n\t"
			 "call *%%esi\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"(SYS_clone3), "b"(request), "c"(size), "S"(start), "D"(argument)
			 : "cc", "memory");
	return r;
}
#elif defined(__aarch64__)
long csysi_linux_clone3(struct clone_request *request, size_t size, int (*start)(void *),
			void *argument)
{
	register long number __asm__("x8") = SYS_clone3;
	register long r __asm__("x0") = (long)request;
	register size_t given_size __asm__("x1") = size;
	register int (*entry)(void *) __asm__("x9") = start;
	register void *given __asm__("x10") = argument;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x10\n\t"
			 "blr x9\n\t"
			 "brk 0\n"
			 "1:"
			 : "+r"(r)
			 : "r"(number), "r"(given_size), "r"(entry), "r"(given)
			 : "cc", "memory");
	return r;
}
#else
/* The caller uses clone, which libc wraps on every architecture. */
long csysi_linux_clone3(struct clone_request *request, size_t size, int (*start)(void *),
			void *argument)
{
	(void)request;
	(void)size;
	(void)start;
	(void)argument;
	return -ENOSYS;
}
#endif
