package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.Reg;
import dev.sund.model.Family;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Expressions that ask about a packet, as {@code nft} writes them. */
final class PacketFields {
  private static final int NFPROTO_IPV4 = 2;
  private static final int NFPROTO_IPV6 = 10;
  private static final int RTN_LOCAL = 2;

  /** NFTA_FIB_F_SADDR. */
  static final int FIB_SOURCE = 1;

  /** NFTA_FIB_F_DADDR. */
  static final int FIB_DESTINATION = 2;

  private PacketFields() {}

  /** Goes on for packets of a family. */
  static List<Expr> family(Family family) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
        new Expr.Cmp(
            Reg.R1, Expr.Op.EQ, Bytes.of(family == Family.V4 ? NFPROTO_IPV4 : NFPROTO_IPV6)));
  }

  /** Goes on for packets of a protocol. */
  static List<Expr> protocol(Protocol protocol) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(protocol.number())));
  }

  /** Goes on for packets in whose mark these bits are so. */
  static List<Expr> mark(int mask, int value) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.MARK, Reg.R1),
        new Expr.Bitwise(Reg.R1, Reg.R1, Bytes.host32(mask), Bytes.host32(0)),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(value)));
  }

  /** Goes on when the packet's source or destination is an address of the node, or is none. */
  static List<Expr> fib(int flags, Expr.Op op) {
    return List.of(
        new Expr.Fib(Reg.R1, Expr.FibResult.ADDRTYPE, flags),
        new Expr.Cmp(Reg.R1, op, Bytes.host32(RTN_LOCAL)));
  }

  /** Loads the source into the registers from this byte on. */
  static Expr source(Family family, int at) {
    return new Expr.Payload(
        FrontendGroup.register(at),
        Expr.Header.NETWORK,
        family == Family.V4 ? 12 : 8,
        family.bytes());
  }

  /** Loads the destination into the registers from this byte on. */
  static Expr destination(Family family, int at) {
    return new Expr.Payload(
        FrontendGroup.register(at),
        Expr.Header.NETWORK,
        family == Family.V4 ? 16 : 24,
        family.bytes());
  }

  /** Loads the source port into the registers from this byte on. */
  static Expr sourcePort(int at) {
    return new Expr.Payload(FrontendGroup.register(at), Expr.Header.TRANSPORT, 0, 2);
  }

  /** Loads the destination port into the registers from this byte on. */
  static Expr destinationPort(int at) {
    return new Expr.Payload(FrontendGroup.register(at), Expr.Header.TRANSPORT, 2, 2);
  }

  /** Loads {@code [address .] protocol . port} into the registers from this byte on. */
  static List<Expr> frontend(FrontendGroup group, int from) {
    List<Expr> expressions = new ArrayList<>();
    int at = from + group.addressBytes();
    if (!group.isNode()) {
      expressions.add(destination(group.family(), from));
    }
    expressions.add(new Expr.Meta(Expr.MetaKey.L4PROTO, FrontendGroup.register(at)));
    expressions.add(destinationPort(at + 4));
    return expressions;
  }

  /** The same of what the client asked, once the destination has been translated. */
  static List<Expr> asked(FrontendGroup group, int from) {
    List<Expr> expressions = new ArrayList<>();
    int at = from + group.addressBytes();
    if (!group.isNode()) {
      expressions.add(askedAddress(group.family(), from));
    }
    expressions.add(new Expr.Meta(Expr.MetaKey.L4PROTO, FrontendGroup.register(at)));
    expressions.add(
        new Expr.Ct(
            Expr.CtKey.PROTO_DST,
            Optional.of(Expr.CtDirection.ORIGINAL),
            FrontendGroup.register(at + 4)));
    return expressions;
  }

  /** Loads the address that the client asked. */
  static Expr askedAddress(Family family, int at) {
    return new Expr.Ct(
        family == Family.V4 ? Expr.CtKey.DST_IP : Expr.CtKey.DST_IP6,
        Optional.of(Expr.CtDirection.ORIGINAL),
        FrontendGroup.register(at));
  }

  /** All of these, one behind the other. */
  @SafeVarargs
  static List<Expr> join(List<? extends Expr>... parts) {
    List<Expr> all = new ArrayList<>();
    for (List<? extends Expr> part : parts) {
      all.addAll(part);
    }
    return List.copyOf(all);
  }
}
