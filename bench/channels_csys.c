/*
 * bench/channels_csys.c - csys's typed channels.
 */
#include "channels_peer.h"

#define LATENCY_FIRST 0
#include "channels_csys.h"

const struct channels_peer channels_peer_csys = {
	.name = "csys",
	.version = csys_version_string,
	.loops = { { SIZES }, { SIZES }, { SIZES } },
};
