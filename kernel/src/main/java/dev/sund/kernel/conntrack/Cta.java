package dev.sund.kernel.conntrack;

/**
 * Attribute numbers of {@code linux/netfilter/nfnetlink_conntrack.h}, without the prefix CTA_: as
 * many as are read or written here.
 */
final class Cta {
  static final int TUPLE_ORIG = 1;
  static final int TUPLE_REPLY = 2;
  static final int STATUS = 3;
  static final int PROTOINFO = 4;
  static final int TIMEOUT = 7;
  static final int MARK = 8;
  static final int COUNTERS_ORIG = 9;
  static final int COUNTERS_REPLY = 10;
  static final int ID = 12;
  static final int ZONE = 18;
  static final int FILTER = 25;

  static final int TUPLE_IP = 1;
  static final int TUPLE_PROTO = 2;
  static final int TUPLE_ZONE = 3;

  static final int IP_V4_SRC = 1;
  static final int IP_V4_DST = 2;
  static final int IP_V6_SRC = 3;
  static final int IP_V6_DST = 4;

  static final int PROTO_NUM = 1;
  static final int PROTO_SRC_PORT = 2;
  static final int PROTO_DST_PORT = 3;
  static final int PROTO_ICMP_ID = 4;
  static final int PROTO_ICMP_TYPE = 5;
  static final int PROTO_ICMP_CODE = 6;
  static final int PROTO_ICMPV6_ID = 7;
  static final int PROTO_ICMPV6_TYPE = 8;
  static final int PROTO_ICMPV6_CODE = 9;

  static final int PROTOINFO_TCP = 1;
  static final int PROTOINFO_TCP_STATE = 1;

  static final int COUNTERS_PACKETS = 1;
  static final int COUNTERS_BYTES = 2;

  static final int FILTER_ORIG_FLAGS = 1;

  static final int STATS_FOUND = 2;
  static final int STATS_INVALID = 4;
  static final int STATS_INSERT = 8;
  static final int STATS_INSERT_FAILED = 9;
  static final int STATS_DROP = 10;
  static final int STATS_EARLY_DROP = 11;
  static final int STATS_ERROR = 12;
  static final int STATS_SEARCH_RESTART = 13;
  static final int STATS_CLASH_RESOLVE = 14;
  static final int STATS_CHAIN_TOOLONG = 15;

  static final int STATS_GLOBAL_ENTRIES = 1;
  static final int STATS_GLOBAL_MAX_ENTRIES = 2;

  private Cta() {}
}
