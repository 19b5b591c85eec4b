/* C ENet in the real-time comparison of loss recovery. Own code.
 *   real server SECONDS            prints {"event":"listening","port":N}
 *   real client SECONDS PORT
 *   real sink                      takes bulk, prints {"event":"bulk","ms":...}
 *   real source PORT BYTES
 * Game: at 60 Hz two 64-byte reliable messages that carry the monotonic clock, and a 200-byte unreliable state. Serviced every
 * millisecond. After SECONDS and a few more for what is late it prints {"event":"done","microseconds":[...]}. */
#define _GNU_SOURCE
#include <enet/enet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_ns (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, & t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until (int64_t at)
{
    struct timespec t = { at / 1000000000, at % 1000000000 };
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, & t, NULL);
}

static void fail (const char * why)
{
    printf ("{\"event\":\"failed\",\"message\":\"%s\"}\n", why);
    fflush (stdout);
    exit (1);
}

static void post (ENetPeer * peer, int channel, size_t size, enet_uint32 flags)
{
    int64_t at = now_ns ();
    ENetPacket * p = enet_packet_create (NULL, size, flags);
    memset (p -> data, 0, size);
    memcpy (p -> data, & at, 8);
    if (enet_peer_send (peer, (enet_uint8) channel, p) < 0) enet_packet_destroy (p);
}

#define WARM_NS 3000000000LL
#define DRAIN_NS 8000000000LL
#define TICK_NS 16666667LL

int main (int argc, char ** argv)
{
    const char * role = argc > 1 ? argv [1] : "";
    int serves = ! strcmp (role, "server") || ! strcmp (role, "sink");
    int bulk = ! strcmp (role, "sink") || ! strcmp (role, "source");
    int64_t seconds = argc > 2 ? atoi (argv [2]) : 20;
    static double late [200000];
    size_t count = 0;
    ENetHost * host;
    ENetAddress address;
    ENetPeer * peer = NULL;
    ENetEvent event;
    int64_t connected = 0, tick = 0, step = now_ns ();
    long wanted = 0, got = 0;
    if (enet_initialize () != 0) fail ("enet_initialize");
    enet_address_set_host_ip (& address, "127.0.0.1");
    address.port = 0;
    host = enet_host_create (serves ? & address : NULL, 4, 3, 0, 0);
    if (host == NULL) fail ("enet_host_create");
    if (serves)
    {
        enet_socket_get_address (host -> socket, & address);
        printf ("{\"event\":\"listening\",\"port\":%u}\n", address.port);
        fflush (stdout);
    }
    else
    {
        address.port = (enet_uint16) atoi (argv [bulk ? 2 : 3]);
        if (bulk) wanted = atol (argv [3]);
        if (enet_host_connect (host, & address, 3, 0) == NULL) fail ("enet_host_connect");
    }
    for (;;)
    {
        int64_t now;
        int sent = 0;
        while (enet_host_service (host, & event, 0) > 0)
        {
            if (event.type == ENET_EVENT_TYPE_CONNECT)
            {
                peer = event.peer;
                enet_peer_timeout (peer, 1 << 20, 600000, 1200000);
                connected = now_ns ();
                tick = connected + 500000000;
            }
            else if (event.type == ENET_EVENT_TYPE_RECEIVE)
            {
                int64_t at;
                memcpy (& at, event.packet -> data, 8);
                got += (long) event.packet -> dataLength;
                if (! bulk && event.channelID == 0 && at - connected > WARM_NS && count < sizeof late / sizeof * late)
                    late [count ++] = (now_ns () - at) / 1e3;
                if (bulk && got >= 4000000)
                {
                    printf ("{\"event\":\"bulk\",\"ms\":%.3f}\n", (now_ns () - at) / 1e6);
                    fflush (stdout);
                    return 0;
                }
                enet_packet_destroy (event.packet);
            }
        }
        now = now_ns ();
        if (peer != NULL && bulk && ! serves && wanted > 0 && now >= tick)
        {
            int64_t at = now;
            ENetPacket * p = enet_packet_create (NULL, (size_t) wanted, ENET_PACKET_FLAG_RELIABLE);
            memset (p -> data, 0, (size_t) wanted);
            memcpy (p -> data, & at, 8);
            enet_peer_send (peer, 0, p);
            wanted = 0;
            sent = 1;
        }
        if (peer != NULL && ! bulk)
        {
            if (now >= tick && now - connected < seconds * 1000000000)
            {
                tick += TICK_NS;
                post (peer, 0, 64, ENET_PACKET_FLAG_RELIABLE);
                post (peer, 0, 64, ENET_PACKET_FLAG_RELIABLE);
                post (peer, 1, 200, 0);
                sent = 1;
            }
            if (now - connected > seconds * 1000000000 + DRAIN_NS) break;
        }
        if (sent) enet_host_flush (host);
        step += 1000000;
        if (step < now) step = now;
        sleep_until (step);
    }
    printf ("{\"event\":\"done\",\"microseconds\":[");
    for (size_t i = 0; i < count; ++ i) printf (i ? ",%.0f" : "%.0f", late [i]);
    printf ("]}\n");
    fflush (stdout);
    return 0;
}
