/*
 * process/command_line.c - a command as a line for a shell.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "process/command.h"

/* Inside '...' only ' itself is special. */
static void put_quoted(struct csysi_text *line, const char *word)
{
	csysi_text_put(line, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			csysi_text_put_string(line, "'\\''");
		else
			csysi_text_put(line, *word);
	}
	csysi_text_put(line, '\'');
}

/* One word, in quotes unless it is plain. */
static void put_word(struct csysi_text *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";

	if (word[0] && !word[strspn(word, plain)])
		csysi_text_put_string(line, word);
	else
		put_quoted(line, word);
}

/* Words that mean something else to some shell, unless they are in quotes. */
static int is_reserved(const char *word)
{
	static const char *const reserved[] = { /* of all shells */
						"case", "do", "done", "elif", "else", "esac", "fi",
						"for", "if", "in", "then", "until", "while",
						/* of bash, ksh or zsh */
						"coproc", "end", "foreach", "function", "nocorrect",
						"repeat", "select", "time", "namespace"
	};

	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (strcmp(word, reserved[i]) == 0)
			return 1;
	return 0;
}

/* Whether there is a component ".." in a path. */
static int goes_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")) != NULL; at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return 1;
	return 0;
}

static int is_below(const char *path, const char *front)
{
	size_t size = strlen(front);
	return strncmp(path, front, size) == 0 && (path[size] == '/' || !path[size]);
}

static void put_directory(struct csysi_text *line, const char *directory)
{
	/* -P: what is behind a link and "..", as the system has it and not as it is written. */
	csysi_text_put_string(line, goes_up(directory) ? "cd -P " : "cd ");
	/* Neither an option, nor looked for in CDPATH. */
	if (directory[0] && directory[0] != '/' && !is_below(directory, ".") &&
	    !is_below(directory, ".."))
		csysi_text_put_string(line, "./");
	put_word(line, directory);
	csysi_text_put_string(line, " && ");
}

/* Whether env would take a word for an option: the first that is none ends them. */
static int has_dash(const csys_command *command)
{
	for (size_t i = 0; i < command->env.count; i++)
		if (command->env.items[i][0] == '-')
			return 1;
	return command->program[0] == '-';
}

static void put_environment(struct csysi_text *line, const csys_command *command)
{
	csysi_text_put_string(line, command->env_clear ? "env -i " : "env ");
	for (int set = 0; set <= 1; set++) {
		/* env wants all the -u before the first KEY=value. */
		for (size_t i = 0; i < command->env.count; i++) {
			const char *entry = command->env.items[i];
			if ((strchr(entry, '=') != NULL) != set || (!set && command->env_clear))
				continue;
			if (!set)
				csysi_text_put_string(line, "-u ");
			put_word(line, entry);
			csysi_text_put(line, ' ');
		}
		if (!set && has_dash(command))
			csysi_text_put_string(line, "-- ");
	}
}

/* The program, and what is in front of it. */
static void put_program(struct csysi_text *line, const csys_command *command)
{
	const char *program = command->program;
	int has_env = command->env_clear || command->env.count > 0;
	int is_assignment = strchr(program, '=') != NULL;

	if (has_env)
		put_environment(line, command);
	/* With '=' in it a shell takes it for an assignment unless it is in quotes, and env in
	 * any case; a shell that gets it as a parameter does not. */
	if (has_env && is_assignment)
		csysi_text_put_string(line, "/bin/sh -c '\"$0\" \"$@\"' ");
	/* As the first word of all it is a job to bash, in quotes too. */
	if (!has_env && program[0] == '%')
		csysi_text_put_string(line, "env ");
	if (is_assignment || is_reserved(program))
		put_quoted(line, program);
	else
		put_word(line, program);
}

/* "<", ">" or "2>" and the like, with the number only where it is not understood. */
static void put_redirection(struct csysi_text *line, int stream, const char *arrow)
{
	csysi_text_put(line, ' ');
	if (stream != (arrow[0] == '<' ? CSYS_STDIN : CSYS_STDOUT))
		csysi_text_put(line, (char)('0' + stream));
	csysi_text_put_string(line, arrow);
}

static void put_stdio(struct csysi_text *line, int stream, const struct csysi_stdio *stdio)
{
	static const char *const arrows[] = {
		[CSYS_FILE_READ] = "<",
		[CSYS_FILE_WRITE] = ">",
		[CSYS_FILE_APPEND] = ">>",
		[CSYS_FILE_NEW] = ">",
	};
	const char *arrow = stream == CSYS_STDIN ? "<" : ">";
	char number[24];

	switch (stdio->kind) {
	case CSYS_STDIO_NULL:
		put_redirection(line, stream, arrow);
		csysi_text_put_string(line, "/dev/null");
		break;
	case CSYS_STDIO_SAME_AS_STDOUT:
		put_redirection(line, stream, arrow);
		csysi_text_put_string(line, "&1");
		break;
	case CSYS_STDIO_FILE:
		put_redirection(line, stream, arrows[stdio->mode]);
		put_word(line, stdio->path);
		break;
	case CSYS_STDIO_HANDLE:
		put_redirection(line, stream, arrow);
		snprintf(number, sizeof number, "&%lld", (long long)stdio->handle);
		csysi_text_put_string(line, number);
		break;
	default:
		break;
	}
}

size_t csys_command_line(const csys_command *command, char *buffer, size_t size)
{
	struct csysi_text line = { buffer, buffer ? size : 0, 0 };

	if (command && command->program) {
		if (command->cwd)
			put_directory(&line, command->cwd);
		put_program(&line, command);
		for (size_t i = 0; i < csys_command_get_arg_count(command); i++) {
			csysi_text_put(&line, ' ');
			put_word(&line, csys_command_get_arg(command, i));
		}
		for (int i = 0; i < 3; i++)
			put_stdio(&line, i, &command->stdio[i]);
	}
	return csysi_text_end(&line);
}
