// Which rivals of this folder take part, in this order.

export const files = ['kcp.js', 'raknet.js', 'utp.js', 'udx.js', 'ws.js', 'datachannel.js']
