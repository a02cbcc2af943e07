package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Optional;

/**
 * A rule that chooses a routing table (RTM_NEWRULE).
 *
 * @param family of which packets
 * @param priority lower comes first, 0 to 4294967295 as an unsigned number
 * @param table the table to look in; 0 for a rule of another action
 * @param action 1 look in {@code table}, 2 go to another rule, 6 blackhole, 7 unreachable, 8
 *     prohibit
 * @param from packets from there, empty for all
 * @param to packets to there, empty for all
 * @param mark the packets' mark after {@code mask}
 * @param mask the bits of the mark that count, 0 for all packets
 * @param inDevice packets that came by the device of this name, empty for all
 * @param outDevice packets bound to the device of this name, empty for all
 * @param protocol who made it (RTPROT_...)
 * @param flags FIB_RULE_...: 2 inverts
 */
public record Rule(
    Family family,
    int priority,
    int table,
    int action,
    Optional<Prefix> from,
    Optional<Prefix> to,
    int mark,
    int mask,
    String inDevice,
    String outDevice,
    int protocol,
    int flags)
    implements RouteRequest.Entry {
  /** The action: look in the table. */
  public static final int TO_TABLE = 1;

  private static final int FRA_DST = 1;
  private static final int FRA_SRC = 2;
  private static final int FRA_IIFNAME = 3;
  private static final int FRA_PRIORITY = 6;
  private static final int FRA_FWMARK = 10;
  private static final int FRA_TABLE = 15;
  private static final int FRA_FWMASK = 16;
  private static final int FRA_OIFNAME = 17;
  private static final int FRA_PROTOCOL = 21;
  private static final int INVERT = 2;

  /** All packets of {@code family} look in {@code table}. */
  public static Rule lookup(Family family, int priority, int table, int protocol) {
    return new Rule(
        family,
        priority,
        table,
        TO_TABLE,
        Optional.empty(),
        Optional.empty(),
        0,
        0,
        "",
        "",
        protocol,
        0);
  }

  /** Only packets from {@code prefix}. */
  public Rule withFrom(Prefix prefix) {
    return new Rule(
        family,
        priority,
        table,
        action,
        Optional.of(prefix),
        to,
        mark,
        mask,
        inDevice,
        outDevice,
        protocol,
        flags);
  }

  /** Only packets to {@code prefix}. */
  public Rule withTo(Prefix prefix) {
    return new Rule(
        family,
        priority,
        table,
        action,
        from,
        Optional.of(prefix),
        mark,
        mask,
        inDevice,
        outDevice,
        protocol,
        flags);
  }

  /** Only packets whose mark has {@code value} under {@code bits}. */
  public Rule withMark(int value, int bits) {
    return new Rule(
        family, priority, table, action, from, to, value, bits, inDevice, outDevice, protocol,
        flags);
  }

  /** Only packets that came by the device of this name. */
  public Rule withInDevice(String name) {
    return new Rule(
        family, priority, table, action, from, to, mark, mask, name, outDevice, protocol, flags);
  }

  @Override
  public void write(NlWriter out) {
    out.putU8(Rtnl.number(family))
        .putU8(to.map(Prefix::length).orElse(0))
        .putU8(from.map(Prefix::length).orElse(0))
        .putU8(0)
        .putU8(table >= 0 && table < 256 ? table : 0)
        .putU16(0)
        .putU8(action)
        .putU32(flags & INVERT)
        .u32(FRA_PRIORITY, priority);
    if (table != 0) {
      out.u32(FRA_TABLE, table);
    }
    to.ifPresent(prefix -> out.ip(FRA_DST, prefix.address()));
    from.ifPresent(prefix -> out.ip(FRA_SRC, prefix.address()));
    if (mark != 0 || mask != 0) {
      out.u32(FRA_FWMARK, mark).u32(FRA_FWMASK, mask);
    }
    if (!inDevice.isEmpty()) {
      out.string(FRA_IIFNAME, inDevice);
    }
    if (!outDevice.isEmpty()) {
      out.string(FRA_OIFNAME, outDevice);
    }
    if (protocol != 0) {
      out.u8(FRA_PROTOCOL, protocol);
    }
  }

  /** Reads the body; empty for a family other than IPv4 and IPv6. */
  static Optional<Rule> read(NlReader in) throws Malformed {
    int familyNumber = in.takeU8();
    int toLength = in.takeU8();
    int fromLength = in.takeU8();
    in.skip(1);
    int table = in.takeU8();
    in.skip(2);
    int action = in.takeU8();
    int flags = in.takeU32();
    int priority = 0;
    Optional<Ip> from = Optional.empty();
    Optional<Ip> to = Optional.empty();
    int mark = 0;
    int mask = 0;
    String inDevice = "";
    String outDevice = "";
    int protocol = 0;
    while (in.next()) {
      switch (in.type()) {
        case FRA_DST -> to = Optional.of(in.ip());
        case FRA_SRC -> from = Optional.of(in.ip());
        case FRA_IIFNAME -> inDevice = in.string();
        case FRA_OIFNAME -> outDevice = in.string();
        case FRA_PRIORITY -> priority = in.u32();
        case FRA_FWMARK -> mark = in.u32();
        case FRA_FWMASK -> mask = in.u32();
        case FRA_TABLE -> table = in.u32();
        case FRA_PROTOCOL -> protocol = in.u8();
        default -> {} // ports, uids and suppressors, which no rule of ours has
      }
    }
    Optional<Family> family = Rtnl.family(familyNumber);
    if (family.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Rule(
            family.get(),
            priority,
            table,
            action,
            prefix(family.get(), from, fromLength),
            prefix(family.get(), to, toLength),
            mark,
            mask,
            inDevice,
            outDevice,
            protocol,
            flags));
  }

  private static Optional<Prefix> prefix(Family family, Optional<Ip> address, int length)
      throws Malformed {
    if (address.isEmpty()) {
      return Optional.empty();
    }
    if (address.get().family() != family || length > family.bits()) {
      throw new Malformed("rule", "its address is not of its family");
    }
    return Optional.of(Prefix.around(address.get(), length));
  }

  @Override
  public String toString() {
    return Integer.toUnsignedString(priority)
        + ": from "
        + from.map(Prefix::toString).orElse("all")
        + to.map(prefix -> " to " + prefix).orElse("")
        + (mask == 0
            ? ""
            : " fwmark 0x" + Integer.toHexString(mark) + "/0x" + Integer.toHexString(mask))
        + (inDevice.isEmpty() ? "" : " iif " + inDevice)
        + (outDevice.isEmpty() ? "" : " oif " + outDevice)
        + (action == TO_TABLE ? " lookup " + Integer.toUnsignedString(table) : " action " + action);
  }
}
