/*
 * examples/market.c - one publisher, which is killed again and again, and three subscribers.
 *
 *     market [QUOTES [KILLS]]
 *
 * Each subscriber has a channel in shared memory and waits in a wait set: for quotes, and for the
 * end of the market, which is its standard input.  The publisher, which is this program started
 * again, sends each quote to all channels.  The market kills it at any instruction and starts
 * another one, whose quotes count from 0 again.  Prints how many quotes each subscriber has got
 * from how many publishers, and exits with 1 if one was lost, came twice, or was torn.
 * Shows: channels that outlive their senders (`lasting`), in an event loop, beside a pipe.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { SUBSCRIBERS = 3, CAPACITY = 64, USUAL_QUOTES = 20000, USUAL_KILLS = 10 };

struct quote {
	uint64_t publisher; /* counts from 1 */
	uint64_t number;    /* counts from 0, for each publisher */
	uint64_t is_last;   /* the market closes */
	uint64_t check;     /* of the others */
};

CSYS_SHARED_CHANNEL_DEFINE(quotes, struct quote, "1");

static uint64_t check_of(const struct quote *quote)
{
	return (quote->publisher * 31 + quote->number) * 31 + quote->is_last + 1;
}

static int complain(const char *what, int result)
{
	fprintf(stderr, "market: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* The name of a subscriber's channel. */
static void name_channel(const char *market, int subscriber, char *out, size_t room)
{
	(void)snprintf(out, room, "%s-%d", market, subscriber);
}

/* ---- the publisher ------------------------------------------------------------------------ */

static int publish(const char *market, uint64_t publisher, uint64_t count)
{
	quotes_channel channels[SUBSCRIBERS] = { { NULL } };
	quotes_sender senders[SUBSCRIBERS] = { { NULL } };
	char name[48];
	int r = 0;

	for (int i = 0; r == 0 && i < SUBSCRIBERS; i++) {
		name_channel(market, i, name, sizeof name);
		r = quotes_open(name, NULL, &channels[i]);
		if (r == 0)
			r = quotes_sender_open(channels[i], &senders[i]);
	}
	for (uint64_t number = 0; r == 0 && number < count; number++) {
		struct quote quote = { publisher, number, number + 1 == count, 0 };
		quote.check = check_of(&quote);
		for (int i = 0; r == 0 && i < SUBSCRIBERS; i++)
			r = quotes_send(senders[i], &quote);
		if (number == 0) {
			puts("at work");
			(void)fflush(stdout);
		}
	}
	for (int i = 0; i < SUBSCRIBERS; i++) {
		quotes_sender_close(senders[i]);
		quotes_channel_close(channels[i]);
	}
	return r < 0 ? complain("publisher", r) : 0;
}

/* ---- a subscriber ------------------------------------------------------------------------- */

struct ledger {
	uint64_t publisher, next; /* of whose quotes this number is expected */
	uint64_t count, publishers;
	int is_wrong, is_closed;
};

static void note(struct ledger *ledger, const struct quote *quote)
{
	if (quote->publisher > ledger->publisher) {
		ledger->publisher = quote->publisher;
		ledger->publishers++;
		ledger->next = 0;
	}
	ledger->is_wrong |= quote->publisher != ledger->publisher ||
			    quote->number != ledger->next || quote->check != check_of(quote);
	ledger->next++;
	ledger->count++;
	ledger->is_closed = quote->is_last != 0;
}

/* Take all quotes that are there. */
static int take(quotes_receiver receiver, struct ledger *ledger)
{
	struct quote quote;
	int r = 0;

	while (!ledger->is_closed && (r = quotes_try_recv(receiver, &quote)) >= 0)
		note(ledger, &quote);
	return r == CSYS_EAGAIN ? 0 : r;
}

/* Wait until the market closes, or is gone. */
static int subscribe(quotes_receiver receiver, csys_wait_set *set, struct ledger *ledger)
{
	enum { QUOTES, MARKET };
	csys_wait_event events[2];
	size_t count = 0;
	int is_gone = 0;
	int r = csys_wait_set_add(set, csys_shared_receiver_waitable(receiver.core),
				  csys_token_number(QUOTES), NULL);
	if (r == 0)
		r = csys_wait_set_add(set, csys_waitable_reading(csys_standard(CSYS_STDIN)),
				      csys_token_number(MARKET), NULL);
	while (r == 0 && !is_gone && !ledger->is_closed) {
		r = csys_wait_set_wait(set, events, 2, &count);
		for (size_t i = 0; r == 0 && i < count; i++) {
			if (events[i].token.number == QUOTES)
				r = take(receiver, ledger);
			else
				is_gone = 1;
		}
	}
	return r;
}

static int serve(const char *market, int subscriber)
{
	const csys_shared_channel_options options = { .lasting = 1 };
	quotes_channel channel = { NULL };
	quotes_receiver receiver = { NULL };
	struct ledger ledger = { 0 };
	csys_wait_set *set = NULL;
	char name[48];
	name_channel(market, subscriber, name, sizeof name);

	int r = quotes_create(name, CAPACITY, &options, &channel);
	if (r == 0)
		r = quotes_receiver_open(channel, &receiver);
	if (r == 0)
		r = csys_wait_set_open(&set);
	puts("ready");
	(void)fflush(stdout);
	if (r == 0)
		r = subscribe(receiver, set, &ledger);
	csys_wait_set_close(set);
	quotes_receiver_close(receiver);
	quotes_channel_close(channel);
	if (r < 0)
		return complain("subscriber", r);
	printf("%" PRIu64 " quotes of %" PRIu64 " publishers%s\n", ledger.count, ledger.publishers,
	       ledger.is_wrong ? ", wrong" : "");
	return ledger.is_wrong || !ledger.is_closed;
}

/* ---- the market --------------------------------------------------------------------------- */

struct market {
	const char *program;
	char name[40];
	csys_child *subscribers[SUBSCRIBERS];
	csys_lines *lines[SUBSCRIBERS]; /* what they write */
};

static int start_subscriber(struct market *market, int i)
{
	char number[4];
	csys_line ready;
	(void)snprintf(number, sizeof number, "%d", i);
	csys_command *command =
		csys_command_build(market->program, "-s", market->name, number, NULL);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	int r = csys_command_spawn(command, &market->subscribers[i]);
	csys_command_free(command);
	if (r == 0)
		r = csys_lines_open(csys_child_stream(market->subscribers[i], CSYS_STDOUT), 0,
				    &market->lines[i]);
	if (r == 0)
		r = csys_lines_next(market->lines[i], &ready);
	return r == 0 ? CSYS_EOTHER : r < 0 ? r : 0; /* 0: it has ended, and said why */
}

/* Start one, and wait until it has sent the first quote. */
static int start_publisher(const struct market *market, uint64_t number, uint64_t count,
			   csys_child **out)
{
	csys_lines *lines = NULL;
	csys_line at_work;
	char words[2][24];
	(void)snprintf(words[0], sizeof words[0], "%" PRIu64, number);
	(void)snprintf(words[1], sizeof words[1], "%" PRIu64, count);
	csys_command *command =
		csys_command_build(market->program, "-p", market->name, words[0], words[1], NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	int r = csys_command_spawn(command, out);
	csys_command_free(command);
	if (r == 0)
		r = csys_lines_open(csys_child_stream(*out, CSYS_STDOUT), 0, &lines);
	if (r == 0)
		r = csys_lines_next(lines, &at_work);
	csys_lines_close(lines);
	return r == 0 ? CSYS_EOTHER : r < 0 ? r : 0; /* 0: it has ended, and said why */
}

/* Start publishers that would never end, and kill them; the last one ends by itself. */
static int trade(const struct market *market, uint64_t quotes, uint64_t kills)
{
	csys_child *publisher = NULL;
	csys_exit end = { 0 };
	int r = 0;

	for (uint64_t i = 1; r == 0 && i <= kills; i++) {
		r = start_publisher(market, i, UINT64_MAX, &publisher);
		if (r == 0)
			r = csys_child_wait_until(publisher,
						  csys_after_us((int64_t)(i * 700 % 5000)), &end);
		csys_child_close(publisher, CSYS_CLOSE_KILL);
		publisher = NULL;
		r = r == CSYS_ETIMEDOUT ? 0 : r < 0 ? r : CSYS_EOTHER;
	}
	if (r == 0)
		r = start_publisher(market, kills + 1, quotes, &publisher);
	if (r == 0)
		r = csys_child_wait(publisher, &end);
	csys_child_close(publisher, CSYS_CLOSE_KILL);
	if (r < 0)
		return r;
	return end.how == CSYS_EXIT_CODE && end.value == 0 ? 0 : CSYS_EOTHER;
}

/* What a subscriber has got: 0 if nothing was wrong. */
static int report(struct market *market, int i)
{
	csys_line line;
	csys_exit end = { 0 };
	int r = csys_lines_next(market->lines[i], &line);

	if (r <= 0)
		return r < 0 ? r : CSYS_EOTHER; /* it said why */
	printf("%d: %.*s\n", i + 1, (int)line.size, line.data);
	r = csys_child_wait(market->subscribers[i], &end);
	return r == 0 && end.how == CSYS_EXIT_CODE && end.value == 0 ? 0 : CSYS_EOTHER;
}

static int hold(const char *program, uint64_t quotes, uint64_t kills)
{
	struct market market = { .program = program };
	int r = 0;
	(void)snprintf(market.name, sizeof market.name, "market-%lld",
		       (long long)csys_process_self());

	for (int i = 0; r == 0 && i < SUBSCRIBERS; i++)
		r = start_subscriber(&market, i);
	if (r == 0)
		r = trade(&market, quotes, kills);
	for (int i = 0; r == 0 && i < SUBSCRIBERS; i++)
		r = report(&market, i);
	for (int i = 0; i < SUBSCRIBERS; i++) {
		csys_lines_close(market.lines[i]);
		/* One that waits still sees the end of its input. */
		csys_child_close(market.subscribers[i], CSYS_CLOSE_WAIT);
	}
	return r < 0 ? complain("market", r) : 0;
}

/* A number above 0, or 0. */
static uint64_t number_of(const char *text)
{
	return text[0] == '-' ? 0 : strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "-s") == 0)
		return serve(argv[2], atoi(argv[3]));
	if (argc == 5 && strcmp(argv[1], "-p") == 0)
		return publish(argv[2], number_of(argv[3]), number_of(argv[4]));
	uint64_t quotes = argc > 1 ? number_of(argv[1]) : USUAL_QUOTES;
	uint64_t kills = argc > 2 ? number_of(argv[2]) : USUAL_KILLS;
	if (argc > 3 || quotes == 0 || (argc > 2 && kills == 0 && strcmp(argv[2], "0") != 0)) {
		fprintf(stderr, "usage: market [QUOTES [KILLS]]\n");
		return 2;
	}
	return hold(argv[0], quotes, kills);
}
