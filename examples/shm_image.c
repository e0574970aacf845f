/*
 * examples/shm_image.c - one process renders a picture, another one writes it as it appears.
 *
 *     shm_image FILE.png [WIDTH HEIGHT]
 *
 * Starts itself once more to render, into memory that both share: no byte of a pixel is sent.  The
 * writer sleeps until the next row is done, and writes it: a PNG whose rows are stored and not
 * compressed, so no other library is needed.  If the renderer dies the writer sees it, and the
 * memory goes with its last user whatever happens.  Shows: named memory with a layout, of which
 * zeros are a good beginning; a word in it that another process sleeps on; offsets.  Exits with 1
 * for trouble, and leaves no half a picture then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { MOST = 16384, CHANNELS = 3 };

struct image {
	uint32_t width, height;
	uint64_t pixels;      /* where they are: an offset, which means the same in both */
	csys_atomic_u32 rows; /* that are done */
};

static int complain(const char *what, int result)
{
	fprintf(stderr, "shm_image: %s: %s\n", what, csys_strerror(result));
	return 1;
}

static size_t row_size(const struct image *image)
{
	return (size_t)image->width * CHANNELS;
}

/* ---- the renderer ---------------------------------------------------------------------- */

/* How soon z = z * z + c leaves the circle. */
static int escape(double x, double y)
{
	double a = 0, b = 0;
	int steps = 0;
	for (; steps < 255 && a * a + b * b < 4; steps++) { /* 255: never */
		double next = a * a - b * b + x;
		b = 2 * a * b + y;
		a = next;
	}
	return steps == 255 ? 0 : steps;
}

static void render(struct image *image, unsigned char *pixels)
{
	for (uint32_t row = 0; row < image->height; row++) {
		for (uint32_t column = 0; column < image->width; column++) {
			int steps = escape(3.0 * column / image->width - 2.2,
					   2.4 * row / image->height - 1.2);
			*pixels++ = (unsigned char)(steps * 4);
			*pixels++ = (unsigned char)(steps * 7);
			*pixels++ = (unsigned char)(steps * 10);
		}
		/* Release: the row is there for a process that sees the number. */
		csys_atomic_store(&image->rows, row + 1, CSYS_RELEASE);
		csys_atomic_wake_shared(&image->rows, 1);
	}
}

static int be_renderer(const char *name)
{
	csys_shm_options options = { .layout = CSYS_SHM_LAYOUT(struct image, "1") };
	CSYS_AUTO(csys_shm) shm = NULL;
	int r = csys_shm_open(name, &options, &shm);
	if (r < 0)
		return complain("cannot open the memory", r);

	struct image *image = csys_shm_data(shm);
	unsigned char *pixels = csys_shm_at(shm, image->pixels, row_size(image) * image->height);
	if (!pixels)
		return complain("the memory has no room for them", CSYS_EBADMSG);
	render(image, pixels);
	return 0;
}

/* ---- the writer -------------------------------------------------------------------------- */

static uint32_t crc_of(uint32_t crc, const unsigned char *data, size_t size)
{
	for (crc = ~crc; size > 0; size--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void put_number(unsigned char *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(number >> (24 - 8 * i));
}

static void write_chunk(FILE *file, const char type[5], const unsigned char *data, size_t size)
{
	unsigned char number[4];
	put_number(number, (uint32_t)size);
	fwrite(number, 1, 4, file);
	fwrite(type, 1, 4, file);
	fwrite(data, 1, size, file);
	put_number(number, crc_of(crc_of(0, (const unsigned char *)type, 4), data, size));
	fwrite(number, 1, 4, file);
}

static void write_header(FILE *file, const struct image *image)
{
	unsigned char header[13] = { [8] = 8, [9] = 2 }; /* bits; red, green and blue */
	put_number(header, image->width);
	put_number(header + 4, image->height);
	fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
	write_chunk(file, "IHDR", header, sizeof header);
	write_chunk(file, "IDAT", (const unsigned char *)"\x78\x01", 2); /* the stream begins */
}

/* One row is one stored block of the stream, in a chunk of its own. */
static void write_row(FILE *file, const unsigned char *pixels, size_t size, uint32_t sums[2])
{
	static unsigned char block[6 + MOST * CHANNELS];
	size_t length = 1 + size; /* a row begins with its filter: none */
	block[1] = (unsigned char)length, block[2] = (unsigned char)(length >> 8);
	block[3] = (unsigned char)~length, block[4] = (unsigned char)(~length >> 8);
	memcpy(block + 6, pixels, size);
	for (size_t i = 5; i < 6 + size; i++) {
		sums[0] = (sums[0] + block[i]) % 65521;
		sums[1] = (sums[1] + sums[0]) % 65521;
	}
	write_chunk(file, "IDAT", block, 6 + size);
}

static void write_end(FILE *file, const uint32_t sums[2])
{
	unsigned char end[9] = { 1, 0, 0, 0xff, 0xff }; /* the last block, which is empty */
	put_number(end + 5, sums[1] << 16 | sums[0]);
	write_chunk(file, "IDAT", end, sizeof end);
	write_chunk(file, "IEND", end, 0);
}

/* Wait until a row is done: 0; 1 if the renderer has ended without. */
static int wait_for(const struct image *image, uint32_t row, csys_child *renderer)
{
	csys_exit end;
	uint32_t done;
	/* Acquire pairs with the release of the renderer. */
	while ((done = csys_atomic_load(&image->rows, CSYS_ACQUIRE)) <= row) {
		if (csys_child_try_wait(renderer, &end) == 0 &&
		    csys_atomic_load(&image->rows, CSYS_ACQUIRE) <= row)
			return 1;
		int r = csys_atomic_wait_shared_until(&image->rows, done, csys_after_ms(100));
		if (r < 0 && r != CSYS_ETIMEDOUT)
			return 1;
	}
	return 0;
}

static int write_picture(FILE *file, const struct image *image, const unsigned char *pixels,
			 csys_child *renderer)
{
	uint32_t sums[2] = { 1, 0 };
	write_header(file, image);
	for (uint32_t row = 0; row < image->height; row++) {
		if (wait_for(image, row, renderer) != 0)
			return complain("the renderer has died", CSYS_ESRCH);
		write_row(file, pixels + row * row_size(image), row_size(image), sums);
	}
	write_end(file, sums);
	return ferror(file) ? complain("cannot write", CSYS_EIO) : 0;
}

static int be_writer(const char *program, const char *path, uint32_t width, uint32_t height)
{
	size_t size = sizeof(struct image) + (size_t)width * height * CHANNELS;
	csys_shm_options options = { .layout = CSYS_SHM_LAYOUT(struct image, "1"),
				     .remove_with_last = 1 };
	char name[64];
	snprintf(name, sizeof name, "shm_image-%lld", (long long)csys_now());
	CSYS_AUTO(csys_shm) shm = NULL;
	int r = csys_shm_create(name, size, &options, &shm);
	if (r < 0)
		return complain("cannot create the memory", r);
	struct image *image = csys_shm_data(shm);
	image->width = width;
	image->height = height;
	image->pixels = csys_shm_offset(shm, image + 1);

	FILE *file = fopen(path, "wb");
	if (!file) {
		perror(path);
		return 1;
	}
	CSYS_AUTO(csys_command) command = csys_command_build(program, "--render", name, NULL);
	CSYS_AUTO(csys_child) renderer = NULL;
	r = csys_command_spawn(command, &renderer);
	if (r < 0)
		r = complain("cannot start the renderer", r);
	else
		r = write_picture(file, image, (const unsigned char *)(image + 1), renderer);
	if (fclose(file) != 0 && r == 0)
		r = complain(path, CSYS_EIO);
	if (r != 0)
		remove(path);
	return r;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--render") == 0)
		return be_renderer(argv[2]);
	int width = argc == 4 ? atoi(argv[2]) : 600, height = argc == 4 ? atoi(argv[3]) : 480;
	if ((argc != 2 && argc != 4) || width < 1 || width > MOST || height < 1 || height > MOST) {
		fprintf(stderr, "usage: shm_image FILE.png [WIDTH HEIGHT]\n");
		return 1;
	}
	return be_writer(argv[0], argv[1], (uint32_t)width, (uint32_t)height);
}
