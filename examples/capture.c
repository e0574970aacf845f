/*
 * examples/capture.c - what most programs want of another one, in one call.
 *
 *     capture PROGRAM [ARGUMENT...] < input
 *
 * Gives the program this one's input (up to 1 MiB), five seconds, and room for
 * 64 KiB of each stream; then tells what it wrote and how it ended.  Shows:
 * csys_run with input, deadline, limit and grace, and reading the result.
 */
#include <stdio.h>

#include <csys/csys.h>

static void show(const char *name, const csys_captured *captured)
{
	printf("%s: %zu bytes", name, captured->size);
	if (captured->truncated)
		printf(" of %llu", (unsigned long long)captured->total);
	printf("\n");
	fwrite(captured->data, 1, captured->size, stdout);
	if (captured->size > 0 && captured->data[captured->size - 1] != '\n')
		printf("\n");
}

int main(int argc, char **argv)
{
	static char input[1 << 20];
	if (argc < 2) {
		fprintf(stderr, "usage: capture PROGRAM [ARGUMENT...] < input\n");
		return 2;
	}

	csys_output_options options = { 0 };
	options.input = input;
	options.input_size = fread(input, 1, sizeof input, stdin);
	options.deadline = csys_after_s(5);
	options.grace_ns = 500000000;
	options.limit = 64 << 10;

	csys_output output;
	int r = csys_run((const char *const *)argv + 1, &options, &output);
	if (r < 0 && r != CSYS_ETIMEDOUT) {
		fprintf(stderr, "capture: %s: cannot %s: %s\n", argv[1],
			csys_step_name(csys_spawn_failed_step()), csys_strerror(r));
		csys_output_free(&output);
		return 1;
	}

	char text[CSYS_EXIT_TEXT];
	printf("%s%s\n", csys_exit_text(output.exit, text, sizeof text),
	       r == CSYS_ETIMEDOUT ? ", the time was over" : "");
	show("stdout", &output.out);
	show("stderr", &output.err);
	int ok = r == 0 && csys_exit_success(output.exit);
	csys_output_free(&output);
	return !ok;
}
