"""A customer's router that is not ours: answers probes that come in GRE, as the vendor's documents say a customer does.

Arguments: DEVICE OWN-END PROVIDER-END, the outer addresses. An answer goes back into the tunnel if its destination is
private, and bare otherwise.
"""

import sys

from scapy.all import GRE, ICMP, IP, AsyncSniffer, conf

device, own, provider = sys.argv[1:4]
conf.verb = 0
socket = conf.L3socket(iface=device)


def answer(packet):
    inner = packet[GRE].payload
    if not isinstance(inner, IP) or ICMP not in inner or packet[IP].src != provider:
        return
    kind = inner[ICMP].type
    if kind == 8:
        back = inner.copy()
        back.src, back.dst = inner.dst, inner.src
        back[ICMP].type = 0
        del back.chksum, back[ICMP].chksum
    elif kind == 0:
        # Its destination is the prober itself: a router only forwards it.
        back = inner.copy()
        back.ttl -= 1
        del back.chksum
    else:
        return
    tunnelled = back.dst.startswith("10.")
    socket.send(IP(src=own, dst=provider, ttl=64) / GRE() / back if tunnelled else back)


sniffer = AsyncSniffer(
    iface=device, filter="ip proto 47 and src " + provider, prn=answer, store=False,
    started_callback=lambda: print("listens", flush=True),
)
sniffer.start()
sniffer.join()
