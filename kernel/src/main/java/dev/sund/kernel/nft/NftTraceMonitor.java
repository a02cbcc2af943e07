package dev.sund.kernel.nft;

import static dev.sund.kernel.nft.Nfta.*;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkMonitor;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A subscription to what rules do to the packets of one namespace that are traced (NFNLGRP_NFTRACE,
 * {@code meta nftrace set 1}). Packets are traced from that rule on, and as long as somebody is
 * subscribed. One thread at a time; the caller closes it.
 */
public final class NftTraceMonitor implements AutoCloseable {
  private static final int NFNLGRP_NFTRACE = 9;
  private static final int NFT_TRACETYPE_POLICY = 1;
  private static final int NFT_TRACETYPE_RULE = 3;

  private final NetlinkMonitor monitor;

  private NftTraceMonitor(NetlinkMonitor monitor) {
    this.monitor = monitor;
  }

  /** Subscribes. */
  public static NftTraceMonitor open(NetNs namespace) throws KernelException {
    return new NftTraceMonitor(
        NetlinkMonitor.open(
            Netlink.NETLINK_NETFILTER, namespace, Buffers.DEFAULT, NFNLGRP_NFTRACE));
  }

  /** Delivers what has come and returns without waiting; says whether anything came. */
  public boolean poll(Consumer<NftTraced> sink) throws KernelException {
    return monitor.poll(
        new NetlinkMonitor.Sink() {
          @Override
          public void message(int type, int flags, NlReader body) throws KernelException {
            if (type == NftCodec.TRACE) {
              sink.accept(read(body));
            }
          }

          @Override
          public void resync(String why) {
            // What is lost of a trace is lost; what was told stays true.
          }
        });
  }

  private static NftTraced read(NlReader in) throws KernelException {
    NftFamily family = NftCodec.readFamily(in);
    String table = "";
    String chain = "";
    long rule = 0;
    int type = 0;
    int packet = 0;
    int from = 0;
    int to = 0;
    Optional<Verdict> verdict = Optional.empty();
    Optional<Verdict> policy = Optional.empty();
    Bytes network = Bytes.EMPTY;
    Bytes transport = Bytes.EMPTY;
    while (in.next()) {
      switch (in.type()) {
        case TRACE_TABLE -> table = in.string();
        case TRACE_CHAIN -> chain = in.string();
        case TRACE_RULE_HANDLE -> rule = in.be64();
        case TRACE_TYPE -> type = in.be32();
        case TRACE_VERDICT -> verdict = Optional.of(ExprCodec.readVerdict(in.nested()));
        case TRACE_ID -> packet = in.be32();
        case TRACE_NETWORK_HEADER -> network = Bytes.of(in.bytes());
        case TRACE_TRANSPORT_HEADER -> transport = Bytes.of(in.bytes());
        case TRACE_IIF -> from = in.be32();
        case TRACE_OIF -> to = in.be32();
        case TRACE_POLICY -> policy = Optional.of(new Verdict.Plain(in.be32()));
        default -> {}
      }
    }
    return new NftTraced(
        family,
        table,
        chain,
        switch (type) {
          case NFT_TRACETYPE_POLICY -> NftTraced.Type.POLICY;
          case NFT_TRACETYPE_RULE -> NftTraced.Type.RULE;
          default -> NftTraced.Type.RETURN;
        },
        rule,
        verdict.isPresent() ? verdict.get() : policy.orElse(Verdict.CONTINUE),
        packet,
        network.length() == 0
            ? Optional.empty()
            : Optional.of(new NftTraced.Headers(network, transport, from, to)));
  }

  @Override
  public void close() {
    monitor.close();
  }
}
