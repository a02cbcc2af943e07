package dev.sund.kernel.route;

import dev.sund.model.Family;
import java.util.Optional;

/** Numbers of rtnetlink that more than one type of this package uses. */
public final class Rtnl {
  /** The main routing table. */
  public static final int TABLE_MAIN = 254;

  /** The table of local addresses, which the kernel keeps. */
  public static final int TABLE_LOCAL = 255;

  /** Route protocol: made by the kernel itself. */
  public static final int PROTOCOL_KERNEL = 2;

  /** Route protocol: made at boot, and what {@code ip route} writes. */
  public static final int PROTOCOL_BOOT = 3;

  /** Route protocol: made by an administrator. */
  public static final int PROTOCOL_STATIC = 4;

  /** Scope of what is anywhere. */
  public static final int SCOPE_UNIVERSE = 0;

  /** Scope of what is on a link, without a gateway. */
  public static final int SCOPE_LINK = 253;

  /** Scope of this host. */
  public static final int SCOPE_HOST = 254;

  static final int SCOPE_NOWHERE = 255;

  static final int AF_UNSPEC = 0;
  static final int AF_INET = 2;
  static final int AF_BRIDGE = 7;
  static final int AF_INET6 = 10;

  static final int RTM_NEWLINK = 16;
  static final int RTM_DELLINK = 17;
  static final int RTM_GETLINK = 18;
  static final int RTM_SETLINK = 19;
  static final int RTM_NEWADDR = 20;
  static final int RTM_DELADDR = 21;
  static final int RTM_GETADDR = 22;
  static final int RTM_NEWROUTE = 24;
  static final int RTM_DELROUTE = 25;
  static final int RTM_GETROUTE = 26;
  static final int RTM_NEWNEIGH = 28;
  static final int RTM_DELNEIGH = 29;
  static final int RTM_GETNEIGH = 30;
  static final int RTM_NEWRULE = 32;
  static final int RTM_DELRULE = 33;
  static final int RTM_GETRULE = 34;
  static final int RTM_NEWQDISC = 36;
  static final int RTM_DELQDISC = 37;
  static final int RTM_GETQDISC = 38;
  static final int RTM_NEWTFILTER = 44;
  static final int RTM_NEWNSID = 88;
  static final int RTM_GETNSID = 90;

  static final int RTNLGRP_LINK = 1;
  static final int RTNLGRP_NEIGH = 3;
  static final int RTNLGRP_IPV4_IFADDR = 5;
  static final int RTNLGRP_IPV4_ROUTE = 7;
  static final int RTNLGRP_IPV4_RULE = 8;
  static final int RTNLGRP_IPV6_IFADDR = 9;
  static final int RTNLGRP_IPV6_ROUTE = 11;
  static final int RTNLGRP_IPV6_RULE = 19;

  private Rtnl() {}

  static int number(Family family) {
    return family == Family.V4 ? AF_INET : AF_INET6;
  }

  static Optional<Family> family(int number) {
    return switch (number) {
      case AF_INET -> Optional.of(Family.V4);
      case AF_INET6 -> Optional.of(Family.V6);
      default -> Optional.empty();
    };
  }
}
