package dev.sund.kernel.netlink;

/** Numbers of {@code linux/netlink.h} that every netlink family shares. */
public final class Netlink {
  /** Family of links, addresses, routes, rules and neighbours. */
  public static final int NETLINK_ROUTE = 0;

  /** Family of nf_tables, conntrack and the rest of netfilter. */
  public static final int NETLINK_NETFILTER = 12;

  /** Family of the named, numbered-at-run-time families. */
  public static final int NETLINK_GENERIC = 16;

  /** This is a request. */
  public static final int NLM_F_REQUEST = 0x1;

  /** More parts follow, until NLMSG_DONE. */
  public static final int NLM_F_MULTI = 0x2;

  /** Answer with an acknowledgement. */
  public static final int NLM_F_ACK = 0x4;

  /** Send the notification to the asker too. */
  public static final int NLM_F_ECHO = 0x8;

  /** The listing changed while it was made. */
  public static final int NLM_F_DUMP_INTR = 0x10;

  /** The listing was filtered as asked. */
  public static final int NLM_F_DUMP_FILTERED = 0x20;

  /** Return all that match: NLM_F_ROOT and NLM_F_MATCH. */
  public static final int NLM_F_DUMP = 0x300;

  /** Replace the object that is there. */
  public static final int NLM_F_REPLACE = 0x100;

  /** Fail when the object is there. */
  public static final int NLM_F_EXCL = 0x200;

  /** Make the object when it is not there. */
  public static final int NLM_F_CREATE = 0x400;

  /** Add at the end of a list of such objects. */
  public static final int NLM_F_APPEND = 0x800;

  /** In an error message: the request's body was cut off. */
  static final int NLM_F_CAPPED = 0x100;

  /** In an error message: attributes with the kernel's text follow. */
  static final int NLM_F_ACK_TLVS = 0x200;

  /** Nothing. */
  public static final int NLMSG_NOOP = 1;

  /** An error, or an acknowledgement when the number is 0. */
  public static final int NLMSG_ERROR = 2;

  /** The end of a listing. */
  public static final int NLMSG_DONE = 3;

  /** Messages were lost. */
  public static final int NLMSG_OVERRUN = 4;

  /** The length of {@code struct nlmsghdr}. */
  public static final int HEADER = 16;

  /** The attribute holds attributes. */
  public static final int NLA_F_NESTED = 0x8000;

  /** The attribute is in network byte order. */
  public static final int NLA_F_NET_BYTEORDER = 0x4000;

  /** The bits of an attribute's type without the two flags. */
  public static final int NLA_TYPE_MASK = 0x3fff;

  static final int SOL_NETLINK = 270;
  static final int NETLINK_ADD_MEMBERSHIP = 1;
  static final int NETLINK_CAP_ACK = 10;
  static final int NETLINK_EXT_ACK = 11;
  static final int NETLINK_GET_STRICT_CHK = 12;
  static final int NLMSGERR_ATTR_MSG = 1;
  static final int NLMSGERR_ATTR_OFFS = 2;

  private Netlink() {}

  /** {@code length} rounded up to the 4 bytes at which messages and attributes begin. */
  public static int align(int length) {
    return (length + 3) & ~3;
  }
}
