package dev.sund.kernel.nft;

import dev.sund.model.Checks;
import java.time.Duration;
import java.util.Optional;

/**
 * A set of keys, or a map from keys to values. Key: family, table and name.
 *
 * @param family the table's family
 * @param table the table's name
 * @param name 1 to 255 bytes
 * @param flags NFT_SET_*, see the constants
 * @param key the type of the keys
 * @param data the type of a map's values, empty for a set
 * @param size how many elements fit, 0 for no bound
 * @param timeout how long elements last that do not say, empty for ever
 * @param userdata the comment and what {@code nft} needs to print keys
 */
public record NftSet(
    NftFamily family,
    String table,
    String name,
    int flags,
    NftType key,
    Optional<NftType> data,
    int size,
    Optional<Duration> timeout,
    Userdata userdata) {
  /** Belongs to one rule, has no name of its own. */
  public static final int ANONYMOUS = 0x1;

  /** Does not change once a rule uses it. */
  public static final int CONSTANT = 0x2;

  /** Keys are ranges. */
  public static final int INTERVAL = 0x4;

  /** Keys have values. */
  public static final int MAP = 0x8;

  /** Elements may have a time to live. */
  public static final int TIMEOUT = 0x10;

  /** Rules may add elements. */
  public static final int EVAL = 0x20;

  /** Values are objects such as counters. */
  public static final int OBJECT = 0x40;

  /** Keys are ranges of several fields. */
  public static final int CONCAT = 0x80;

  public NftSet {
    Checks.notEmpty("name of a set", name);
  }

  /** A set of single keys. */
  public static NftSet of(NftTable table, String name, NftType.Field... key) {
    NftType type = NftType.of(key);
    return new NftSet(
        table.family(),
        table.name(),
        name,
        0,
        type,
        Optional.empty(),
        0,
        Optional.empty(),
        Userdata.NONE.withNumber(Userdata.SET_KEY_BYTE_ORDER, type.byteOrder()));
  }

  /** This set, with ranges as keys. */
  public NftSet ofRanges() {
    return withFlags(flags | INTERVAL | (key.isConcatenation() ? CONCAT : 0));
  }

  /** This set as a map to these values. */
  public NftSet to(NftType values) {
    return new NftSet(
        family,
        table,
        name,
        flags | MAP,
        key,
        Optional.of(values),
        size,
        timeout,
        userdata.withNumber(Userdata.SET_DATA_BYTE_ORDER, values.byteOrder()));
  }

  /** This set, with a comment, which the kernel keeps from 5.10 on. */
  public NftSet withComment(String comment) {
    return new NftSet(
        family,
        table,
        name,
        flags,
        key,
        data,
        size,
        timeout,
        userdata.withText(Userdata.SET_COMMENT, comment));
  }

  /** This set, for at most so many elements. */
  public NftSet withSize(int elements) {
    return new NftSet(family, table, name, flags, key, data, elements, timeout, userdata);
  }

  /** This set, whose elements last so long when they do not say otherwise; zero: for ever. */
  public NftSet withTimeout(Duration lasting) {
    return new NftSet(
        family,
        table,
        name,
        flags | TIMEOUT,
        key,
        data,
        size,
        lasting.isZero() ? Optional.empty() : Optional.of(lasting),
        userdata);
  }

  /** This set with these flags in place of its own. */
  public NftSet withFlags(int newFlags) {
    return new NftSet(family, table, name, newFlags, key, data, size, timeout, userdata);
  }

  /** Whether keys are ranges, each by two elements: its start, and the end behind it. */
  public boolean hasPairedRanges() {
    return (flags & INTERVAL) != 0 && (flags & CONCAT) == 0;
  }

  /** The comment, empty when there is none. */
  public String comment() {
    return userdata.setComment();
  }

  /** The name that {@code nft} takes: {@code inet sund nat-outgoing-v4}. */
  @Override
  public String toString() {
    return family + " " + table + " " + name;
  }
}
