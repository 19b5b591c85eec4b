/* The stock libenet on a leash: one host in one process, in virtual time, on a virtual socket; fully deterministic.
 * The few libc calls that libenet makes (gettimeofday, time, socket, bind, sendmsg, recvmsg, poll, ...) are defined here, so
 * that the dynamic linker binds the unmodified shared library to these. No real socket is ever opened.
 *   cc -O2 -rdynamic -o oracle oracle.c -lenet
 * Commands on standard input, one a line; most answer nothing. Integers are decimal, bytes are hex, "-" stands for none:
 *   time MS                                          sets the clock (64 bits)
 *   clock MS                                         what the library's own clock shows now (enet_time_set)
 *   host PEERS CHANNELS INBW OUTBW PORT SEED [KEY=N]  keys: mtu, crc, fnv, range, rle, maxpacket, maxwaiting, duplicates
 *   connect IP PORT CHANNELS DATA                    -> "peer P"
 *   send P CH FLAGS HEX | broadcast CH FLAGS HEX     FLAGS as in ENetPacketFlag; -> "err send" when refused
 *   disc|later|now P DATA | reset P | ping P | pinginterval P MS | timeout P LIMIT MIN MAX | throttle P INTERVAL ACC DEC
 *   bandwidth IN OUT | channellimit N
 *   rx IP PORT HEX                                   a datagram waits in the socket
 *   service                                          serves until there is no event left
 *   flush
 *   info P                                           -> "info state=.. rtt=.. ..."
 *   sync                                             -> "ok", and everything written so far is handed over
 * Results: "tx IP PORT HEX", "connect P DATA CHANNELS MTU", "recv P CH FLAGS HEX", "disc P DATA", "err ...".
 * Own code. */
#include "common.h"
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#define FD 1000
typedef struct Dgram { struct Dgram * next; uint32_t ip; uint16_t port; size_t length; unsigned char data []; } Dgram;
static Dgram * head, * tail;
static ENetHost * host;
static uint16_t boundPort;
static unsigned long long nowMs = 1000;

/* ---- libc, as the library sees it ---- */

int gettimeofday (struct timeval * tv, void * tz)
{
    (void) tz;
    tv -> tv_sec = (time_t) (nowMs / 1000);
    tv -> tv_usec = (suseconds_t) (nowMs % 1000 * 1000);
    return 0;
}
time_t time (time_t * t) { if (t) * t = (time_t) (nowMs / 1000); return (time_t) (nowMs / 1000); }
int socket (int d, int t, int p) { (void) d; (void) t; (void) p; return FD; }
int bind (int fd, const struct sockaddr * a, socklen_t l) { (void) fd; (void) a; (void) l; return 0; }
int getsockname (int fd, struct sockaddr * restrict a, socklen_t * restrict l)
{
    struct sockaddr_in * s = (struct sockaddr_in *) a;
    (void) fd;
    memset (s, 0, sizeof (* s));
    s -> sin_family = AF_INET; s -> sin_port = htons (boundPort); * l = sizeof (* s);
    return 0;
}
int setsockopt (int fd, int l, int o, const void * v, socklen_t n) { (void) fd; (void) l; (void) o; (void) v; (void) n; return 0; }
int fcntl (int fd, int cmd, ...) { (void) fd; (void) cmd; return 0; }
int ioctl (int fd, unsigned long cmd, ...) { (void) fd; (void) cmd; return 0; }
int shutdown (int fd, int how) { (void) fd; (void) how; return 0; }

static const char digits [] = "0123456789abcdef";
static void put_hex (const unsigned char * p, size_t n)
{
    if (! n) putchar_unlocked ('-');
    while (n --) { putchar_unlocked (digits [* p >> 4]); putchar_unlocked (digits [* p ++ & 15]); }
}

ssize_t sendmsg (int fd, const struct msghdr * m, int flags)
{
    const struct sockaddr_in * s = m -> msg_name;
    const unsigned char * b = (const unsigned char *) & s -> sin_addr.s_addr;
    size_t i, total = 0;
    (void) fd; (void) flags;
    printf ("tx %u.%u.%u.%u %u ", b [0], b [1], b [2], b [3], ntohs (s -> sin_port));
    for (i = 0; i < m -> msg_iovlen; ++ i)
    {
        if (m -> msg_iov [i].iov_len) put_hex (m -> msg_iov [i].iov_base, m -> msg_iov [i].iov_len);
        total += m -> msg_iov [i].iov_len;
    }
    putchar ('\n');
    return (ssize_t) total;
}
ssize_t recvmsg (int fd, struct msghdr * m, int flags)
{
    Dgram * d = head;
    struct sockaddr_in * s = m -> msg_name;
    size_t n;
    (void) fd; (void) flags;
    if (! d) { errno = EWOULDBLOCK; return -1; }
    head = d -> next;
    if (! head) tail = NULL;
    n = d -> length < m -> msg_iov [0].iov_len ? d -> length : m -> msg_iov [0].iov_len;
    memcpy (m -> msg_iov [0].iov_base, d -> data, n);
    m -> msg_flags = d -> length > n ? MSG_TRUNC : 0;
    if (s) { memset (s, 0, sizeof (* s)); s -> sin_family = AF_INET; s -> sin_addr.s_addr = d -> ip; s -> sin_port = htons (d -> port); }
    free (d);
    return (ssize_t) n;
}
/* glibc declares the array as written to only; it is read here. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
int poll (struct pollfd * p, nfds_t n, int timeout)
{
    nfds_t i;
    int ready = 0;
    (void) timeout;
    for (i = 0; i < n; ++ i) { p [i].revents = 0; if (p [i].fd == FD && head) { p [i].revents = POLLIN; ++ ready; } }
    return ready;
}
int select (int n, fd_set * restrict a, fd_set * restrict b, fd_set * restrict c, struct timeval * restrict t)
{ (void) n; (void) a; (void) b; (void) c; (void) t; return 0; }

/* ---- commands ---- */

static int nibble (char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }
static size_t get_hex (const char * s, unsigned char * out)
{
    size_t n = 0;
    if (* s == '-') return 0;
    for (; s [0] > ' ' && s [1] > ' '; s += 2) out [n ++] = (unsigned char) (nibble (s [0]) << 4 | nibble (s [1]));
    return n;
}

static unsigned char bytes [40 << 20];
static char line [82 << 20];
static char * w [16];
static unsigned long number (int i) { return w [i] ? strtoul (w [i], NULL, 10) : 0; }
static ENetPeer * peer_at (int i) { return & host -> peers [number (i)]; }

static void open_virtual (int words)
{
    Options o;
    ENetAddress a;
    int i;
    options_default (& o);
    a.host = ENET_HOST_ANY; a.port = boundPort = (uint16_t) number (5);
    host = enet_host_create (& a, number (1), number (2), (enet_uint32) number (3), (enet_uint32) number (4));
    if (! host) { printf ("err host\n"); return; }
    host -> randomSeed = (enet_uint32) number (6);
    for (i = 7; i < words; ++ i)
    {
        char * value = strchr (w [i], '=');
        size_t n = value ? strtoul (value + 1, NULL, 10) : 0;
        if (! value) continue;
        * value = 0;
        if (! strcmp (w [i], "mtu")) o.mtu = (int) n;
        else if (! strcmp (w [i], "crc")) o.crc = (int) n;
        else if (! strcmp (w [i], "fnv")) o.fnv = (int) n;
        else if (! strcmp (w [i], "range")) o.range = (int) n;
        else if (! strcmp (w [i], "rle")) o.rle = (int) n;
        else if (! strcmp (w [i], "maxpacket")) host -> maximumPacketSize = n;
        else if (! strcmp (w [i], "maxwaiting")) host -> maximumWaitingData = n;
        else if (! strcmp (w [i], "duplicates")) host -> duplicatePeers = n;
        else printf ("err option %s\n", w [i]);
    }
    options_apply (& o, host);
}

static void receive_later (void)
{
    size_t n = get_hex (w [3], bytes);
    Dgram * d = malloc (sizeof (Dgram) + n);
    d -> next = NULL; d -> ip = inet_addr (w [1]); d -> port = (uint16_t) number (2); d -> length = n;
    memcpy (d -> data, bytes, n);
    if (tail) tail -> next = d; else head = d;
    tail = d;
}

static void service (void)
{
    ENetEvent e;
    int r, guard = 200000;
    while ((r = enet_host_service (host, & e, 0)) > 0 && guard -- > 0)
    {
        unsigned p = (unsigned) (e.peer - host -> peers);
        if (e.type == ENET_EVENT_TYPE_CONNECT)
            printf ("connect %u %u %u %u\n", p, e.data, (unsigned) e.peer -> channelCount, e.peer -> mtu);
        else if (e.type == ENET_EVENT_TYPE_DISCONNECT) printf ("disc %u %u\n", p, e.data);
        else if (e.type == ENET_EVENT_TYPE_RECEIVE)
        {
            printf ("recv %u %u %u ", p, e.channelID, (unsigned) (e.packet -> flags & DELIVERY_FLAGS));
            put_hex (e.packet -> data, e.packet -> dataLength);
            putchar ('\n');
            enet_packet_destroy (e.packet);
        }
    }
    if (r < 0) printf ("err service\n");
}

static void info (ENetPeer * p)
{
    printf ("info state=%d rtt=%u var=%u mtu=%u window=%u transit=%u throttle=%u throttlelimit=%u throttleinterval=%u throttleacc=%u "
            "throttledec=%u waiting=%zu loss=%u channels=%zu in=%u out=%u sessionin=%u sessionout=%u id=%u outgoing=%d\n",
            p -> state, p -> roundTripTime, p -> roundTripTimeVariance, p -> mtu, p -> windowSize, p -> reliableDataInTransit,
            p -> packetThrottle, p -> packetThrottleLimit, p -> packetThrottleInterval, p -> packetThrottleAcceleration,
            p -> packetThrottleDeceleration, p -> totalWaitingData, p -> packetLoss, p -> channelCount, p -> incomingBandwidth,
            p -> outgoingBandwidth, p -> incomingSessionID, p -> outgoingSessionID, p -> outgoingPeerID,
            ! enet_list_empty (& p -> outgoingCommands) || ! enet_list_empty (& p -> sentReliableCommands));
}

static void run (const char * name, int words)
{
    if (! strcmp (name, "time")) nowMs = strtoull (w [1], NULL, 10);
    else if (! strcmp (name, "clock")) enet_time_set ((enet_uint32) number (1));
    else if (! strcmp (name, "host")) open_virtual (words);
    else if (! host) printf ("err no host\n");
    else if (! strcmp (name, "rx")) receive_later ();
    else if (! strcmp (name, "service")) service ();
    else if (! strcmp (name, "flush")) enet_host_flush (host);
    else if (! strcmp (name, "connect"))
    {
        ENetAddress a;
        ENetPeer * p;
        a.host = inet_addr (w [1]); a.port = (enet_uint16) number (2);
        p = enet_host_connect (host, & a, number (3), (enet_uint32) number (4));
        if (p) printf ("peer %u\n", (unsigned) (p - host -> peers)); else printf ("err connect\n");
    }
    else if (! strcmp (name, "send"))
    {
        size_t n = get_hex (w [4], bytes);
        ENetPacket * p = enet_packet_create (bytes, n, (enet_uint32) number (3));
        if (enet_peer_send (peer_at (1), (enet_uint8) number (2), p) < 0) { enet_packet_destroy (p); printf ("err send\n"); }
    }
    else if (! strcmp (name, "broadcast"))
    {
        size_t n = get_hex (w [3], bytes);
        enet_host_broadcast (host, (enet_uint8) number (1), enet_packet_create (bytes, n, (enet_uint32) number (2)));
    }
    else if (! strcmp (name, "disc")) enet_peer_disconnect (peer_at (1), (enet_uint32) number (2));
    else if (! strcmp (name, "later")) enet_peer_disconnect_later (peer_at (1), (enet_uint32) number (2));
    else if (! strcmp (name, "now")) enet_peer_disconnect_now (peer_at (1), (enet_uint32) number (2));
    else if (! strcmp (name, "reset")) enet_peer_reset (peer_at (1));
    else if (! strcmp (name, "ping")) enet_peer_ping (peer_at (1));
    else if (! strcmp (name, "pinginterval")) enet_peer_ping_interval (peer_at (1), (enet_uint32) number (2));
    else if (! strcmp (name, "timeout"))
        enet_peer_timeout (peer_at (1), (enet_uint32) number (2), (enet_uint32) number (3), (enet_uint32) number (4));
    else if (! strcmp (name, "throttle"))
        enet_peer_throttle_configure (peer_at (1), (enet_uint32) number (2), (enet_uint32) number (3), (enet_uint32) number (4));
    else if (! strcmp (name, "bandwidth")) enet_host_bandwidth_limit (host, (enet_uint32) number (1), (enet_uint32) number (2));
    else if (! strcmp (name, "channellimit")) enet_host_channel_limit (host, number (1));
    else if (! strcmp (name, "info")) info (peer_at (1));
    else printf ("err command %s\n", name);
}

int main (void)
{
    /* Whoever reads our answers blocks on us: better dead than in an endless loop. */
    struct rlimit cpu = { 120, 120 };
    setrlimit (RLIMIT_CPU, & cpu);
    enet_initialize ();
    setvbuf (stdout, NULL, _IOFBF, 1 << 20);
    while (fgets (line, sizeof (line), stdin))
    {
        char * save, * t;
        int n = 0;
        memset (w, 0, sizeof (w));
        for (t = strtok_r (line, " \n", & save); t && n < 15; t = strtok_r (NULL, " \n", & save)) w [n ++] = t;
        if (! n) continue;
        if (! strcmp (w [0], "sync")) { puts ("ok"); fflush (stdout); }
        else run (w [0], n);
    }
    return 0;
}
