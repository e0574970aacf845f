/*
 * bench/nothing.c - a program that ends at once.
 *
 * The less a program does, the better the cost of starting it is seen: with
 * BENCH_BARE it has no C library and makes a single system call.
 */
#ifndef BENCH_BARE

int main(void)
{
	return 0;
}

#else

void _start(void);

void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(60L), "D"(0L));
#elif defined(__i386__)
	__asm__ volatile("int $0x80" : : "a"(1), "b"(0));
#elif defined(__aarch64__)
	register long number __asm__("x8") = 93;
	register long status __asm__("x0") = 0;
	__asm__ volatile("svc #0" : : "r"(number), "r"(status));
#else
#error "nobody has written this for this processor"
#endif
	for (;;)
		;
}

#endif
