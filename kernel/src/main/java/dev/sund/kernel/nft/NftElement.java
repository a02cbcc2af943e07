package dev.sund.kernel.nft;

import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One element as the kernel holds it.
 *
 * <p>In a set of ranges of one field a range is two elements: its first key, and the first key
 * behind it with {@link #intervalEnd}. A range that reaches the last key has no end. See {@link
 * #range} and {@link NftRange}.
 *
 * @param key as long as the set's key type says
 * @param keyEnd the last key, in sets of ranges of several fields
 * @param intervalEnd whether this is the end of a range: {@code key} is no longer in it
 * @param data a map's value
 * @param timeout how long it lasts, when it differs from the set's
 * @param userdata holds the comment
 */
public record NftElement(
    Bytes key,
    Optional<Bytes> keyEnd,
    boolean intervalEnd,
    Optional<Data> data,
    Optional<Duration> timeout,
    Userdata userdata) {

  /** A single key. */
  public static NftElement of(Bytes key) {
    return new NftElement(
        key, Optional.empty(), false, Optional.empty(), Optional.empty(), Userdata.NONE);
  }

  /**
   * A single key.
   *
   * @param data a map's value, empty in a set
   * @param userdata holds the comment
   */
  public static NftElement of(Bytes key, Optional<Data> data, Userdata userdata) {
    return new NftElement(key, Optional.empty(), false, data, Optional.empty(), userdata);
  }

  /** The keys from {@code low} to {@code high}, both in it, of several fields. */
  public static NftElement between(Bytes low, Bytes high) {
    return new NftElement(
        low, Optional.of(high), false, Optional.empty(), Optional.empty(), Userdata.NONE);
  }

  /** The end of a range. */
  public static NftElement end(Bytes firstBehind) {
    return new NftElement(
        firstBehind, Optional.empty(), true, Optional.empty(), Optional.empty(), Userdata.NONE);
  }

  /** The element or two that make a range of one field; the comment stands on the first. */
  public static List<NftElement> range(Bytes low, Bytes high, String comment) {
    List<NftElement> elements = new ArrayList<>();
    Bytes behind = high.next();
    Userdata userdata = Userdata.comment(comment);
    if (behind.isZero()) {
      userdata = userdata.withNumber(Userdata.ELEMENT_FLAGS, Userdata.ELEMENT_INTERVAL_OPEN);
    } else {
      elements.add(end(behind));
    }
    elements.addFirst(of(low).withUserdata(userdata));
    return elements;
  }

  /** The elements of a range of addresses. */
  public static List<NftElement> range(Prefix prefix, String comment) {
    return range(Bytes.of(prefix.address()), Bytes.of(prefix.last()), comment);
  }

  /** This element with this comment in place of its userdata. */
  public NftElement withComment(String comment) {
    return withUserdata(Userdata.comment(comment));
  }

  /** This element with this userdata in place of its own. */
  public NftElement withUserdata(Userdata other) {
    return new NftElement(key, keyEnd, intervalEnd, data, timeout, other);
  }

  /** This element with a map's value. */
  public NftElement to(Data value) {
    return new NftElement(key, keyEnd, intervalEnd, Optional.of(value), timeout, userdata);
  }

  /** This element with a time to live. */
  public NftElement lasting(Duration time) {
    return new NftElement(key, keyEnd, intervalEnd, data, Optional.of(time), userdata);
  }

  /** The comment, empty when there is none. */
  public String comment() {
    return userdata.comment();
  }
}
