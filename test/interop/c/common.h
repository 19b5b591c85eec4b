/* What the programs of this folder share: payloads that both ends can compute, options, JSON lines on standard output,
 * commands from standard input without blocking, and two toy plug-ins (a checksum and a compressor) for ENet's hooks. */
#ifndef INTEROP_COMMON_H
#define INTEROP_COMMON_H

#define _GNU_SOURCE
#include <enet/enet.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DELIVERY_FLAGS (ENET_PACKET_FLAG_RELIABLE | ENET_PACKET_FLAG_UNSEQUENCED | ENET_PACKET_FLAG_UNRELIABLE_FRAGMENT)

/* ---- payloads: `payload.ts` computes the same bytes ---- */

static uint32_t xorshift (uint32_t * s)
{
    * s ^= * s << 13; * s ^= * s >> 17; * s ^= * s << 5;
    return * s;
}

static uint32_t payload_state (uint32_t seed, uint32_t index)
{
    uint32_t s = (seed * 2654435761u) ^ (index * 2246822519u) ^ 0x9e3779b9u;
    return s ? s : 1;
}

/* Bytes of packet number `index`: the number itself (when there is room), then chance. Odd ones are made of few letters,
 * so that a compressor has something to do; even ones cannot be compressed. */
static void payload_fill (uint8_t * out, size_t size, uint32_t seed, uint32_t index)
{
    uint32_t s = payload_state (seed, index), word = 0;
    size_t i;
    for (i = 0; i < size; ++ i)
    {
        if ((i & 3) == 0) word = xorshift (& s);
        out [i] = (uint8_t) (word >> (8 * (i & 3)));
        if (index & 1) out [i] = (uint8_t) ('a' + (out [i] & 7));
    }
    if (size >= 4)
    {
        out [0] = (uint8_t) (index >> 24); out [1] = (uint8_t) (index >> 16);
        out [2] = (uint8_t) (index >> 8); out [3] = (uint8_t) index;
    }
}

static uint32_t crc_of (const void * data, size_t size)
{
    ENetBuffer b;
    b.data = (void *) data; b.dataLength = size;
    return ntohl (enet_crc32 (& b, 1));
}

/* ---- plug-ins ---- */

/* FNV-1a over all buffers: a checksum that is not CRC-32. In network order, as `enet_crc32` answers. */
static enet_uint32 ENET_CALLBACK checksum_fnv (const ENetBuffer * buffers, size_t count)
{
    uint32_t h = 2166136261u;
    size_t i, j;
    for (i = 0; i < count; ++ i)
        for (j = 0; j < buffers [i].dataLength; ++ j) h = (h ^ ((const uint8_t *) buffers [i].data) [j]) * 16777619u;
    return htonl (h);
}

/* Run lengths: pairs of (count, byte). Worth something only for monotonous bytes, which is what a test wants. */
static size_t ENET_CALLBACK rle_compress (void * context, const ENetBuffer * in, size_t count, size_t limit, enet_uint8 * out, size_t room)
{
    size_t i, j, n = 0, run = 0;
    int last = -1;
    (void) context; (void) limit;
    for (i = 0; i < count; ++ i)
        for (j = 0; j < in [i].dataLength; ++ j)
        {
            int b = ((const uint8_t *) in [i].data) [j];
            if (b == last && run < 255) { out [n - 2] = (enet_uint8) ++ run; continue; }
            if (n + 2 > room) return 0;
            out [n ++] = 1; out [n ++] = (enet_uint8) b;
            last = b; run = 1;
        }
    return n;
}
static size_t ENET_CALLBACK rle_decompress (void * context, const enet_uint8 * in, size_t length, enet_uint8 * out, size_t room)
{
    size_t i, n = 0;
    (void) context;
    if (length & 1) return 0;
    for (i = 0; i < length; i += 2)
    {
        if (n + in [i] > room) return 0;
        memset (out + n, in [i + 1], in [i]);
        n += in [i];
    }
    return n;
}
static void use_rle (ENetHost * host)
{
    static int context;
    ENetCompressor c;
    memset (& c, 0, sizeof (c));
    c.context = & context; c.compress = rle_compress; c.decompress = rle_decompress;
    enet_host_compress (host, & c);
}

/* ---- options of a host, the same for server and client ---- */

typedef struct
{
    int port, peers, channels, crc, fnv, range, rle, mtu, poll, noecho, quiet, limit;
    uint32_t in, out, data, clock;
    int clockGiven;
} Options;

static void options_default (Options * o)
{
    memset (o, 0, sizeof (* o));
    o -> peers = 32; o -> channels = 4; o -> limit = 60000;
}

/* Takes one option at argv[*i]; 0 when it is not one of these. */
static int options_take (Options * o, int argc, char ** argv, int * i)
{
    const char * a = argv [* i];
    const char * v = * i + 1 < argc ? argv [* i + 1] : "0";
    if (! strcmp (a, "--crc")) { o -> crc = 1; return 1; }
    if (! strcmp (a, "--fnv")) { o -> fnv = 1; return 1; }
    if (! strcmp (a, "--range")) { o -> range = 1; return 1; }
    if (! strcmp (a, "--compress")) { o -> rle = 1; return 1; }
    if (! strcmp (a, "--noecho")) { o -> noecho = 1; return 1; }
    if (! strcmp (a, "--quiet")) { o -> quiet = 1; return 1; }
    ++ * i;
    if (! strcmp (a, "--port")) o -> port = atoi (v);
    else if (! strcmp (a, "--peers")) o -> peers = atoi (v);
    else if (! strcmp (a, "--channels")) o -> channels = atoi (v);
    else if (! strcmp (a, "--mtu")) o -> mtu = atoi (v);
    else if (! strcmp (a, "--poll")) o -> poll = atoi (v);
    else if (! strcmp (a, "--limit")) o -> limit = atoi (v);
    else if (! strcmp (a, "--in")) o -> in = strtoul (v, 0, 10);
    else if (! strcmp (a, "--out")) o -> out = strtoul (v, 0, 10);
    else if (! strcmp (a, "--data")) o -> data = strtoul (v, 0, 10);
    else if (! strcmp (a, "--clock")) { o -> clock = strtoul (v, 0, 10); o -> clockGiven = 1; }
    else { -- * i; return 0; }
    return 1;
}

static void options_apply (const Options * o, ENetHost * host)
{
    size_t i;
    /* Slots have taken the host's value when it was created, so both must change; what a 1.3.17 server grants is only
     * what the client asked for. */
    if (o -> mtu) host -> mtu = (enet_uint32) o -> mtu;
    if (o -> mtu) for (i = 0; i < host -> peerCount; ++ i) host -> peers [i].mtu = (enet_uint32) o -> mtu;
    if (o -> crc) host -> checksum = enet_crc32;
    if (o -> fnv) host -> checksum = checksum_fnv;
    if (o -> range) enet_host_compress_with_range_coder (host);
    if (o -> rle) use_rle (host);
    if (o -> clockGiven) enet_time_set (o -> clock);
}

/* The library's compressor crashes when a datagram holds an empty packet (seen with 1.3.17): such packets are not sent. */
static int must_not_send_empty (const Options * o) { return o -> range; }

/* ---- lines out, lines in ---- */

static void say (const char * format, ...)
{
    va_list args;
    va_start (args, format);
    vprintf (format, args);
    va_end (args);
    putchar ('\n');
    fflush (stdout);
}

static char input [1 << 16];
static size_t inputLength;
static int inputEnded;

/* The next line of standard input into `out`: 1 yes, 0 none yet, -1 ended. */
static int read_line (char * out, size_t room)
{
    char * end = memchr (input, '\n', inputLength);
    size_t n;
    if (! end && ! inputEnded && inputLength < sizeof (input))
    {
        struct pollfd p = { 0, POLLIN, 0 };
        if (poll (& p, 1, 0) > 0)
        {
            ssize_t got = read (0, input + inputLength, sizeof (input) - inputLength);
            if (got <= 0) inputEnded = 1; else inputLength += (size_t) got;
        }
        end = memchr (input, '\n', inputLength);
    }
    if (! end) return inputEnded ? -1 : 0;
    n = (size_t) (end - input);
    if (n >= room) n = room - 1;
    memcpy (out, input, n); out [n] = 0;
    inputLength -= (size_t) (end - input) + 1;
    memmove (input, end + 1, inputLength);
    return 1;
}

static uint64_t clock_ms (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, & t);
    return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

/* Serves once: at once (waiting at most 2 ms for the socket), or like a game loop that looks every `poll` ms.
 * Call until it answers 0 before doing other work. */
static int serve (const Options * o, ENetHost * host, ENetEvent * event, int first)
{
    int r;
    if (first && o -> poll > 0) { struct timespec t = { o -> poll / 1000, (o -> poll % 1000) * 1000000L }; nanosleep (& t, NULL); }
    r = enet_host_service (host, event, first && o -> poll == 0 ? 2 : 0);
    if (r < 0) say ("{\"event\":\"error\",\"what\":\"service\"}");
    return r > 0;
}

static ENetHost * open_host (const Options * o, int listening, size_t peers)
{
    ENetAddress a;
    ENetHost * host;
    a.host = ENET_HOST_ANY; a.port = (enet_uint16) o -> port;
    host = enet_host_create (listening ? & a : NULL, peers, (size_t) o -> channels, o -> in, o -> out);
    if (! host) { say ("{\"event\":\"error\",\"what\":\"host\"}"); exit (4); }
    options_apply (o, host);
    return host;
}

#endif
