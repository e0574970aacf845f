/*
 * examples/tour.c - a walk through what csys does with other programs.
 *
 * Runs real programs, and before each prints the command as a shell would have
 * it, and after it what came of it.
 */
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

static void title(const char *text)
{
	printf("\n%s\n", text);
}

static void show_command(const csys_command *command)
{
	char line[256];
	csys_command_line(command, line, sizeof line);
	printf("  $ %s\n", line);
}

static void show_bytes(const char *name, const csys_captured *captured)
{
	const char *line = captured->data;
	while (*line) {
		size_t size = strcspn(line, "\n");
		printf("  %s | %.*s\n", name, (int)size, line);
		line += size + (line[size] == '\n');
	}
}

static void show_result(int result, const csys_output *output)
{
	char text[CSYS_EXIT_TEXT];
	show_bytes("out", &output->out);
	show_bytes("err", &output->err);
	if (output->out.truncated)
		printf("  ... %llu bytes in all, %zu kept\n", (unsigned long long)output->out.total,
		       output->out.size);
	if (result < 0)
		printf("  => %s\n", csys_strerror(result));
	if (output->exit.how != CSYS_EXIT_NONE)
		printf("  => %s\n", csys_exit_text(output->exit, text, sizeof text));
}

/* Run a command with options, show all, and count a surprise. */
static int show(csys_command *command, const csys_output_options *options, int expected)
{
	csys_output output;
	show_command(command);
	int r = csys_command_output(command, options, &output);
	show_result(r, &output);
	if (r < 0 && r != CSYS_ETIMEDOUT)
		printf("  => failed at: %s\n", csys_step_name(csys_spawn_failed_step()));
	csys_output_free(&output);
	csys_command_free(command);
	return r != expected;
}

static csys_command *shell(const char *script)
{
	csys_command *command = csys_command_new("sh");
	csys_command_arg(command, "-c");
	csys_command_arg(command, script);
	return command;
}

static int capture(void)
{
	title("Capture both streams and the exit code");
	return show(shell("echo to stdout; echo to stderr >&2; exit 3"), NULL, 0);
}

static int feed(void)
{
	static const char words[] = "pear\napple\nquince\nfig\n";
	csys_output_options options = { 0 };
	options.input = words;
	options.input_size = sizeof words - 1;

	title("Feed its input while its output is read, with its own environment");
	csys_command *command = csys_command_new("sort");
	csys_command_arg(command, "-r");
	csys_command_env(command, "LC_ALL", "C");
	csys_command_cwd(command, "/");
	return show(command, &options, 0);
}

static int limit(void)
{
	csys_output_options options = { 0 };
	options.limit = 44;

	title("Keep the first bytes of much, and let it finish");
	return show(shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"),
		    &options, 0);
}

static int time_out(void)
{
	csys_output_options options = { 0 };
	options.deadline = csys_after_ms(200);

	title("Stop it at a deadline, and keep what it said until then");
	return show(shell("echo before; sleep 100; echo after"), &options, CSYS_ETIMEDOUT);
}

static int go_wrong(void)
{
	title("Know what could not be done: a missing program, a missing directory");
	int surprises = show(csys_command_new("no-such-program"), NULL, CSYS_ENOENT);
	csys_command *command = csys_command_new("true");
	csys_command_cwd(command, "/no/such/directory");
	return surprises + show(command, NULL, CSYS_ENOENT);
}

static int end_politely(void)
{
	char line[32] = "";
	char text[CSYS_EXIT_TEXT];
	csys_child *child;
	csys_exit end;
	size_t size;

	title("Hold a running child: talk to it, ask it to end, kill it if it will not");
	csys_command *command = shell("trap '' TERM; echo ready; while :; do read x; done");
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	show_command(command);
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r < 0)
		return 1;

	csys_handle reader = csys_child_stream(child, CSYS_STDOUT);
	if (csys_stream_read_until(reader, line, sizeof line - 1, csys_after_s(10), &size) == 0)
		printf("  it says: %.*s\n", (int)strcspn(line, "\n"), line);
	printf("  SIGTERM, and 100 ms for it ...\n");
	r = csys_child_terminate_until(child, csys_after_ms(100), &end);
	if (r == 0)
		printf("  => %s\n", csys_exit_text(end, text, sizeof text));
	csys_child_close(child, CSYS_CLOSE_KILL);
	return r != 0 || csys_exit_signal(end) == 0;
}

int main(void)
{
	printf("csys %s\n", csys_version_string());
	int surprises = capture() + feed() + limit() + time_out() + go_wrong() + end_politely();
	printf("\n%s\n", surprises ? "Some of this went otherwise than expected."
				   : "That was all as expected.");
	return surprises != 0;
}
