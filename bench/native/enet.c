/* C ENet as a contestant of the loopback bench. Speaks what bench/lib/contestant-process.ts speaks, so that the harness cannot
 * tell it from a contestant written in JavaScript:
 *   enet server [--peers N] [--channels N]
 *   enet client PORT WORKLOAD [--size N] [--count N] [--batch N] [--window N] [--rate N] [--seconds N]
 * A message's first byte says what the server does with it: 'E' send it back, 'A' answer with one byte, 'S' nothing.
 * Lines on standard output are JSON objects; on standard input the server takes `usage` and ends with its input. Own code. */
#define _GNU_SOURCE
#include <enet/enet.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, & t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_ms (void)
{
    struct rusage u;
    getrusage (RUSAGE_SELF, & u);
    return u.ru_utime.tv_sec * 1e3 + u.ru_utime.tv_usec / 1e3 + u.ru_stime.tv_sec * 1e3 + u.ru_stime.tv_usec / 1e3;
}

static size_t heap_bytes (void)
{
    struct mallinfo2 m = mallinfo2 ();
    return m.uordblks + m.hblkhd;
}

static int number (int argc, char ** argv, const char * name, int fallback)
{
    int i;
    for (i = 1; i < argc - 1; ++ i) if (! strcmp (argv [i], name)) return atoi (argv [i + 1]);
    return fallback;
}

static void fail (const char * why)
{
    printf ("{\"event\":\"failed\",\"message\":\"%s\"}\n", why);
    fflush (stdout);
    exit (1);
}

static void post (ENetPeer * peer, char op, size_t size)
{
    ENetPacket * p = enet_packet_create (NULL, size, ENET_PACKET_FLAG_RELIABLE);
    if (p == NULL) fail ("out of memory");
    memset (p -> data, 0, size);
    p -> data [0] = (enet_uint8) op;
    if (enet_peer_send (peer, 0, p) < 0) fail ("enet_peer_send");
}

/* ---- server ---- */

/* Returns 0 when standard input has ended. Looked at now and then only: it must cost nothing while messages flow. */
static int commands (ENetHost * host, size_t base)
{
    static char line [256];
    static size_t length;
    char c;
    for (;;)
    {
        ssize_t n = read (0, & c, 1);
        if (n == 0) return 0;
        if (n < 0) return 1;
        if (c != '\n') { if (length < sizeof line - 1) line [length ++] = c; continue; }
        line [length] = 0; length = 0;
        if (! strcmp (line, "usage"))
        {
            printf ("{\"event\":\"usage\",\"cpuMs\":%.3f,\"heapBytes\":%ld,\"peers\":%zu,\"datagramsSent\":%u,\"datagramsReceived\":%u}\n",
                    cpu_ms (), (long) (heap_bytes () - base), host -> connectedPeers, host -> totalSentPackets, host -> totalReceivedPackets);
            fflush (stdout);
        }
    }
}

static void serve (int peers, int channels)
{
    size_t base = heap_bytes ();
    ENetAddress address;
    ENetEvent event;
    ENetHost * host;
    ENetAddress bound;
    int64_t looked = 0;
    enet_address_set_host_ip (& address, "127.0.0.1");
    address.port = 0;
    host = enet_host_create (& address, (size_t) peers, (size_t) channels, 0, 0);
    if (host == NULL) fail ("enet_host_create");
    enet_socket_set_option (host -> socket, ENET_SOCKOPT_RCVBUF, 4 * 1024 * 1024);
    enet_socket_set_option (host -> socket, ENET_SOCKOPT_SNDBUF, 4 * 1024 * 1024);
    enet_socket_get_address (host -> socket, & bound);
    fcntl (0, F_SETFL, O_NONBLOCK);
    printf ("{\"event\":\"listening\",\"port\":%u}\n", bound.port);
    fflush (stdout);
    for (;;)
    {
        int got = enet_host_service (host, & event, 20);
        if (got < 0) fail ("enet_host_service");
        if (got > 0 && event.type == ENET_EVENT_TYPE_RECEIVE)
        {
            char op = event.packet -> dataLength > 0 ? (char) event.packet -> data [0] : 'S';
            if (op == 'E')
            {
                ENetPacket * back = enet_packet_create (event.packet -> data, event.packet -> dataLength, ENET_PACKET_FLAG_RELIABLE);
                if (enet_peer_send (event.peer, 0, back) < 0) enet_packet_destroy (back);
            }
            else if (op == 'A') post (event.peer, 'a', 1);
            enet_packet_destroy (event.packet);
        }
        if (got == 0 || now_ns () - looked > 20000000)
        {
            looked = now_ns ();
            if (! commands (host, base)) break;
        }
    }
    enet_host_destroy (host);
}

/* ---- client ---- */

static ENetHost * client;
static ENetPeer * server;

/* One event, or none. Returns 1 for a message, which is in `* packet` and the caller's. */
static int next_message (ENetPacket ** packet, enet_uint32 timeout)
{
    ENetEvent event;
    int got = enet_host_service (client, & event, timeout);
    if (got < 0) fail ("enet_host_service");
    if (got == 0) return 0;
    if (event.type == ENET_EVENT_TYPE_DISCONNECT) fail ("disconnected");
    if (event.type != ENET_EVENT_TYPE_RECEIVE) return 0;
    * packet = event.packet;
    return 1;
}

static void connect_to (int port)
{
    ENetAddress address;
    ENetEvent event;
    enet_address_set_host_ip (& address, "127.0.0.1");
    address.port = (enet_uint16) port;
    client = enet_host_create (NULL, 1, 2, 0, 0);
    if (client == NULL) fail ("enet_host_create");
    enet_socket_set_option (client -> socket, ENET_SOCKOPT_RCVBUF, 4 * 1024 * 1024);
    enet_socket_set_option (client -> socket, ENET_SOCKOPT_SNDBUF, 4 * 1024 * 1024);
    server = enet_host_connect (client, & address, 2, 0);
    if (enet_host_service (client, & event, 5000) <= 0 || event.type != ENET_EVENT_TYPE_CONNECT) fail ("no connection");
}

static void print_samples (const int64_t * samples, int count)
{
    int i;
    printf ("\"samplesNs\":[");
    for (i = 0; i < count; ++ i) printf ("%s%lld", i ? "," : "", (long long) samples [i]);
    printf ("]");
}

/* Round trips that do not count, as in contestant-process.ts. */
#define WARM_UP 8000

/* One message at a time: the next leaves when the last is back. */
static void echo (int size, int count)
{
    int64_t * samples = malloc (sizeof (int64_t) * (size_t) count);
    ENetPacket * packet;
    int i;
    for (i = - WARM_UP; i < count; ++ i)
    {
        int64_t start = now_ns ();
        post (server, 'E', (size_t) size);
        enet_host_flush (client);
        while (! next_message (& packet, 1000)) if (now_ns () - start > 10000000000ll) fail ("no echo");
        enet_packet_destroy (packet);
        if (i >= 0) samples [i] = now_ns () - start;
    }
    printf ("{\"event\":\"result\",\"messages\":%d,\"trips\":%d,", count, count + WARM_UP);
    print_samples (samples, count);
}

/* Messages leave when the schedule says so, whether or not earlier ones are back; a latency counts from the scheduled moment. */
static void open_model (int size, int rate, double seconds, int spin)
{
    /* The first second does not count, as in contestant-process.ts. */
    int uncounted = rate, total = uncounted + (int) (rate * seconds), sent = 0, back = 0, n = 0, i;
    int64_t * samples = calloc ((size_t) total, sizeof (int64_t));
    int64_t start = now_ns () + 50000000, end = start + (int64_t) ((seconds + 11) * 1e9);
    double gap = 1e9 / rate;
    ENetPacket * packet;
    while (back < total)
    {
        int64_t now = now_ns ();
        int due = 0;
        enet_uint32 wait = 0;
        if (now > end) break;
        while (sent < total && start + (int64_t) (sent * gap) <= now)
        {
            ENetPacket * p = enet_packet_create (NULL, (size_t) size, ENET_PACKET_FLAG_RELIABLE);
            memset (p -> data, 0, (size_t) size);
            p -> data [0] = 'E';
            memcpy (p -> data + 4, & sent, 4);
            if (enet_peer_send (server, 0, p) < 0) fail ("enet_peer_send");
            ++ sent; due = 1;
        }
        if (due) enet_host_flush (client);
        if (! spin)
        {
            int64_t until = sent < total ? start + (int64_t) (sent * gap) - now_ns () : 1000000;
            wait = until <= 0 ? 0 : (enet_uint32) ((until + 999999) / 1000000);
        }
        while (next_message (& packet, wait))
        {
            int index;
            memcpy (& index, packet -> data + 4, 4);
            samples [index] = now_ns () - (start + (int64_t) (index * gap));
            ++ back; wait = 0;
            enet_packet_destroy (packet);
        }
    }
    for (i = uncounted; i < total; ++ i) if (samples [i] > 0) samples [n ++] = samples [i];
    printf ("{\"event\":\"result\",\"messages\":%d,\"missing\":%d,", total - uncounted, total - uncounted - n);
    print_samples (samples, n);
}

/* As many as go through with at most `window` unanswered; the server answers the last one of each `every`. */
static void stream (int size, int count, int batch, int window, int every)
{
    int64_t start = now_ns ();
    int sent = 0, answered = 0;
    ENetPacket * packet;
    while (answered < count)
    {
        if (sent < count && sent - answered + batch <= window)
        {
            int i;
            for (i = 0; i < batch; ++ i) post (server, ++ sent % every == 0 ? 'A' : 'S', (size_t) size);
            enet_host_flush (client);
            if (! next_message (& packet, 0)) continue;
        }
        else if (! next_message (& packet, 1000)) { if (now_ns () - start > 60000000000ll) fail ("too slow"); continue; }
        do { answered += every; enet_packet_destroy (packet); } while (next_message (& packet, 0));
    }
    printf ("{\"event\":\"result\",\"messages\":%d,\"ms\":%.3f", count, (now_ns () - start) / 1e6);
}

int main (int argc, char ** argv)
{
    double cpu;
    if (enet_initialize () != 0 || argc < 2) return 2;
    if (! strcmp (argv [1], "server"))
    {
        serve (number (argc, argv, "--peers", 32), number (argc, argv, "--channels", 2));
        return 0;
    }
    if (strcmp (argv [1], "client") || argc < 4) return 2;
    connect_to (atoi (argv [2]));
    cpu = cpu_ms ();
    if (! strcmp (argv [3], "echo")) echo (number (argc, argv, "--size", 64), number (argc, argv, "--count", 2000));
    else if (! strcmp (argv [3], "open"))
        open_model (number (argc, argv, "--size", 64), number (argc, argv, "--rate", 1000), number (argc, argv, "--seconds", 2),
                    number (argc, argv, "--spin", 0));
    else if (! strcmp (argv [3], "stream"))
        stream (number (argc, argv, "--size", 20), number (argc, argv, "--count", 100000), number (argc, argv, "--batch", 20),
                number (argc, argv, "--window", 2000), number (argc, argv, "--every", 100));
    else return 2;
    printf (",\"cpuMs\":%.3f,\"datagramsSent\":%u,\"bytesSent\":%u}\n", cpu_ms () - cpu, client -> totalSentPackets, client -> totalSentData);
    fflush (stdout);
    enet_peer_disconnect_now (server, 0);
    enet_host_flush (client);
    enet_host_destroy (client);
    return 0;
}
