/*
 * bench/channels_csys_latency.c - csys's channels with the option latency_first.
 */
#include "channels_peer.h"

#define LATENCY_FIRST 1
#include "channels_csys.h"

const struct channels_peer channels_peer_csys_latency = {
	.name = "csys_latency",
	.cases = "stream.,unbounded.8.1to1,bounded1024.8.1to1",
	.loops = { { SIZES }, { SIZES }, { SIZES } },
};
