package dev.sund.kernel.nflog;

/**
 * Attribute numbers of {@code linux/netfilter/nfnetlink_log.h}, without the prefix NFULA_: as many
 * as are read or written here.
 */
final class Nfula {
  static final int PACKET_HDR = 1;
  static final int MARK = 2;
  static final int IFINDEX_INDEV = 4;
  static final int IFINDEX_OUTDEV = 5;
  static final int IFINDEX_PHYSINDEV = 6;
  static final int IFINDEX_PHYSOUTDEV = 7;
  static final int PAYLOAD = 9;
  static final int PREFIX = 10;
  static final int SEQ = 12;
  static final int CT = 18;

  static final int CFG_CMD = 1;
  static final int CFG_MODE = 2;
  static final int CFG_FLAGS = 6;

  private Nfula() {}
}
