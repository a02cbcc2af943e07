package dev.sund.kernel.xtables;

import dev.sund.model.Family;

/**
 * Sizes and offsets of the older interface's structures, which are the same on all 64-bit machines.
 * IPv4's rules begin with {@code struct ipt_entry}, IPv6's with {@code struct ip6t_entry}.
 *
 * @param level of the socket options
 * @param entry the length of a rule's head
 * @param in where the name of the device stands that a packet comes in by; then that of the device
 *     it goes out by, and their masks, 16 bytes each
 * @param matching how many bytes of the head say which packets the rule is about
 * @param targetOffset where the offset of the target stands; the offset of the next rule follows
 * @param names the file that lists the tables that are there, below the thread's network files
 */
record XtLayout(int level, int entry, int in, int matching, int targetOffset, String names) {
  static final int NAME_BYTES = 32;
  static final int DEVICE_BYTES = 16;

  /** The socket options, the same numbers for both families. */
  static final int SO_SET_REPLACE = 64;

  static final int SO_SET_ADD_COUNTERS = 65;
  static final int SO_GET_INFO = 64;
  static final int SO_GET_ENTRIES = 65;

  static final int INFO_BYTES = 84;
  static final int INFO_VALID_HOOKS = 32;
  static final int INFO_HOOK_ENTRY = 36;
  static final int INFO_UNDERFLOW = 56;
  static final int INFO_NUM_ENTRIES = 76;
  static final int INFO_SIZE = 80;
  static final int HOOKS = 5;
  static final int HOOK_FORWARD = 2;

  static final int GET_ENTRIES_HEAD = 40;
  static final int GET_ENTRIES_SIZE = 32;

  static final int REPLACE_HEAD = 96;
  static final int REPLACE_NUM_ENTRIES = 36;
  static final int REPLACE_SIZE = 40;
  static final int REPLACE_HOOK_ENTRY = 44;
  static final int REPLACE_UNDERFLOW = 64;
  static final int REPLACE_NUM_COUNTERS = 84;
  static final int REPLACE_COUNTERS = 88;

  static final int COUNTERS_HEAD = 40;
  static final int COUNTER_BYTES = 16;

  /** A match or a target: its whole length (16 bits), its name (29 bytes), its revision. */
  static final int EXTENSION_HEAD = 32;

  static final int EXTENSION_NAME_BYTES = 29;
  static final int STANDARD_TARGET_BYTES = 40;
  static final int COMMENT_BYTES = 256;

  /** What a standard target says of a packet that it accepts or drops; others are offsets. */
  static final int VERDICT_ACCEPT = -2;

  static final int VERDICT_DROP = -1;
  static final int VERDICT_RETURN = -5;

  private static final int V4_LEVEL = 0;
  private static final int V4_ENTRY = 112;
  private static final int V4_IN = 16;
  private static final int V4_MATCHING = 84;
  private static final int V4_TARGET_OFFSET = 88;
  private static final int V6_LEVEL = 41;
  private static final int V6_ENTRY = 168;
  private static final int V6_IN = 64;
  private static final int V6_MATCHING = 136;
  private static final int V6_TARGET_OFFSET = 140;

  private static final XtLayout V4 =
      new XtLayout(V4_LEVEL, V4_ENTRY, V4_IN, V4_MATCHING, V4_TARGET_OFFSET, "ip_tables_names");
  private static final XtLayout V6 =
      new XtLayout(V6_LEVEL, V6_ENTRY, V6_IN, V6_MATCHING, V6_TARGET_OFFSET, "ip6_tables_names");

  static XtLayout of(Family family) {
    return switch (family) {
      case V4 -> V4;
      case V6 -> V6;
    };
  }
}
