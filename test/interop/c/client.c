/* An ENet client on the stock library that follows a script and checks every echo bit for bit.
 *   client HOST PORT [options of server.c] [--data N] [--limit MS]   < script
 * Script, one command a line; what it has to wait for holds up the rest:
 *   send CH FLAGS SIZE SEED         one packet of computed payload       text CH FLAGS WORDS...      those words
 *   burst N CH FLAGS SIZE SEED      many of the same kind                mixed N SEED CHANNELS MAX   every kind and size
 *   wait MS | waitrecv N | waitidle (all reliable echoes are here) | waitdisconnect
 *   disconnect D | later D | now D | reset | throttle I A D | bandwidth IN OUT | ping | timeout LIMIT MIN MAX
 * Ends after the script: waits for what is owed, disconnects, prints a summary. Exit code 0: all as expected, 1: an echo was
 * wrong, missing, doubled or out of order, 2: never connected, 3: out of time. Own code. */
#include "common.h"

/* What was sent, to be compared with what comes back. */
typedef struct { uint32_t seed, index, size; uint8_t channel, reliable, unsequenced, received; } Sent;
static Sent * sent;
static uint32_t sentCount, sentRoom;

/* Per channel: reliable packets in the order in which they must come back, and the newest sequenced one seen. */
static struct { uint32_t * queue; uint32_t head, tail, room; int64_t newest; } lanes [256];

static Options o;
static ENetHost * host;
static ENetPeer * peer;
static int connected, ended, expectEcho = 1;
static uint32_t received, reliableSent, reliableBack, unreliableSent, unreliableBack, unsequencedSent, unsequencedBack, tinySent, tinyBack;
static uint64_t bytesSent, bytesBack;
static uint32_t owed, owedBytes, errors;

static void wrong (const char * what, uint32_t channel, uint32_t index)
{
    if (errors ++ < 20) say ("{\"event\":\"wrong\",\"what\":\"%s\",\"channel\":%u,\"index\":%u}", what, channel, index);
}

static void send_packet (uint32_t channel, uint32_t flags, uint32_t size, uint32_t seed)
{
    uint32_t limit = peer -> mtu - sizeof (ENetProtocolHeader) - sizeof (ENetProtocolSendFragment) - (host -> checksum ? 4 : 0);
    ENetPacket * p = enet_packet_create (NULL, size, flags);
    Sent * s;
    if (sentCount == sentRoom) { sentRoom = sentRoom ? 2 * sentRoom : 1024; sent = realloc (sent, sentRoom * sizeof (Sent)); }
    s = & sent [sentCount];
    s -> seed = seed; s -> index = sentCount; s -> size = size; s -> channel = (uint8_t) channel; s -> received = 0;
    /* The library sends what is too long, and may not travel in unreliable fragments, reliably. */
    s -> reliable = (flags & 1) || (size > limit && ! (flags & 8));
    s -> unsequenced = ! s -> reliable && (flags & 2) && size <= limit;
    payload_fill (p -> data, size, seed, s -> index);
    if (enet_peer_send (peer, (enet_uint8) channel, p) < 0) { enet_packet_destroy (p); wrong ("send failed", channel, s -> index); return; }
    ++ sentCount; bytesSent += size;
    if (s -> reliable)
    {
        ++ reliableSent;
        if (! expectEcho) return;
        if (lanes [channel].tail == lanes [channel].room)
        {
            lanes [channel].room = lanes [channel].room ? 2 * lanes [channel].room : 64;
            lanes [channel].queue = realloc (lanes [channel].queue, lanes [channel].room * sizeof (uint32_t));
        }
        lanes [channel].queue [lanes [channel].tail ++] = s -> index;
        ++ owed; owedBytes += size;
    }
    else if (size < 4) ++ tinySent;
    else if (s -> unsequenced) ++ unsequencedSent;
    else ++ unreliableSent;
}

static void check (const ENetEvent * e)
{
    const ENetPacket * p = e -> packet;
    uint32_t channel = e -> channelID, index;
    static uint8_t * expected;
    static size_t room;
    Sent * s;
    ++ received; bytesBack += p -> dataLength;
    if (! expectEcho) return;
    if (p -> flags & 1)
    {
        if (lanes [channel].head == lanes [channel].tail) { wrong ("a reliable echo that nothing asked for", channel, 0); return; }
        index = lanes [channel].queue [lanes [channel].head ++];
        -- owed; owedBytes -= sent [index].size; ++ reliableBack;
    }
    else if (p -> dataLength < 4)
    {
        if (++ tinyBack > tinySent) wrong ("more tiny unreliable echoes than were sent", channel, 0);
        return;
    }
    else
    {
        index = (uint32_t) p -> data [0] << 24 | (uint32_t) p -> data [1] << 16 | (uint32_t) p -> data [2] << 8 | p -> data [3];
        if (index >= sentCount) { wrong ("an unreliable echo that nothing asked for", channel, index); return; }
        if (sent [index].reliable) { wrong ("sent reliably, came back unreliably", channel, index); return; }
        if (sent [index].unsequenced) ++ unsequencedBack; else ++ unreliableBack;
        if (sent [index].unsequenced != ((p -> flags & 2) != 0)) wrong ("came back in another delivery mode", channel, index);
    }
    s = & sent [index];
    if (s -> received) wrong ("doubled", channel, index);
    s -> received = 1;
    if (s -> channel != channel) wrong ("on another channel", channel, index);
    if (! s -> unsequenced)
    {
        if (lanes [channel].newest >= (int64_t) index + 1) wrong ("out of order", channel, index);
        lanes [channel].newest = (int64_t) index + 1;
    }
    if (p -> dataLength != s -> size) { wrong ("another length", channel, index); return; }
    if (room < s -> size) { room = s -> size; expected = realloc (expected, room); }
    payload_fill (expected, s -> size, s -> seed, s -> index);
    if (memcmp (expected, p -> data, s -> size)) wrong ("other bytes", channel, index);
}

/* ---- packets of every kind and size ---- */

static uint32_t mixedLeft, mixedSeed, mixedState, mixedChannels, mixedMax, mixedTotal;

/* Mostly small, as in games; some need several datagrams; five large ones, the largest of `mixedMax`. */
static uint32_t mixed_size (uint32_t position)
{
    uint32_t r = xorshift (& mixedState), x = xorshift (& mixedState);
    if (position == mixedTotal / 2) return mixedMax;
    if (position && position % (mixedTotal / 5 + 1) == 0) return mixedMax / 8 + x % (mixedMax / 8 + 1);
    if (r % 100 < 70) return x % 101;
    if (r % 100 < 92) return x % 1401;
    if (r % 100 < 99) return x % (mixedMax < 6000 ? mixedMax + 1 : 6000);
    return x % (mixedMax < 20000 ? mixedMax + 1 : 20000);
}

static void mixed_step (void)
{
    static const uint32_t kinds [] = { 1, 0, 1, 2, 1, 8, 1, 10 };
    int burst = 64;
    /* A window of our own: endless queues are not what is tested here. */
    while (mixedLeft && burst -- && owed < 400 && owedBytes < 600000)
    {
        uint32_t position = mixedTotal - mixedLeft, size = mixed_size (position), flags = kinds [xorshift (& mixedState) % 8];
        uint32_t channel = xorshift (& mixedState) % mixedChannels;
        if (size > 100000) flags = 1;
        else if (size > 8000) flags &= 1;
        if (size == 0 && must_not_send_empty (& o)) size = 1;
        send_packet (channel, flags, size, mixedSeed);
        -- mixedLeft;
    }
}

/* ---- the script ---- */

static uint64_t waitUntil;
static uint32_t waitReceived;
static int waitIdle, waitDisconnect;

static void run_line (char * line)
{
    unsigned a = 0, b = 0, c = 0, d = 0, e = 0;
    char name [32];
    if (sscanf (line, "%31s %u %u %u %u %u", name, & a, & b, & c, & d, & e) < 1) return;
    if (! strcmp (name, "send")) send_packet (a, b, c, d);
    else if (! strcmp (name, "burst")) { while (a --) send_packet (b, c, d, e); }
    else if (! strcmp (name, "text"))
    {
        int at = 0;
        ENetPacket * p;
        sscanf (line, "%*s %*u %*u %n", & at);
        p = enet_packet_create (line + at, strlen (line + at), b);
        if (enet_peer_send (peer, (enet_uint8) a, p) < 0) enet_packet_destroy (p);
    }
    else if (! strcmp (name, "mixed"))
    {
        mixedTotal = mixedLeft = a; mixedSeed = b; mixedChannels = c; mixedMax = d;
        mixedState = b * 2654435761u | 1;
        waitIdle = 1;
    }
    else if (! strcmp (name, "wait")) waitUntil = clock_ms () + a;
    else if (! strcmp (name, "waitrecv")) waitReceived = a;
    else if (! strcmp (name, "waitidle")) waitIdle = 1;
    else if (! strcmp (name, "waitdisconnect")) waitDisconnect = 1;
    else if (! strcmp (name, "noecho")) expectEcho = 0;
    else if (! strcmp (name, "disconnect")) { enet_peer_disconnect (peer, a); waitDisconnect = 1; }
    else if (! strcmp (name, "later")) { enet_peer_disconnect_later (peer, a); waitDisconnect = 1; }
    else if (! strcmp (name, "now")) { enet_peer_disconnect_now (peer, a); ended = 1; }
    else if (! strcmp (name, "reset")) { enet_peer_reset (peer); ended = 1; }
    else if (! strcmp (name, "throttle")) enet_peer_throttle_configure (peer, a, b, c);
    else if (! strcmp (name, "bandwidth")) enet_host_bandwidth_limit (host, a, b);
    else if (! strcmp (name, "ping")) enet_peer_ping (peer);
    else if (! strcmp (name, "timeout")) enet_peer_timeout (peer, a, b, c);
    else wrong ("unknown script line", 0, 0);
}

static int must_wait (void)
{
    if (mixedLeft) return 1;
    if (waitUntil) { if (clock_ms () < waitUntil) return 1; waitUntil = 0; }
    if (waitReceived) { if (received < waitReceived) return 1; waitReceived = 0; }
    if (waitIdle) { if (owed) return 1; waitIdle = 0; }
    return waitDisconnect;
}

int main (int argc, char ** argv)
{
    ENetAddress address;
    ENetEvent e;
    char line [1024];
    int i, first, finished = 0, disconnectData = -1, settled = 0;
    uint64_t start = clock_ms ();

    options_default (& o);
    if (argc < 3) { fprintf (stderr, "client HOST PORT [options]\n"); return 4; }
    for (i = 3; i < argc; ++ i)
        if (! options_take (& o, argc, argv, & i)) { fprintf (stderr, "client: what is %s?\n", argv [i]); return 4; }
    if (enet_initialize () < 0) return 4;
    expectEcho = ! o.noecho;
    host = open_host (& o, 0, 1);
    enet_address_set_host (& address, argv [1]);
    address.port = (enet_uint16) atoi (argv [2]);
    peer = enet_host_connect (host, & address, (size_t) o.channels, o.data);
    if (! peer) return 4;

    while (! finished)
    {
        if (clock_ms () - start > (uint64_t) o.limit)
        {
            say ("{\"event\":\"out-of-time\",\"owed\":%u,\"connected\":%d}", owed, connected);
            return 3;
        }
        for (first = 1; serve (& o, host, & e, first); first = 0)
        {
            if (e.type == ENET_EVENT_TYPE_CONNECT)
            {
                connected = 1;
                say ("{\"event\":\"connect\",\"data\":%u,\"channels\":%u,\"mtu\":%u}", e.data, (unsigned) peer -> channelCount,
                     peer -> mtu);
            }
            else if (e.type == ENET_EVENT_TYPE_DISCONNECT)
            {
                ended = 1; disconnectData = (int) e.data;
                say ("{\"event\":\"disconnect\",\"data\":%u,\"connected\":%s}", e.data, connected ? "true" : "false");
            }
            else if (e.type == ENET_EVENT_TYPE_RECEIVE)
            {
                if (! o.quiet)
                    say ("{\"event\":\"receive\",\"channel\":%u,\"flags\":%u,\"length\":%u,\"crc\":%u}", e.channelID,
                         (unsigned) (e.packet -> flags & DELIVERY_FLAGS), (unsigned) e.packet -> dataLength,
                         crc_of (e.packet -> data, e.packet -> dataLength));
                check (& e);
                enet_packet_destroy (e.packet);
            }
        }
        if (ended) break;
        if (! connected) continue;
        if (mixedLeft) mixed_step ();
        while (! ended && ! must_wait ())
        {
            int got = read_line (line, sizeof (line));
            if (got > 0) run_line (line);
            else if (got == 0) break;
            /* The script has ended: wait for what is owed, then a little for echoes that should not come, then leave. */
            else if (owed) waitIdle = 1;
            else if (! settled) { settled = 1; waitUntil = clock_ms () + 200; }
            else { enet_peer_disconnect (peer, 0); waitDisconnect = 1; }
        }
    }
    enet_host_flush (host);
    if (expectEcho && owed) wrong ("reliable echoes are missing", 0, owed);
    say ("{\"event\":\"summary\",\"connected\":%s,\"sent\":%u,\"received\":%u,"
         "\"reliableSent\":%u,\"reliableBack\":%u,\"unreliableSent\":%u,\"unreliableBack\":%u,"
         "\"unsequencedSent\":%u,\"unsequencedBack\":%u,\"tinySent\":%u,\"tinyBack\":%u,"
         "\"bytesSent\":%llu,\"bytesBack\":%llu,\"errors\":%u,\"disconnectData\":%d,\"ms\":%llu}",
         connected ? "true" : "false", sentCount, received,
         reliableSent, reliableBack, unreliableSent, unreliableBack,
         unsequencedSent, unsequencedBack, tinySent, tinyBack,
         (unsigned long long) bytesSent, (unsigned long long) bytesBack, errors, disconnectData,
         (unsigned long long) (clock_ms () - start));
    enet_host_destroy (host);
    return ! connected ? 2 : errors ? 1 : 0;
}
