/* An ENet server on the stock library that sends every packet back on its channel, in the delivery mode in which it came.
 *   server [--port N] [--peers N] [--channels N] [--crc|--fnv] [--range|--compress] [--in B] [--out B] [--mtu N] [--poll MS]
 *          [--noecho] [--quiet] [--clock MS]
 * A packet that starts with '!' is a command to the server:
 *   !disconnect D | !later D | !now D | !reset          end the connection of the one who says so
 *   !send N SIZE FLAGS CHANNEL SEED                     N packets of computed payload, numbered from 0
 *   !throttle I A D | !bandwidth IN OUT | !ping
 * One JSON object a line; ends with a summary on SIGTERM, SIGINT or the end of standard input. Own code. */
#include "common.h"

static volatile sig_atomic_t stopped;
static void stop (int signal) { (void) signal; stopped = 1; }

static unsigned long long connects, disconnects, packets, bytes, echoed;

static void command (ENetHost * host, ENetPeer * peer, const char * text)
{
    unsigned a = 0, b = 0, c = 0, d = 0, e = 0, i;
    char name [32];
    if (sscanf (text, "!%31s %u %u %u %u %u", name, & a, & b, & c, & d, & e) < 1) return;
    if (! strcmp (name, "disconnect")) enet_peer_disconnect (peer, a);
    else if (! strcmp (name, "later")) enet_peer_disconnect_later (peer, a);
    else if (! strcmp (name, "now")) enet_peer_disconnect_now (peer, a);
    else if (! strcmp (name, "reset")) enet_peer_reset (peer);
    else if (! strcmp (name, "throttle")) enet_peer_throttle_configure (peer, a, b, c);
    else if (! strcmp (name, "bandwidth")) enet_host_bandwidth_limit (host, a, b);
    else if (! strcmp (name, "ping")) enet_peer_ping (peer);
    else if (! strcmp (name, "send"))
        for (i = 0; i < a; ++ i)
        {
            ENetPacket * p = enet_packet_create (NULL, b, c);
            payload_fill (p -> data, b, e, i);
            if (enet_peer_send (peer, (enet_uint8) d, p) < 0) enet_packet_destroy (p);
        }
}

int main (int argc, char ** argv)
{
    Options o;
    ENetHost * host;
    ENetAddress bound;
    ENetEvent e;
    char line [256];
    int i, r, first;

    options_default (& o);
    for (i = 1; i < argc; ++ i)
        if (! options_take (& o, argc, argv, & i)) { fprintf (stderr, "server: what is %s?\n", argv [i]); return 4; }
    signal (SIGTERM, stop); signal (SIGINT, stop);
    if (enet_initialize () < 0) return 4;
    host = open_host (& o, 1, (size_t) o.peers);
    enet_socket_get_address (host -> socket, & bound);
    say ("{\"event\":\"listening\",\"port\":%u,\"version\":%u}", bound.port, (unsigned) enet_linked_version ());

    while (! stopped)
    {
        if (read_line (line, sizeof (line)) < 0) break;
        for (first = 1; (r = serve (& o, host, & e, first)) > 0; first = 0)
        {
            unsigned id = e.peer -> incomingPeerID;
            if (e.type == ENET_EVENT_TYPE_CONNECT)
            {
                ++ connects;
                say ("{\"event\":\"connect\",\"peer\":%u,\"data\":%u,\"channels\":%u,\"mtu\":%u,\"port\":%u}", id, e.data,
                     (unsigned) e.peer -> channelCount, e.peer -> mtu, e.peer -> address.port);
            }
            else if (e.type == ENET_EVENT_TYPE_DISCONNECT)
            {
                ++ disconnects;
                say ("{\"event\":\"disconnect\",\"peer\":%u,\"data\":%u}", id, e.data);
            }
            else if (e.type == ENET_EVENT_TYPE_RECEIVE)
            {
                ENetPacket * p = e.packet;
                unsigned flags = p -> flags & DELIVERY_FLAGS;
                ++ packets; bytes += p -> dataLength;
                if (! o.quiet)
                    say ("{\"event\":\"receive\",\"peer\":%u,\"channel\":%u,\"flags\":%u,\"length\":%u,\"crc\":%u}", id, e.channelID,
                         flags, (unsigned) p -> dataLength, crc_of (p -> data, p -> dataLength));
                if (p -> dataLength > 1 && p -> data [0] == '!')
                {
                    size_t n = p -> dataLength < sizeof (line) - 1 ? p -> dataLength : sizeof (line) - 1;
                    memcpy (line, p -> data, n); line [n] = 0;
                    command (host, e.peer, line);
                }
                else if (! o.noecho && ! (p -> dataLength == 0 && must_not_send_empty (& o)))
                {
                    ENetPacket * back = enet_packet_create (p -> data, p -> dataLength, flags);
                    if (enet_peer_send (e.peer, e.channelID, back) < 0) enet_packet_destroy (back); else ++ echoed;
                }
                enet_packet_destroy (p);
            }
        }
    }
    say ("{\"event\":\"summary\",\"connects\":%llu,\"disconnects\":%llu,\"packets\":%llu,\"bytes\":%llu,\"echoed\":%llu}",
         connects, disconnects, packets, bytes, echoed);
    enet_host_destroy (host);
    return 0;
}
