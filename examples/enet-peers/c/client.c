/* A C program that talks to a vaiven host through the ENet library.
   Build: cc examples/enet-peers/c/client.c -o client -lenet     Run: ./client [port] */
#include <enet/enet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say (ENetPeer * server, enet_uint8 channel, const char * text, enet_uint32 flags)
{
    enet_peer_send (server, channel, enet_packet_create (text, strlen (text), flags));
}

int main (int argc, char ** argv)
{
    ENetAddress address;
    ENetHost * host;
    ENetPeer * server;
    ENetEvent event;
    int heard = 0;

    if (enet_initialize () != 0) return EXIT_FAILURE;
    atexit (enet_deinitialize);

    /* A client: one peer, two channels. The range coder may be on: the server finds out by itself. */
    host = enet_host_create (NULL, 1, 2, 0, 0);
    if (host == NULL) return EXIT_FAILURE;
    enet_host_compress_with_range_coder (host);

    enet_address_set_host (& address, "127.0.0.1");
    address.port = argc > 1 ? (enet_uint16) atoi (argv [1]) : 7777;
    server = enet_host_connect (host, & address, 2, 42);
    if (server == NULL) return EXIT_FAILURE;

    while (enet_host_service (host, & event, 5000) > 0)
        switch (event.type)
        {
        case ENET_EVENT_TYPE_CONNECT:
            printf ("connected\n");
            say (server, 0, "hello from C", ENET_PACKET_FLAG_RELIABLE);
            say (server, 1, "x=10", 0);
            say (server, 1, "x=20", ENET_PACKET_FLAG_UNSEQUENCED);
            break;

        case ENET_EVENT_TYPE_RECEIVE:
            printf ("heard \"%.*s\" on channel %d\n", (int) event.packet -> dataLength, (char *) event.packet -> data, event.channelID);
            enet_packet_destroy (event.packet);
            /* The welcome, and our own three words: delivered first, then goodbye. */
            if (++ heard == 4) enet_peer_disconnect_later (server, 7);
            break;

        case ENET_EVENT_TYPE_DISCONNECT:
            printf ("disconnected\n");
            enet_host_destroy (host);
            return heard >= 4 ? EXIT_SUCCESS : EXIT_FAILURE;

        default:
            break;
        }

    printf ("nothing came for five seconds\n");
    return EXIT_FAILURE;
}
