package dev.sund.kernel.nft;

import dev.sund.model.Checks;
import java.time.Duration;
import java.util.Optional;

/**
 * One expression of a rule: an instruction of the small machine that the kernel runs for each
 * packet. A rule's expressions run in order; a comparison or lookup that fails ends the rule.
 *
 * <p>What this library does not interpret comes back as {@link Unknown} with its raw attributes, so
 * that foreign rules can be shown and compared. Two expressions are equal when they do the same:
 * values that the kernel fills in (a range's end, flags that follow from registers) are filled in
 * by the constructors too.
 */
public sealed interface Expr {

  /** Which header an offset counts from. */
  enum Header {
    LINK,
    NETWORK,
    TRANSPORT,
    INNER
  }

  /** How a comparison compares. */
  enum Op {
    EQ,
    NEQ,
    LT,
    LTE,
    GT,
    GTE
  }

  /** What about a packet, apart from its bytes (NFT_META_*, in the kernel's order from 0). */
  enum MetaKey {
    LEN,
    PROTOCOL,
    PRIORITY,
    MARK,
    IIF,
    OIF,
    IIFNAME,
    OIFNAME,
    IIFTYPE,
    OIFTYPE,
    SKUID,
    SKGID,
    NFTRACE,
    RTCLASSID,
    SECMARK,
    NFPROTO,
    L4PROTO,
    BRI_IIFNAME,
    BRI_OIFNAME,
    PKTTYPE,
    CPU,
    IIFGROUP,
    OIFGROUP,
    CGROUP,
    PRANDOM,
    SECPATH,
    IIFKIND,
    OIFKIND,
    BRI_IIFPVID,
    BRI_IIFVPROTO,
    TIME_NS,
    TIME_DAY,
    TIME_HOUR,
    SDIF,
    SDIFNAME
  }

  /** What about a packet's connection (NFT_CT_*, in the kernel's order from 0). */
  enum CtKey {
    STATE,
    DIRECTION,
    STATUS,
    MARK,
    SECMARK,
    EXPIRATION,
    HELPER,
    L3PROTOCOL,
    SRC,
    DST,
    PROTOCOL,
    PROTO_SRC,
    PROTO_DST,
    LABELS,
    PKTS,
    BYTES,
    AVGPKT,
    ZONE,
    EVENTMASK,
    SRC_IP,
    DST_IP,
    SRC_IP6,
    DST_IP6,
    ID
  }

  /** Which packets of a connection a value is taken from. */
  enum CtDirection {
    ORIGINAL,
    REPLY
  }

  /** What a route lookup answers (NFT_FIB_RESULT_*, from 1). */
  enum FibResult {
    OIF,
    OIFNAME,
    ADDRTYPE
  }

  /** How a refusal is told (NFT_REJECT_*). */
  enum RejectType {
    /** ICMP of the table's family. */
    ICMP_UNREACH,
    /** TCP reset. */
    TCP_RST,
    /** ICMP of the packet's family, in family inet. */
    ICMPX_UNREACH
  }

  /** Flag: pick ports at random (NF_NAT_RANGE_PROTO_RANDOM). */
  int NAT_RANDOM = 1 << 2;

  /** Flag: the same client gets the same address (NF_NAT_RANGE_PERSISTENT). */
  int NAT_PERSISTENT = 1 << 3;

  /** Flag: pick ports from a random start (NF_NAT_RANGE_PROTO_RANDOM_FULLY). */
  int NAT_FULLY_RANDOM = 1 << 4;

  /** The flags that follow from which registers are set. */
  int NAT_DERIVED = 3;

  /** {@code payload}: loads bytes of the packet. */
  record Payload(Reg into, Header header, int offset, int length) implements Expr {
    public Payload {
      Checks.range("length", length, 1, 64);
      Checks.range("offset", offset, 0, 65535);
    }
  }

  /**
   * {@code payload} the other way: writes bytes of the packet.
   *
   * @param checksumType 0 none, 1 inet, 2 sctp
   * @param checksumOffset of the checksum in the same header
   * @param checksumFlags 1: the transport checksum covers these bytes too
   */
  record PayloadSet(
      Reg from,
      Header header,
      int offset,
      int length,
      int checksumType,
      int checksumOffset,
      int checksumFlags)
      implements Expr {}

  /** {@code cmp}: goes on when the comparison holds. */
  record Cmp(Reg from, Op op, Bytes value) implements Expr {}

  /** {@code range}: goes on when the value is within both ends, or outside when inverted. */
  record Range(Reg from, boolean inverted, Bytes low, Bytes high) implements Expr {}

  /** {@code meta}: loads a fact about the packet. */
  record Meta(MetaKey key, Reg into) implements Expr {}

  /** {@code meta set}: changes one. */
  record MetaSet(MetaKey key, Reg from) implements Expr {}

  /** {@code ct}: loads a fact about the packet's connection. */
  record Ct(CtKey key, Optional<CtDirection> direction, Reg into) implements Expr {}

  /** {@code ct set}: changes one. */
  record CtSet(CtKey key, Optional<CtDirection> direction, Reg from) implements Expr {}

  /**
   * {@code lookup}: goes on when the set holds the key, or does not when inverted; for a map, loads
   * the element's value.
   */
  record Lookup(String set, Reg from, Optional<Reg> into, boolean inverted) implements Expr {
    /** Goes on when the set holds the key. */
    public static Lookup in(String set, Reg from) {
      return new Lookup(set, from, Optional.empty(), false);
    }

    /** Goes on when the set does not hold the key. */
    public static Lookup notIn(String set, Reg from) {
      return new Lookup(set, from, Optional.empty(), true);
    }

    /** Loads the value of the key's element and goes on, if there is one. */
    public static Lookup map(String map, Reg from, Reg into) {
      return new Lookup(map, from, Optional.of(into), false);
    }
  }

  /**
   * {@code dynset}: makes the register's content an element of a set that rules may add to ({@link
   * NftSet#EVAL}), or gives the one that is there its whole time to live again; its value stays as
   * it is. The rule ends where the set is full.
   *
   * @param key register of the key
   * @param data register of a map's value
   * @param timeout how long the element lasts, in whole milliseconds; empty for what the set says
   */
  record Update(String set, Reg key, Optional<Reg> data, Optional<Duration> timeout)
      implements Expr {}

  /**
   * {@code dynset}: counts the packet at the register's content in a set that rules may add to
   * ({@link NftSet#EVAL}); the first one makes the element. The rule ends where the set is full.
   *
   * @param key register of the key
   */
  record CountAt(String set, Reg key) implements Expr {}

  /** {@code immediate}: loads a constant, or gives a verdict. */
  record Immediate(Reg into, Data data) implements Expr {
    /** Loads a constant. */
    public static Immediate load(Reg into, Bytes value) {
      return new Immediate(into, new Data.Value(value));
    }

    /** Gives a verdict. */
    public static Immediate verdict(Verdict verdict) {
      return new Immediate(Reg.VERDICT, new Data.To(verdict));
    }
  }

  /** {@code bitwise}: {@code into = (from & mask) ^ xor}. */
  record Bitwise(Reg from, Reg into, Bytes mask, Bytes xor) implements Expr {
    public Bitwise {
      Checks.that(mask.length() == xor.length(), "mask and xor have one length");
    }
  }

  /** {@code bitwise} shift of a register, to the left or right, by a number of bits. */
  record Shift(Reg from, Reg into, int length, boolean left, int bits) implements Expr {}

  /** {@code byteorder}: turns each of {@code length / size} numbers around. */
  record ByteOrder(Reg from, Reg into, boolean toNetwork, int length, int size) implements Expr {}

  /**
   * {@code masq}: the source becomes the primary address of the device by which the packet leaves.
   *
   * @param flags {@link #NAT_RANDOM}, {@link #NAT_PERSISTENT}, {@link #NAT_FULLY_RANDOM}, or 0
   * @param portMin register with the first port to use
   * @param portMax register with the last one; the kernel takes {@code portMin} when empty
   */
  record Masquerade(int flags, Optional<Reg> portMin, Optional<Reg> portMax) implements Expr {
    public Masquerade {
      flags &= ~NAT_DERIVED;
      portMax = portMin.isEmpty() || portMax.isPresent() ? portMax : portMin;
    }

    /** Any port. */
    public static Masquerade any() {
      return new Masquerade(0, Optional.empty(), Optional.empty());
    }
  }

  /**
   * {@code nat}: source or destination become what the registers hold.
   *
   * @param destination whether the destination is translated, else the source
   * @param family the address's family, IP or IP6
   * @param flags see {@link Masquerade}; those that follow from registers are left out
   */
  record Nat(
      boolean destination,
      NftFamily family,
      Optional<Reg> addressMin,
      Optional<Reg> addressMax,
      Optional<Reg> portMin,
      Optional<Reg> portMax,
      int flags)
      implements Expr {
    public Nat {
      flags &= ~NAT_DERIVED;
      addressMax = addressMin.isEmpty() || addressMax.isPresent() ? addressMax : addressMin;
      portMax = portMin.isEmpty() || portMax.isPresent() ? portMax : portMin;
    }
  }

  /** {@code counter}: counts packets and bytes. */
  record Counter(long packets, long bytes) implements Expr {
    /** A counter that has not counted. */
    public static Counter atZero() {
      return new Counter(0, 0);
    }
  }

  /**
   * {@code log}: to the kernel's log, or to a netlink group.
   *
   * @param prefix at most 127 bytes, empty for none
   * @param group the netlink group, empty for the kernel's log
   * @param level 0 (emergency) to 7 (debug), for the kernel's log
   * @param flags NF_LOG_*, for the kernel's log
   * @param snapLength bytes to copy, 0 for all, for a group
   * @param threshold packets to gather, for a group
   */
  record Log(
      String prefix, Optional<Integer> group, int level, int flags, int snapLength, int threshold)
      implements Expr {}

  /** {@code reject}: refuses with an answer; {@code code} is the ICMP code. */
  record Reject(RejectType type, int code) implements Expr {}

  /**
   * {@code fib}: asks the routing table.
   *
   * @param flags NFTA_FIB_F_*: 1 source, 2 destination, 4 mark, 8 input device, 16 output device,
   *     32 present
   */
  record Fib(Reg into, FibResult result, int flags) implements Expr {}

  /** {@code numgen}: the next or a random number below {@code modulus}, plus {@code offset}. */
  record Numgen(Reg into, long modulus, boolean random, long offset) implements Expr {}

  /** {@code hash}: Jenkins' hash of a register, or the packet's symmetric one. */
  record Hash(
      Optional<Reg> from,
      Reg into,
      int length,
      long modulus,
      Optional<Integer> seed,
      long offset,
      boolean symmetric)
      implements Expr {}

  /**
   * {@code limit}: goes on while packets or bytes come no faster.
   *
   * @param rate packets or bytes
   * @param unitSeconds per how many seconds
   * @param burst how many more at once
   */
  record Limit(long rate, long unitSeconds, long burst, boolean bytes, boolean inverted)
      implements Expr {}

  /** Any other: its name and its attributes as the kernel gave them. */
  record Unknown(String name, Bytes attributes) implements Expr {}

  /** What it does, for people: {@code reg 1 = meta nfproto}. */
  default String text() {
    return ExprText.of(this);
  }

  /** This expression without what packets change in it: counters at zero. */
  default Expr withoutCounts() {
    return this instanceof Counter ? Counter.atZero() : this;
  }
}
